"""Shift: features to the fixed point of an LSTM, each by a power of two of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS
from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators.base import (
    Arrays,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)

MAX_SHIFT = 8
"""An int8 feature shifted by more would leave int16."""


@dataclass(frozen=True, kw_only=True)
class Shift(IntegerOperator):
    """``x << shift``: int8 features to int16; their bands become channels."""

    kind = "shift"
    any_length = True

    shift: NDArray[np.int64]
    """(n_bands,), range [0, 8]."""

    def __post_init__(self) -> None:
        if self.shift.ndim != 1 or not ((self.shift >= 0) & (self.shift <= MAX_SHIFT)).all():
            raise ValueError(f"shift: an input shift is out of range, must be 0 to {MAX_SHIFT}")

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0] != Shape(len(self.shift), 1):
            raise ValueError(f"shift: {len(self.shift)} shifts for {inputs[0].n_bands} bands")
        return Shape(1, len(self.shift))

    def n_frames(self, n_inputs: int) -> int:
        """As many as it reads."""
        return n_inputs

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        bands = inputs[0].astype(np.int32).transpose(0, 1, 3, 2)
        return bands << self.shift.astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        return inputs[0] << self.shift

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """None."""
        return 0

    def n_bytes(self) -> int:
        """One for each shift."""
        return len(self.shift)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return {"shift": self.shift.astype(np.uint8)}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Shift:
        """As `IntegerOperator.from_arrays`."""
        return cls(shift=named["shift"].astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class FloatShift(FloatOperator):
    """``x 2^(shift - ACTIVATION_BITS)``: features in steps to a deviation near 1."""

    shift: NDArray[np.int64]
    """(n_bands,), range [0, 8]."""

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return inputs[0].transpose(0, 1, 3, 2) * 2.0 ** (self.shift - ACTIVATION_BITS)

    def scale(self, output: Real) -> float:
        """That of what an LSTM reads, whatever the clips."""
        return 2.0**ACTIVATION_BITS

    def quantised(self, scales: Scales) -> Shift:
        """As `FloatOperator.quantised`."""
        return Shift(shift=self.shift)
