"""Count the clips that an extractor cuts, and find the length that would hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.features.base import Extractor

if TYPE_CHECKING:
    import pandas as pd

_ENOUGH = 0.99
"""Share of clips that must fit completely; at or above it, there is no warning."""


def warning_of_cut_clips(extractor: Extractor, manifest: pd.DataFrame) -> str | None:
    """One line if more than 1 % of the clips are cut, with the key to raise; else None.

    Parameters
    ----------
    extractor
        Its `heard_samples` is the number of samples used from a clip.
    manifest
        Columns `n_samples` and `sample_rate` (Hz), one row a clip.
    """
    lengths = _resampled_lengths(manifest, extractor.sample_rate)
    wanted = int(np.quantile(lengths, _ENOUGH, method="inverted_cdf"))
    if wanted <= extractor.heard_samples:
        return None
    n_cut = int((lengths > extractor.heard_samples).sum())
    return (
        f"{extractor.kind}: {n_cut} of {len(lengths)} clips are longer than the "
        f"{heard_s(extractor):.2f} s that are heard; "
        f"`{extractor.length_key}: {extractor.length_for(wanted)}` would hold {_ENOUGH:.0%}"
    )


def heard_s(extractor: Extractor) -> float:
    """Seconds of a clip that the features cover."""
    return extractor.heard_samples / extractor.sample_rate


def heard_part(extractor: Extractor, waveform: Waveform, sample_rate: int) -> tuple[float, float]:
    """Where the stretch that the features cover begins and ends, seconds from the clip's start."""
    clip = audio.resample(waveform, sample_rate, extractor.sample_rate)
    start_s = extractor.first_heard(clip) / extractor.sample_rate
    return start_s, start_s + heard_s(extractor)


def _resampled_lengths(manifest: pd.DataFrame, target_rate: int) -> NDArray[np.int64]:
    """Samples of each clip, (n_clips,), at the extractor's rate, as `audio.resample` rounds."""
    samples = manifest["n_samples"].to_numpy(np.int64)
    rates = manifest["sample_rate"].to_numpy(np.int64)
    return np.asarray(-(-samples * target_rate // rates))
