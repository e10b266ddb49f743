"""Depthwise convolution: every channel has a window of its own; followed by a ReLU."""

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
class Depthwise(IntegerOperator):
    """``min(max((bias + w v) >> shift, 0), 255)`` for the values v of a channel in the window."""

    kind = "depthwise"

    rows: Rows
    """A row for each channel; columns run over (frame, band)."""
    window: Window

    def __post_init__(self) -> None:
        self.rows.check("depthwise")
        if self.rows.weight.shape[1] != self.window.kernel[0] * self.window.kernel[1]:
            raise ValueError("depthwise: weight and window do not fit each other")

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0].n_channels != len(self.rows.bias):
            raise ValueError(
                f"depthwise: has {len(self.rows.bias)} channels, its input {inputs[0].n_channels}"
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
        """As `IntegerOperator.reach`; any channel may reach as far as the widest."""
        columns = np.full(self.rows.weight.shape[1], inputs[0].max())
        if (self.rows.bound(columns) >= 2**31).any():
            raise ValueError("depthwise: an accumulator could leave int32")
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
    def from_arrays(cls, named: Arrays) -> Depthwise:
        """As `IntegerOperator.from_arrays`."""
        return cls(rows=Rows.from_arrays(named), window=Window.from_arrays(named))


@dataclass(frozen=True, kw_only=True)
class FloatDepthwise(FloatOperator):
    """``max(w v + bias, 0)`` of each channel."""

    weight: Real
    """(n_channels, kernel frames * kernel bands)"""
    bias: Real
    """(n_channels,)"""
    window: Window

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return np.maximum(_products(self.window, inputs[0], self.weight) + self.bias, 0.0)

    def quantised(self, scales: Scales) -> Depthwise:
        """As `FloatOperator.quantised`."""
        factor = scales.output / scales.inputs[0]
        rows = quantised_rows(
            self.weight * factor, self.bias * scales.output, each=True, where="depthwise"
        )
        return Depthwise(rows=rows, window=self.window)


def _products(window: Window, x: NDArray[np.generic], weight: NDArray[np.generic]) -> Real:
    """Products of every channel at every position, exact for integers."""
    seen = window.seen(x.astype(np.float64))
    total: Real = np.einsum(
        "ntfcij,cij->ntfc", seen, weight.astype(np.float64).reshape(-1, *window.kernel)
    )
    return total
