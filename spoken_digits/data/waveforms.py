"""The recordings behind rows of a manifest, decoded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from spoken_digits import audio
from spoken_digits.data.clips import ClipArchive, ClipSource, clip_sources
from spoken_digits.errors import UserError


def read_waveforms(
    archive: ClipArchive, clips: Iterable[ClipSource], sample_rate: int
) -> list[audio.Waveform]:
    """The waveforms of some clips of one archive.

    Parameters
    ----------
    archive
        The archive that the clips name.
    clips
        Which clips.
    sample_rate
        Rate to resample to, Hz.

    Returns
    -------
    list
        (n_samples,) float32 in [-1, 1) for each clip.

    Raises
    ------
    UserError
        A clip is missing, damaged, or not the recording that the manifest lists.
    """
    waveforms = []
    for clip in clips:
        waveform, found = audio.decode(archive.read(clip.path, clip.sha256), clip.path)
        if (found.sample_rate, waveform.size) != (clip.sample_rate, clip.n_samples):
            raise UserError(
                f"{clip.path} has {waveform.size} samples at {found.sample_rate} Hz, manifest.csv "
                f"says {clip.n_samples} at {clip.sample_rate}: make it again with "
                "`dvc repro --force download`"
            )
        waveforms.append(audio.resample(waveform, found.sample_rate, sample_rate))
    return waveforms


def waveforms_of(archive: Path, table: pd.DataFrame, sample_rate: int) -> list[audio.Waveform]:
    """`read_waveforms` of rows of a manifest whose recordings lie in `archive`."""
    return read_waveforms(ClipArchive(archive), clip_sources(archive, table), sample_rate)


def spread_evenly(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """At most `n` rows of a manifest, from the first to the last at equal distances."""
    if n >= len(table):
        return table
    return table.iloc[np.linspace(0, len(table) - 1, n).round().astype(int)]
