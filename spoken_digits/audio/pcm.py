"""Waveforms as the device's samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio.base import Waveform

FULL_SCALE = 32768


def to_pcm(waveform: Waveform) -> NDArray[np.int16]:
    """The int16 samples of a waveform (n_samples,) in [-1, 1)."""
    scaled = np.round(waveform.astype(np.float64) * FULL_SCALE)
    clipped: NDArray[np.int16] = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clipped
