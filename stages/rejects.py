"""Stage `rejects`: clips that are none of the words, for each subset out of its own clips alone.

Reads   data/raw/, data/split.csv, data/other_speech/train/, params.yaml: seed,
        corpus.rejection, features.sample_rate; of own recordings, the folder _noise_ in corpus.path
Writes  data/rejects/train/, data/rejects/val/, data/rejects/test/: each with audio.zip,
        manifest.csv and provenance.json as in data/raw/; column `repeat` is how often an epoch a
        clip is heard
Run     python stages/rejects.py

Real other words go to train and val, by their speakers; what real other speech is tested on lies in
data/other_speech/test/, which this stage does not read. Without data/other_speech/train/ there are
no real words, and it says so.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spoken_digits import audio, errors
from spoken_digits.config import read_config
from spoken_digits.corpora import CorpusParams, folder
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data import manifest
from spoken_digits.data.clips import Clip, ClipArchive, clip_sources
from spoken_digits.data.provenance import read_provenance
from spoken_digits.data.subsets import SUBSETS, read_split
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.io import files
from spoken_digits.rejection import making
from spoken_digits.rejection.labels import NOT_WORDS, UNKNOWN
from spoken_digits.rejection.noises import Samples

DATA = Path("data")
RAW = DATA / "raw"
REAL = DATA / "other_speech" / "train"
STORES = DATA / "rejects"
ONE_SPEAKER_IN = 4
"""Of the speakers of real other words, the first in so many validates."""


def main() -> None:
    config = read_config(Path("params.yaml"))
    params = config.section("corpus", CorpusParams)
    seed = config.value("seed", int)
    rate = config.value("features.sample_rate", int)
    table = manifest.read_manifest(RAW / "manifest.csv")
    provenance = read_provenance(RAW / "provenance.json", table)
    rows = read_split(DATA / "split.csv", table)
    noises = own_noises(params, rate)
    for subset in SUBSETS:
        spoken = table.iloc[rows[subset]]
        words = words_of(spoken[~spoken["label"].isin(NOT_WORDS)], rate)
        made = making.clips(
            params.rejection, subset, words, noises, sorted(set(table["label"])), seed
        )
        clips = sorted([*made, *real_words(subset)], key=lambda clip: clip.path)
        with files.replacing(STORES / subset) as store:
            store.mkdir()
            found, _ = write_corpus(corpus(subset, clips, provenance), store)
            is_real = [making.kind_of(name) == making.REAL for name in found["utterance"]]
            found["repeat"] = np.where(is_real, params.rejection.repeat_real, 1)
            manifest.write_manifest(store / "manifest.csv", found)
        print(f"{STORES / subset}: {len(found)} clips, {sum(is_real)} of them real other words")


def words_of(table: pd.DataFrame, rate: int) -> making.Words:
    """The words of one subset, decoded."""
    archive = ClipArchive(RAW / "audio.zip")
    sources = clip_sources(RAW / "audio.zip", table)
    return making.Words(
        waveforms=read_waveforms(archive, sources, rate),
        labels=table["label"].to_numpy(str),
        speakers=table["speaker"].to_numpy(str),
        sample_rate=rate,
    )


def own_noises(params: CorpusParams, rate: int) -> list[Samples]:
    """What the user recorded as noise; none of another corpus."""
    if params.name != "folder":
        return []
    noises = []
    for file in folder.noise_files(Path(params.path)):
        waveform, found = audio.read(file)
        noises.append(np.asarray(audio.resample(waveform, found.sample_rate, rate), np.float64))
    return noises


def real_words(subset: str) -> Iterator[Clip]:
    """Real words of other people: some speakers for train, the others for val."""
    if not (REAL / "provenance.json").is_file():
        if subset == "train":
            errors.warn(f"{REAL} is empty: made without real words that are none of the corpus's")
        return
    table = manifest.read_manifest(REAL / "manifest.csv")
    archive = ClipArchive(REAL / "audio.zip")
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


def corpus(subset: str, clips: Sequence[Clip], provenance: dict[str, object]) -> Corpus:
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


if __name__ == "__main__":
    errors.run(main)
