"""What operators share that slide a window along frames and bands and end in a ReLU."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray, round_shift
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.operators.base import (
    ACTIVATION_MAX,
    Arrays,
    Floats,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)
from spoken_digits.integer.operators.rows import FloatRows, Rows, quantised_rows
from spoken_digits.integer.operators.window import Window


@dataclass(frozen=True, kw_only=True)
class Windowed(IntegerOperator):
    """``min(max((bias + products) >> shift, 0), 255)`` at every position of the window."""

    rows: Rows
    """A row for each output channel."""
    window: Window

    @staticmethod
    @abc.abstractmethod
    def products(window: Window, x: Floats, weight: Floats) -> Floats:
        """Weights times what the window sees, (n_clips, frames, bands, n_out).

        Both are float32 or both float64, and so is the result.
        """

    @abc.abstractmethod
    def columns(self, reach: NDArray[np.int64]) -> NDArray[np.int64]:
        """Largest absolute value in each column of the rows, from those of the input channels."""

    def n_frames(self, n_inputs: int) -> int:
        """As `IntegerOperator.n_frames`."""
        return self.window.n_out(n_inputs, 0)

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0].n_channels != self.n_in:
            raise ValueError(
                f"{self.kind}: reads {self.n_in} channels, its input has {inputs[0].n_channels}"
            )
        return Shape(self.window.n_out(inputs[0].n_bands, 1), len(self.rows.bias))

    @property
    def code(self) -> Scheme:
        """As `IntegerOperator.code`."""
        return self.rows.code

    @property
    @abc.abstractmethod
    def n_in(self) -> int:
        """Input channels."""

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        x, weight = inputs[0], self.rows.weight
        real = _exact_real(_largest(x) * _largest(weight) * weight.shape[1])
        products = self.products(self.window, x.astype(real), weight.astype(real))
        accumulator = products.astype(np.int32) + self.rows.bias.astype(np.int32)
        shifted = round_shift(accumulator, self.rows.shift.astype(np.int32))
        return np.clip(shifted, 0, ACTIVATION_MAX).astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        if (self.rows.bound(self.columns(inputs[0])) >= 2**31).any():
            raise ValueError(f"{self.kind}: an accumulator could leave int32")
        return np.full(len(self.rows.bias), ACTIVATION_MAX)

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """As `IntegerOperator.multiply_accumulates`."""
        positions = self.n_frames(n_frames) * self.window.n_out(inputs[0].n_bands, 1)
        return self.rows.weight.size * positions

    def n_bytes(self) -> int:
        """As `IntegerOperator.n_bytes`."""
        return self.rows.n_bytes()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return {**self.rows.arrays(), **self.window.arrays()}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Windowed:
        """As `IntegerOperator.from_arrays`."""
        return cls(rows=Rows.from_arrays(named), window=Window.from_arrays(named))


def _largest(x: IntArray) -> int:
    """The largest absolute value."""
    return max(-int(x.min()), int(x.max())) if x.size else 0


def _exact_real(sum_: int) -> type[np.floating]:
    """The smallest type that holds every integer up to a sum, and so computes it exactly."""
    return np.float32 if sum_ < 2**24 else np.float64


@dataclass(frozen=True, kw_only=True)
class FloatWindowed(FloatRows):
    """``max(products + bias, 0)`` at every position of the window.

    A row for each output channel, columns as in `integer`.
    """

    integer: ClassVar[type[Windowed]]
    """The same in integers."""
    each: ClassVar[bool]
    """Whether each row gets an exponent of its own."""

    window: Window

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        products = self.integer.products(self.window, inputs[0], self.weight)
        return np.maximum(products + self.bias, 0.0)

    def quantised(self, scales: Scales) -> Windowed:
        """As `FloatOperator.quantised`."""
        weight = self.weight * (scales.output / scales.inputs[0])
        bias = self.bias * scales.output
        rows = quantised_rows(
            weight, bias, each=self.each, where=self.integer.kind, code=scales.code
        )
        return self.integer(rows=rows, window=self.window)
