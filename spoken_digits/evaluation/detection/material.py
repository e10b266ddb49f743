"""What streams are made of: clips of the words, of other words, of phrases, of voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.corpora import other_speech
from spoken_digits.data.clips import ClipArchive, clip_sources
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.evaluation.detection import synthetic_speech
from spoken_digits.evaluation.distortion import Samples
from spoken_digits.evaluation.robustness import TestClips

Clips = list[tuple[int, Samples]]
"""Class number, -1 for none of the words, and samples."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """Sound for the streams of one role, at the model's rate."""

    words: Clips
    """Clips of the words."""
    other_words: Clips
    """Real words that are none of them; empty where the recordings are not in reach."""
    phrases: Clips
    """Real phrases without them; empty likewise."""
    synthetic: Clips
    """Synthetic words and sentences; empty where eSpeak NG is not installed."""

    @property
    def voices(self) -> list[Samples]:
        """Who may babble: people who say none of the words; machines where there are no people."""
        people = [*self.other_words, *self.phrases]
        return [samples for _, samples in people or self.synthetic]


def words_of(
    raw: Path,
    rows: NDArray[np.int64],
    labels: Sequence[str],
    n_most: int,
    sample_rate: int,
) -> Clips:
    """Some of the clips in some rows of the manifest, spread over labels and speakers."""
    table = read_manifest(raw / "manifest.csv")
    archive = ClipArchive(raw / "audio.zip")
    chosen = rows[TestClips(archive, table, rows).spread(n_most)]
    return _clips(archive, raw / "audio.zip", table.iloc[chosen], labels, sample_rate)


def others_of(store: Path, kind: str, labels: Sequence[str], sample_rate: int) -> Clips:
    """The recordings of one kind in a store of other speech; none where the store is empty.

    A recording whose label is one of the words is left out.
    """
    if not (store / "manifest.csv").exists():
        return []
    table = read_manifest(store / "manifest.csv")
    table = table[(table["kind"] == kind) & ~table["label"].isin(list(labels))]
    path = store / "audio.zip"
    return _clips(ClipArchive(path), path, table, (), sample_rate)


def gathered(
    words: Clips,
    store: Path,
    role: synthetic_speech.Role,
    labels: Sequence[str],
    *,
    synthetic_minutes: float,
    sample_rate: int,
    seed: int,
) -> Material:
    """All the sound of one role."""
    made = (
        synthetic_speech.other_speech(synthetic_minutes, role, sample_rate, seed)
        if synthetic_speech.is_there()
        else []
    )
    return Material(
        words=words,
        other_words=others_of(store, other_speech.WORD, labels, sample_rate),
        phrases=others_of(store, other_speech.PHRASE, labels, sample_rate),
        synthetic=[(-1, samples) for samples in made],
    )


def _clips(
    archive: ClipArchive, path: Path, table: pd.DataFrame, labels: Sequence[str], sample_rate: int
) -> Clips:
    numbers = {label: number for number, label in enumerate(labels)}
    waveforms = read_waveforms(archive, clip_sources(path, table), sample_rate)
    return [
        (numbers.get(str(label), -1), waveform.astype(np.float64))
        for label, waveform in zip(table["label"], waveforms, strict=True)
    ]
