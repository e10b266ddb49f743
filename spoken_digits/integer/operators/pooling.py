"""Maximum and mean of every channel over all bands and frames of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators.base import (
    ACTIVATION_MAX,
    Arrays,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)

FRACTION_BITS = 6
"""Of the results, in steps of the input: a mean is finer than its terms."""

MAX_VALUES = 2**14
"""Most values of a channel in a clip: their sum, doubled and with its fraction bits, fits uint32
with room to spare."""


@dataclass(frozen=True)
class Pooling(IntegerOperator):
    """``max << 6`` of each channel, then ``(2 (sum << 6) + n) // (2 n)``: int16, once a clip."""

    kind = "pooling"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        return Shape(1, 2 * inputs[0].n_channels)

    def n_frames(self, n_inputs: int) -> int:
        """One."""
        return 1

    def check(self, inputs: Sequence[Shape], n_frames: int) -> None:
        """As `IntegerOperator.check`."""
        n = n_frames * inputs[0].n_bands
        if n > MAX_VALUES:
            raise ValueError(f"pooling: {n} values of a channel, at most {MAX_VALUES}")

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        x = np.asarray(inputs[0], np.int64)
        n = x.shape[1] * x.shape[2]
        most = x.max(axis=(1, 2)) << FRACTION_BITS
        mean = (2 * (x.sum(axis=(1, 2)) << FRACTION_BITS) + n) // (2 * n)
        return np.concatenate([most, mean], axis=1)[:, None, None].astype(np.int32)

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        if int(inputs[0].max()) > ACTIVATION_MAX:
            raise ValueError("pooling: its input is no result of a ReLU")
        return np.tile(inputs[0] << FRACTION_BITS, 2)

    def output_scale(self, scale: float) -> float:
        """As `IntegerOperator.output_scale`."""
        return scale * (1 << FRACTION_BITS)

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
    def from_arrays(cls, named: Arrays) -> Pooling:
        """As `IntegerOperator.from_arrays`."""
        return cls()


@dataclass(frozen=True)
class FloatPooling(FloatOperator):
    """Maxima, then means."""

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        x = inputs[0]
        pooled = np.concatenate([x.max(axis=(1, 2)), x.mean(axis=(1, 2))], axis=1)
        return pooled[:, None, None]

    def scale(self, output: Real) -> None:
        """That of its input, with `FRACTION_BITS` more."""
        return

    def quantised(self, scales: Scales) -> Pooling:
        """As `FloatOperator.quantised`."""
        return Pooling()
