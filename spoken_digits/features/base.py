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
