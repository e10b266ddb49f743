"""The linear layer that gives the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.operators.base import (
    Arrays,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)
from spoken_digits.integer.operators.rows import FloatRows, Rows, quantised_rows


@dataclass(frozen=True, kw_only=True)
class Linear(IntegerOperator):
    """``bias + W v``: int32 logits, once a clip. All rows share an exponent, and so a grid."""

    kind = "linear"
    any_length = True

    rows: Rows
    """A row for each class."""

    def __post_init__(self) -> None:
        self.rows.check("linear")
        if not self.rows.shared_shift:
            raise ValueError("linear: its rows must share one shift")

    @property
    def code(self) -> Scheme:
        """As `IntegerOperator.code`."""
        return self.rows.code

    @property
    def shift(self) -> int:
        """Fraction bits of the weights."""
        return int(self.rows.shift[0])

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0].size != self.rows.weight.shape[1]:
            raise ValueError(
                f"linear: reads {self.rows.weight.shape[1]} values, its input has {inputs[0].size}"
            )
        return Shape(1, len(self.rows.bias))

    def n_frames(self, n_inputs: int) -> int:
        """As many as it reads."""
        return n_inputs

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        vectors = inputs[0].reshape(*inputs[0].shape[:2], 1, -1).astype(np.float64)
        products = vectors @ self.rows.weight.T.astype(np.float64)
        return (products + self.rows.bias).astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        bound = self.rows.bound(inputs[0])
        if (bound >= 2**31).any():
            raise ValueError("linear: an accumulator could leave int32")
        return bound

    def output_scale(self, scale: float) -> float:
        """As `IntegerOperator.output_scale`."""
        return scale * 2.0**self.shift

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """As `IntegerOperator.multiply_accumulates`."""
        return self.rows.weight.size

    def n_bytes(self) -> int:
        """Weights, int32 biases and one shift."""
        return self.rows.n_bytes()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return self.rows.arrays()

    @classmethod
    def from_arrays(cls, named: Arrays) -> Linear:
        """As `IntegerOperator.from_arrays`."""
        return cls(rows=Rows.from_arrays(named))


@dataclass(frozen=True, kw_only=True)
class FloatLinear(FloatRows):
    """``W v + bias``: a row for each class."""

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        x = inputs[0].reshape(*inputs[0].shape[:2], 1, -1)
        return x @ self.weight.T + self.bias

    def scale(self, output: Real) -> None:
        """That of its input, times that of the weights."""
        return

    def quantised(self, scales: Scales) -> Linear:
        """Logits keep the scale of the input; their weights share one exponent."""
        return Linear(
            rows=quantised_rows(
                self.weight,
                self.bias * scales.inputs[0],
                each=False,
                where="linear",
                code=scales.code,
            )
        )
