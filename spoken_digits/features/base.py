"""What every kind of features offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.data.store import Features


class Extractor(Protocol):
    """Waveforms to features of one kind."""

    kind: str
    sample_rate: int
    """Rate of the waveforms it takes, Hz."""
    shape: tuple[int, int]
    """(n_frames, n_coefficients) of one clip."""
    dtype: np.dtype[Any]
    """Number type of the features."""

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features (n_clips, n_frames, n_coefficients) and valid frames (n_clips,)."""
        ...

    def describe(self) -> dict[str, Any]:
        """Everything needed to make the same extractor again."""
        ...


def check_overlap(n_fft: int, hop_length: int) -> None:
    """Refuse frames that overlap so much that a few clips fill the memory.

    Raises
    ------
    ValueError
        A hop of less than a 64th of the window.
    """
    least = -(-n_fft // 64)
    if hop_length < least:
        raise ValueError(
            f"hop_length` is {hop_length}, must be at least a 64th of n_fft, {least:,} or more"
        )
