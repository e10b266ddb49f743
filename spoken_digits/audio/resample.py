"""Change the sample rate or the length of waveforms."""

from __future__ import annotations

import numpy as np
import soxr

from spoken_digits.audio.base import MAX_SAMPLES, Waveform
from spoken_digits.errors import UserError


def resample(waveform: Waveform, sample_rate: int, target_rate: int) -> Waveform:
    """`waveform` at another sample rate, (ceil(n * target / rate),), by soxr in high quality.

    Equals ``librosa.resample(..., res_type="soxr_hq")`` without its import time. The mean is
    removed before and added back after, so a constant offset does not ring at the clip's edges.

    Raises
    ------
    UserError
        The result would have more than `MAX_SAMPLES` samples.
    """
    if sample_rate == target_rate:
        return waveform
    n_samples = int(np.ceil(waveform.size * target_rate / sample_rate))
    if n_samples > MAX_SAMPLES:
        raise UserError(
            f"a recording of {waveform.size / sample_rate:.0f} s has {n_samples:,} samples at "
            f"{target_rate:,} Hz, at most {MAX_SAMPLES:,} are computed: cut it into clips"
        )
    offset = np.float32(waveform.mean(dtype=np.float64))
    centred = waveform - offset
    resampled = np.asarray(soxr.resample(centred, sample_rate, target_rate, quality="HQ"))
    return fix_length(resampled.astype(np.float32, copy=False), n_samples) + offset


def fix_length(waveform: Waveform, n_samples: int) -> Waveform:
    """`waveform` cut or padded with zeros at its end to (n_samples,)."""
    if waveform.size >= n_samples:
        return waveform[:n_samples]
    return np.pad(waveform, (0, n_samples - waveform.size))
