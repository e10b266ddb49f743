"""Mean of every channel over the frames of a clip, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators.base import (
    Arrays,
    Counts,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)

MAX_VALUE = 2**12 - 1
"""Largest absolute value of its input."""

MAX_FRAMES = 2**16 - 1
"""Most frames of a clip: twice a sum of values lifted to be positive fits uint32."""


@dataclass(frozen=True)
class Mean(IntegerOperator):
    """``(2 sum + n) // (2 n)``: int16, once a clip; 0 where there is no frame."""

    kind = "mean"
    any_length = True

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0].n_bands != 1:
            raise ValueError(f"mean: its input has {inputs[0].n_bands} bands, must have 1")
        return inputs[0]

    def n_frames(self, n_inputs: int) -> int:
        """One."""
        return 1

    def check(self, inputs: Sequence[Shape], n_frames: int) -> None:
        """As `IntegerOperator.check`."""
        if n_frames > MAX_FRAMES:
            raise ValueError(f"mean: {n_frames} frames, at most {MAX_FRAMES}")

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        x = inputs[0]
        return self.run_valid(inputs, np.full(len(x), x.shape[1]))

    def run_valid(self, inputs: Sequence[IntArray], n_frames: Counts) -> IntArray:
        """As `IntegerOperator.run_valid`."""
        x = np.asarray(inputs[0], np.int64)
        total = (x * _valid(x, n_frames)).sum(axis=1, keepdims=True)  # (n_clips, 1, 1, channels)
        n = np.maximum(n_frames, 1).astype(np.int64)[:, None, None, None]
        mean: IntArray = ((2 * total + n) // (2 * n)).astype(np.int32)
        return mean

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        if int(inputs[0].max()) > MAX_VALUE:
            raise ValueError(f"mean: its input can leave +-{MAX_VALUE}")
        return inputs[0]

    def output_scale(self, scale: float) -> float:
        """As `IntegerOperator.output_scale`."""
        return scale

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """None."""
        return 0

    def n_bytes(self) -> int:
        """None."""
        return 0

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """None."""
        return {}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Mean:
        """As `IntegerOperator.from_arrays`."""
        return cls()


@dataclass(frozen=True)
class FloatMean(FloatOperator):
    """Mean over the frames."""

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        x = inputs[0]
        return self.run_valid(inputs, np.full(len(x), x.shape[1]))

    def run_valid(self, inputs: Sequence[Real], n_frames: Counts) -> Real:
        """As `IntegerOperator.run_valid`."""
        x = inputs[0]
        count = np.maximum(n_frames, 1)[:, None, None, None]
        mean: Real = (x * _valid(x, n_frames)).sum(axis=1, keepdims=True) / count
        return mean

    def scale(self, output: Real) -> None:
        """That of its input."""
        return

    def quantised(self, scales: Scales) -> Mean:
        """As `FloatOperator.quantised`."""
        return Mean()


def _valid(x: NDArray[np.generic], n_frames: Counts) -> NDArray[np.bool_]:
    """(n_clips, frames, 1, 1) whether a frame counts."""
    valid: NDArray[np.bool_] = np.arange(x.shape[1]) < np.asarray(n_frames)[:, None]
    return valid[..., None, None]
