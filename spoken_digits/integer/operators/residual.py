"""Sum of two tensors of one shape, each brought to the scale of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray, round_shift
from spoken_digits.integer.operators.base import (
    ACTIVATION_MAX,
    Arrays,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
    int_array,
)

SHIFT = 14
"""Fraction bits of the factors."""

_FACTOR_MAX = 2**16 - 1


@dataclass(frozen=True, kw_only=True)
class Sum(IntegerOperator):
    """``min((a factor[0] + b factor[1]) >> SHIFT, 255)`` of two tensors after a ReLU."""

    kind = "sum"
    n_inputs = 2
    any_length = True

    factor: NDArray[np.int64]
    """(2,), `SHIFT` fraction bits."""

    def __post_init__(self) -> None:
        if (
            self.factor.shape != (2,)
            or not ((self.factor >= 0) & (self.factor <= _FACTOR_MAX)).all()
        ):
            raise ValueError(f"sum: needs two factors from 0 to {_FACTOR_MAX}")

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0] != inputs[1]:
            raise ValueError(f"sum: its inputs differ, {inputs[0]} and {inputs[1]}")
        return inputs[0]

    def n_frames(self, n_inputs: int) -> int:
        """As many as it reads."""
        return n_inputs

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        first, second = (np.asarray(x, np.int32) for x in inputs)
        factor = self.factor.astype(np.int32)
        return np.minimum(
            round_shift(first * factor[0] + second * factor[1], SHIFT), ACTIVATION_MAX
        )

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """255 twice times a factor below 2**16, and half a step, is below 2**31."""
        if max(int(reach.max()) for reach in inputs) > ACTIVATION_MAX:
            raise ValueError("sum: its inputs are no results of a ReLU")
        return np.full(len(inputs[0]), ACTIVATION_MAX)

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """None: the factors are no weights."""
        return 0

    def n_bytes(self) -> int:
        """Two for each factor."""
        return 4

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return {"factor": self.factor.astype(np.int32)}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Sum:
        """As `IntegerOperator.from_arrays`."""
        return cls(factor=named["factor"].astype(np.int64))


@dataclass(frozen=True)
class FloatSum(FloatOperator):
    """``a + b``."""

    n_inputs = 2

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return inputs[0] + inputs[1]

    def quantised(self, scales: Scales) -> Sum:
        """As `FloatOperator.quantised`."""
        factor = np.array([scales.output / scale * 2**SHIFT for scale in scales.inputs])
        return Sum(factor=np.minimum(int_array(factor), _FACTOR_MAX))
