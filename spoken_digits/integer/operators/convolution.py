"""Convolution over frames and bands, followed by a ReLU; 1 x 1 ones too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.operators.base import Floats
from spoken_digits.integer.operators.window import Window
from spoken_digits.integer.operators.windowed import FloatWindowed, Windowed


@dataclass(frozen=True, kw_only=True)
class Convolution(Windowed):
    """``min(max((bias + W v) >> shift, 0), 255)`` for the values v in the window.

    Columns run over (frame, band, channel), channel fastest. Rows share one exponent: with
    exponents of their own accuracy is the same.
    """

    kind = "convolution"

    def __post_init__(self) -> None:
        self.rows.check(self.kind)
        if not self.rows.shared_shift:
            raise ValueError("convolution: its rows must share one shift")
        if self.rows.weight.shape[1] % self.window.size:
            raise ValueError("convolution: weight and window do not fit each other")

    @property
    def n_in(self) -> int:
        """Input channels."""
        return int(self.rows.weight.shape[1]) // self.window.size

    def columns(self, reach: NDArray[np.int64]) -> NDArray[np.int64]:
        """As `Windowed.columns`."""
        return np.tile(reach, self.window.size)

    @staticmethod
    def products(window: Window, x: Floats, weight: Floats) -> Floats:
        """As `Windowed.products`."""
        seen = np.moveaxis(window.seen(x), 3, 5)  # (n, frames, bands, k frames, k bands, n_in)
        product: Floats = seen.reshape(*seen.shape[:3], -1) @ weight.T
        return product


class FloatConvolution(FloatWindowed):
    """``max(W v + bias, 0)``."""

    integer = Convolution
    each = False
