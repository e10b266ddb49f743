"""Speakers from outside the corpus: added to the training clips, or tested on.

Each store holds the clips of one role in the form of data/raw/. A function here takes the store of
its own role only, so that no clip to test on can enter a training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.data import manifest
from spoken_digits.data.clips import ClipArchive, ClipSource, clip_sources
from spoken_digits.data.loading import Dataset
from spoken_digits.data.provenance import read_provenance
from spoken_digits.data.store import Features
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

if TYPE_CHECKING:
    from spoken_digits.features.base import Extractor

_SPOKEN = "spoken"  # the folder of synthesised voices
_BLOCK_CLIPS = 64


@dataclass(frozen=True, kw_only=True)
class _Store:
    """The clips of one role."""

    table: pd.DataFrame
    clips: list[ClipSource]
    fingerprint: str


def is_there(folder: Path) -> bool:
    """Whether the stage had its archive in reach when it made this store."""
    return (folder / "provenance.json").is_file()


def made_by(folder: Path, option: str = "") -> str:
    """The command that makes a store."""
    if folder.name == _SPOKEN:
        return f"dvc repro {option}studies/dvc.yaml:spoken_voices"
    return f"dvc repro {option}studies/dvc.yaml:voices"


def _needed(folder: Path) -> str:
    if folder.name == _SPOKEN:
        return "the archive kokoro-js-1.2.1.tgz or npm, or train without synthesised voices"
    return "the archive extra-voices-1.tar.gz, or set corpus.extra_voices to false"


def with_voices(dataset: Dataset, folder: Path, extractor: Extractor, fingerprint: str) -> Dataset:
    """The dataset with further voices among its train clips.

    Parameters
    ----------
    dataset
        From `load_dataset`; its features come to lie in memory.
    folder
        Store of clips whose role is to be trained on.
    extractor
        The extractor that the dataset's features come from.
    fingerprint
        Of the clips that are meant.

    Raises
    ------
    UserError
        The store is missing, damaged, of another role, or says words that the corpus lacks.
    """
    store = _read(folder, "train", fingerprint)
    _refuse_shared_clips(store, dataset, folder)
    grown, added = _grown(dataset, store, extractor)
    train = np.concatenate([dataset.rows["train"], added])
    return dataclasses.replace(grown, rows={**dataset.rows, "train": train})


def with_strangers(
    dataset: Dataset, folder: Path, extractor: Extractor, fingerprint: str
) -> Dataset:
    """The dataset with strangers, and nobody else, as its test clips.

    Train and validation clips stay as they are, so that what is fitted on them, such as the ranges
    of an integer network, has met no stranger. Parameters are those of `with_voices`.

    Raises
    ------
    UserError
        The store is missing, damaged, of another role, or says words that the corpus lacks; a
        speaker of it is in the dataset.
    """
    store = _read(folder, "strangers", fingerprint)
    _refuse_shared_clips(store, dataset, folder)
    known = sorted(set(store.table["speaker"]) & set(dataset.speakers))
    if known:
        raise UserError(f"{folder}: {known[0]} is a speaker of the corpus too, so no stranger")
    grown, added = _grown(dataset, store, extractor)
    return dataclasses.replace(grown, rows={**dataset.rows, "test": added})


def _read(folder: Path, role: str, fingerprint: str) -> _Store:
    """The store in `folder`, held to its role and content."""
    again = made_by(folder, "--force ")
    if not is_there(folder):
        raise UserError(
            f"{folder} holds no extra voices: make it with `{made_by(folder)}`, which needs "
            f"{_needed(folder)}"
        )
    with _made_by(folder):
        table = manifest.read_manifest(folder / "manifest.csv")
        provenance = read_provenance(folder / "provenance.json", table)
    found = provenance.get("role")
    if found != role:
        raise UserError(
            f"{folder} holds clips whose role is {found!r}, must be {role!r}: "
            f"make it again with `{again}`"
        )
    if provenance["fingerprint"] != fingerprint:
        raise UserError(
            f"{folder} holds other clips than those meant (fingerprint "
            f"{provenance['fingerprint'][:12]}..., must be {fingerprint[:12]}...): "
            f"make it again with `{again}`, and the plans with `dvc repro plan`"
        )
    clips = clip_sources(folder / "audio.zip", table)
    return _Store(table=table, clips=clips, fingerprint=fingerprint)


def _refuse_shared_clips(store: _Store, dataset: Dataset, folder: Path) -> None:
    """Refuse a clip that is in the corpus too: it could be on both sides of a split."""
    known = {clip.sha256: clip.path for clip in dataset.clips}
    for clip in store.clips:
        if clip.sha256 in known:
            raise UserError(
                f"{folder}: {clip.path} is the same recording as {known[clip.sha256]} of the "
                "corpus: take it out of one of them"
            )


def _grown(
    dataset: Dataset, store: _Store, extractor: Extractor
) -> tuple[Dataset, NDArray[np.int64]]:
    """The dataset with the clips of a store behind its own, and their rows."""
    y = _classes(store.table["label"].tolist(), dataset.labels)
    x, n_frames = _extract(store.clips, extractor)
    whole = dataset.whole
    n_own, n_all = len(whole.y), len(whole.y) + len(y)
    grown = dataclasses.replace(
        dataset,
        whole=dataclasses.replace(
            whole,
            x=np.concatenate([whole.x, x.astype(whole.x.dtype)]),
            n_frames=np.concatenate([whole.n_frames, n_frames]),
            y=np.concatenate([whole.y, y]),
            rows=np.arange(n_all),
        ),
        utterances=[*dataset.utterances, *store.table["utterance"]],
        speakers=[*dataset.speakers, *store.table["speaker"]],
        clips=[*dataset.clips, *store.clips],
        features_fingerprint=sha256(f"{dataset.features_fingerprint} {store.fingerprint}".encode()),
    )
    return grown, np.arange(n_own, n_all)


def _classes(words: list[str], labels: list[str]) -> NDArray[np.int64]:
    """Class numbers (n,) of the words.

    Raises
    ------
    UserError
        The corpus lacks some of the words, or all.
    """
    number = {label: i for i, label in enumerate(labels)}
    strange = sorted(set(words) - number.keys())
    if strange:
        lacking = "none of their words" if strange == sorted(set(words)) else "not their words"
        raise UserError(
            f"extra voices cannot be used with this corpus: it has {lacking} "
            f"({', '.join(strange)}): set corpus.extra_voices to false"
        )
    return np.array([number[word] for word in words], np.int64)


def _extract(clips: list[ClipSource], extractor: Extractor) -> tuple[Features, NDArray[np.int32]]:
    """Features (n, n_frames, n_coefficients) and valid frames (n,) of some clips."""
    parts = []
    with _made_by(clips[0].archive.parent):
        archive = ClipArchive(clips[0].archive)
        for start in range(0, len(clips), _BLOCK_CLIPS):
            block = clips[start : start + _BLOCK_CLIPS]
            parts.append(extractor(read_waveforms(archive, block, extractor.sample_rate)))
    x, n_frames = zip(*parts, strict=True)
    return np.concatenate(x), np.concatenate(n_frames)


@contextmanager
def _made_by(folder: Path) -> Iterator[None]:
    """Let errors of the readers name the stage that makes these files, which is not `download`."""
    try:
        yield
    except UserError as error:
        text = str(error).replace("dvc repro --force download", made_by(folder, "--force "))
        raise UserError(text.replace("dvc repro download", made_by(folder))) from None
