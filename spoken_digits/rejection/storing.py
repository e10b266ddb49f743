"""Stores of clips that are none of the words, one for each subset, in the form of data/raw/."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spoken_digits import audio
from spoken_digits.corpora import CorpusParams, folder
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data import manifest
from spoken_digits.data.clips import Clip, ClipArchive, clip_sources
from spoken_digits.data.provenance import read_provenance
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.errors import warn
from spoken_digits.io import files
from spoken_digits.rejection import making
from spoken_digits.rejection.labels import NOT_WORDS, UNKNOWN
from spoken_digits.rejection.noises import Samples

ONE_SPEAKER_IN = 4
"""Of the speakers of real other words, the first in so many validates."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What clips that are none of the words are made of."""

    raw: Path
    """Folder with the corpus: audio.zip, manifest.csv, provenance.json."""
    real: Path
    """Store of real other words to train on, or an empty folder."""
    params: CorpusParams
    sample_rate: int
    """Of the clips made, Hz."""
    seed: int


class _Waveforms(Sequence[audio.Waveform]):
    """Clips of a manifest, each decoded when it is asked for: few of a large corpus are."""

    def __init__(self, path: Path, table: pd.DataFrame, sample_rate: int) -> None:
        self._archive, self._sample_rate = ClipArchive(path), sample_rate
        self._sources = clip_sources(path, table)

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, position: Any) -> Any:
        return read_waveforms(self._archive, [self._sources[position]], self._sample_rate)[0]


def write_rejects(store: Path, subset: str, rows: list[int], source: Source) -> pd.DataFrame:
    """Write the store of one subset.

    Parameters
    ----------
    store
        The folder, made anew.
    subset
        train, val or test.
    rows
        Rows of the corpus's manifest that are in it: no other clip of the corpus is used.
    source
        See `Source`.

    Returns
    -------
    DataFrame
        The manifest; `repeat` is how often an epoch a clip is heard.

    Raises
    ------
    UserError
        The corpus is damaged, a recording of noise cannot be read, or eSpeak NG fails.
    """
    table = manifest.read_manifest(source.raw / "manifest.csv")
    provenance = read_provenance(source.raw / "provenance.json", table)
    rejection = source.params.rejection
    made = making.clips(
        rejection,
        subset,
        _words(table.iloc[rows], source),
        _own_noises(source),
        sorted(set(table["label"])),
        source.seed,
    )
    clips = sorted([*made, *_real_words(subset, source.real)], key=lambda clip: clip.path)
    with files.replacing(store) as temporary:
        temporary.mkdir(parents=True)
        found, _ = write_corpus(_corpus(subset, clips, provenance), temporary)
        is_real = [making.kind_of(name) == making.REAL for name in found["utterance"]]
        found["repeat"] = np.where(is_real, rejection.repeat_real, 1)
        manifest.write_manifest(temporary / "manifest.csv", found)
    return found


def _words(table: pd.DataFrame, source: Source) -> making.Words:
    """The words among some clips."""
    table = table[~table["label"].isin(NOT_WORDS)]
    return making.Words(
        waveforms=_Waveforms(source.raw / "audio.zip", table, source.sample_rate),
        labels=table["label"].to_numpy(str),
        speakers=table["speaker"].to_numpy(str),
        sample_rate=source.sample_rate,
    )


def _own_noises(source: Source) -> list[Samples]:
    """What the user recorded as noise; none of another corpus."""
    if source.params.name != "folder":
        return []
    noises = []
    for file in folder.noise_files(Path(source.params.path)):
        waveform, found = audio.read(file)
        resampled = audio.resample(waveform, found.sample_rate, source.sample_rate)
        noises.append(resampled.astype(np.float64))
    return noises


def _real_words(subset: str, real: Path) -> Iterator[Clip]:
    """Real words of other people: of some speakers for train, of the others for val."""
    if not (real / "provenance.json").is_file():
        if subset == "train":
            warn(f"{real} is empty: made without real words that are none of the corpus's")
        return
    table = manifest.read_manifest(real / "manifest.csv")
    archive = ClipArchive(real / "audio.zip")
    validating = set(sorted(set(table["speaker"]))[::ONE_SPEAKER_IN])
    for number, row in enumerate(table.itertuples()):
        if ("val" if row.speaker in validating else "train") == subset:
            name = f"{making.REAL}-{subset}-{number:05}"
            yield Clip(
                utterance=name,
                path=f"{name}.wav",
                label=UNKNOWN,
                speaker=str(row.speaker),
                take=number,
                wav=archive.read(str(row.path), str(row.sha256)),
            )


def _corpus(subset: str, clips: Sequence[Clip], provenance: dict[str, Any]) -> Corpus:
    return Corpus(
        name="rejects",
        title=f"What is none of the words of {provenance['corpus']}",
        version=str(provenance["version"]),
        role=subset,
        source=f"made of {provenance['corpus']}, of other speech, and by machines",
        licence=str(provenance["licence"]),
        synthetic=bool(provenance["synthetic"]),
        n_clips=len(clips),
        clips=iter(clips),
        audio_format=None,
    )
