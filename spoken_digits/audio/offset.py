"""Remove the constant offset (DC) that cheap sound cards add to a recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio.base import Waveform


def remove_offset(waveform: Waveform) -> NDArray[np.float64]:
    """`waveform` minus its mean, (n_samples,) in double precision."""
    samples = waveform.astype(np.float64)
    return np.asarray(samples - samples.mean())
