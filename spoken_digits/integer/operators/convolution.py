"""Convolution over frames and bands, followed by a ReLU; 1 x 1 ones too."""

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
)
from spoken_digits.integer.operators.rows import Rows, quantised_rows
from spoken_digits.integer.operators.window import Window


@dataclass(frozen=True, kw_only=True)
class Convolution(IntegerOperator):
    """``min(max((bias + W v) >> shift, 0), 255)`` for the values v in the window."""

    kind = "convolution"

    rows: Rows
    """A row for each output channel; columns run over (frame, band, channel), channel fastest.
    They share one exponent: with exponents of their own accuracy is the same."""
    window: Window

    def __post_init__(self) -> None:
        self.rows.check("convolution")
        if not self.rows.shared_shift:
            raise ValueError("convolution: its rows must share one shift")
        if self.rows.weight.shape[1] % (self.window.kernel[0] * self.window.kernel[1]):
            raise ValueError("convolution: weight and window do not fit each other")

    @property
    def n_in(self) -> int:
        """Input channels."""
        return int(self.rows.weight.shape[1]) // (self.window.kernel[0] * self.window.kernel[1])

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0].n_channels != self.n_in:
            raise ValueError(
                f"convolution: reads {self.n_in} channels, its input has {inputs[0].n_channels}"
            )
        return Shape(self.window.n_out(inputs[0].n_bands, 1), len(self.rows.bias))

    def n_frames(self, n_inputs: int) -> int:
        """As `IntegerOperator.n_frames`."""
        return self.window.n_out(n_inputs, 0)

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        accumulator = _products(self.window, inputs[0], self.rows.weight) + self.rows.bias
        shifted = round_shift(accumulator.astype(np.int32), self.rows.shift.astype(np.int32))
        return np.clip(shifted, 0, ACTIVATION_MAX).astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        columns = np.tile(inputs[0], self.window.kernel[0] * self.window.kernel[1])
        if (self.rows.bound(columns) >= 2**31).any():
            raise ValueError("convolution: an accumulator could leave int32")
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
    def from_arrays(cls, named: Arrays) -> Convolution:
        """As `IntegerOperator.from_arrays`."""
        return cls(rows=Rows.from_arrays(named), window=Window.from_arrays(named))


@dataclass(frozen=True, kw_only=True)
class FloatConvolution(FloatOperator):
    """``max(W v + bias, 0)``."""

    weight: Real
    """(n_out, n_columns), columns as in `Convolution`."""
    bias: Real
    """(n_out,)"""
    window: Window

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return np.maximum(_products(self.window, inputs[0], self.weight) + self.bias, 0.0)

    def quantised(self, scales: Scales) -> Convolution:
        """As `FloatOperator.quantised`."""
        factor = scales.output / scales.inputs[0]
        rows = quantised_rows(
            self.weight * factor, self.bias * scales.output, each=False, where="convolution"
        )
        return Convolution(rows=rows, window=self.window)


def _products(window: Window, x: NDArray[np.generic], weight: NDArray[np.generic]) -> Real:
    """W v at every position; float64 holds every integer below 2**53, so integers stay exact."""
    seen = np.moveaxis(window.seen(x), 3, 5)  # (n_clips, frames, bands, k frames, k bands, n_in)
    vectors = seen.reshape(*seen.shape[:3], -1).astype(np.float64)
    product: Real = vectors @ weight.T.astype(np.float64)
    return product
