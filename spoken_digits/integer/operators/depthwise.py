"""Depthwise convolution: every channel has a window of its own; followed by a ReLU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.operators.base import Floats
from spoken_digits.integer.operators.window import Window
from spoken_digits.integer.operators.windowed import FloatWindowed, Windowed


@dataclass(frozen=True, kw_only=True)
class Depthwise(Windowed):
    """``min(max((bias + w v) >> shift, 0), 255)`` for the values v of a channel in the window.

    Columns run over (frame, band).
    """

    kind = "depthwise"

    def __post_init__(self) -> None:
        self.rows.check(self.kind)
        if self.rows.weight.shape[1] != self.window.size:
            raise ValueError("depthwise: weight and window do not fit each other")

    @property
    def n_in(self) -> int:
        """Input channels."""
        return len(self.rows.bias)

    def columns(self, reach: NDArray[np.int64]) -> NDArray[np.int64]:
        """As `Windowed.columns`; any channel may reach as far as the widest."""
        return np.full(self.window.size, reach.max())

    @staticmethod
    def products(window: Window, x: Floats, weight: Floats) -> Floats:
        """As `Windowed.products`."""
        seen, taps = window.seen(x), weight.reshape(-1, *window.kernel)
        total: Floats = seen[..., 0, 0] * taps[:, 0, 0]
        for tap in list(np.ndindex(window.kernel))[1:]:
            total += seen[(..., *tap)] * taps[(slice(None), *tap)]
        return total


class FloatDepthwise(FloatWindowed):
    """``max(w v + bias, 0)`` of each channel."""

    integer = Depthwise
    each = True
