"""Centring: features minus the mean that the network was trained to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators.base import (
    Arrays,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
    int_array,
)

FRACTION_BITS = 3
"""Of the result, in steps of a feature: finer than the features themselves, since the mean is."""

_INT16_MAX = 2**15 - 1


@dataclass(frozen=True, kw_only=True)
class Centring(IntegerOperator):
    """``(x << FRACTION_BITS) - mean``: int8 features to int16."""

    kind = "centring"
    any_length = True

    mean: NDArray[np.int64]
    """(n_bands,), `FRACTION_BITS` fraction bits."""

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or (np.abs(self.mean) + (128 << FRACTION_BITS) > _INT16_MAX).any():
            raise ValueError("centring: a mean is out of range")

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0] != Shape(len(self.mean), 1):
            raise ValueError(f"centring: {len(self.mean)} means for {inputs[0].n_bands} bands")
        return inputs[0]

    def n_frames(self, n_inputs: int) -> int:
        """As many as it reads."""
        return n_inputs

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        return (inputs[0].astype(np.int32) << FRACTION_BITS) - self.mean[:, None].astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        most: NDArray[np.int64] = (inputs[0] << FRACTION_BITS) + np.abs(self.mean).max()
        return most

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """None."""
        return 0

    def n_bytes(self) -> int:
        """Two for each mean."""
        return 2 * len(self.mean)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return {"mean": self.mean.astype(np.int16)}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Centring:
        """As `IntegerOperator.from_arrays`."""
        return cls(mean=named["mean"].astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class FloatCentring(FloatOperator):
    """``(x - mean) / std`` of features in steps."""

    mean: Real
    """(n_bands,), in steps of the features."""
    std: float
    """In steps of the features; one for all bands, since a convolution runs along them."""

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return (inputs[0] - self.mean[:, None]) / self.std

    def scale(self, output: Real) -> float:
        """It follows from the deviation, whatever the clips."""
        return self.std * (1 << FRACTION_BITS)

    def quantised(self, scales: Scales) -> Centring:
        """As `FloatOperator.quantised`."""
        return Centring(mean=int_array(self.mean * (1 << FRACTION_BITS)))
