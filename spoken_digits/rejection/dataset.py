"""The dataset of an open model: the words, and clips that are none of them to train on.

Stage `rejects` writes a store for each subset in the form of data/raw/. Validation and test clips
of the dataset stay those of the corpus, so that accuracies are over the words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256
from spoken_digits.rejection.labels import with_not_words

if TYPE_CHECKING:
    from spoken_digits.features.base import Extractor

MADE_BY = "dvc repro rejects"
_BLOCK_CLIPS = 64


@dataclass(frozen=True, kw_only=True)
class Rejects:
    """Clips of one subset that are none of the words."""

    table: pd.DataFrame
    """The manifest; `label` is `_silence_` or `_unknown_`, `repeat` how often an epoch a clip is
    heard."""
    clips: list[ClipSource]
    fingerprint: str


def read_rejects(folder: Path, subset: str) -> Rejects:
    """The store of one subset.

    Raises
    ------
    UserError
        It is missing, damaged, or of another subset.
    """
    if not (folder / "provenance.json").is_file():
        raise UserError(f"{folder} is missing: make it with `{MADE_BY}`")
    table = manifest.read_manifest(folder / "manifest.csv")
    provenance = read_provenance(folder / "provenance.json", table)
    if provenance.get("role") != subset:
        raise UserError(
            f"{folder} holds clips for {provenance.get('role')!r}, must be {subset!r}: make it "
            f"again with `{MADE_BY}`"
        )
    return Rejects(
        table=table,
        clips=clip_sources(folder / "audio.zip", table),
        fingerprint=provenance["fingerprint"],
    )


def with_rejects(dataset: Dataset, folder: Path, extractor: Extractor) -> Dataset:
    """The dataset with the classes `_silence_` and `_unknown_`, and train clips of them.

    Parameters
    ----------
    dataset
        From `load_dataset`; its features come to lie in memory.
    folder
        Store of the subset train.
    extractor
        The extractor that the dataset's features come from.

    Raises
    ------
    UserError
        The store is missing, damaged, or of another subset.
    """
    rejects = read_rejects(folder, "train")
    labels = with_not_words(dataset.labels)
    y = np.array([labels.index(label) for label in rejects.table["label"]], np.int64)
    x, n_frames = extract(rejects.clips, extractor)
    whole, n_own = dataset.whole, len(dataset.whole.y)
    added = np.repeat(n_own + np.arange(len(y)), rejects.table["repeat"].to_numpy(np.int64))
    return dataclasses.replace(
        dataset,
        whole=dataclasses.replace(
            whole,
            x=np.concatenate([whole.x, x.astype(whole.x.dtype)]),
            n_frames=np.concatenate([whole.n_frames, n_frames]),
            y=np.concatenate([whole.y, y]),
            rows=np.arange(n_own + len(y)),
        ),
        rows={**dataset.rows, "train": np.concatenate([dataset.rows["train"], added])},
        utterances=[*dataset.utterances, *rejects.table["utterance"]],
        speakers=[*dataset.speakers, *rejects.table["speaker"]],
        clips=[*dataset.clips, *rejects.clips],
        labels=labels,
        features_fingerprint=sha256(
            f"{dataset.features_fingerprint} {rejects.fingerprint}".encode()
        ),
    )


def extract(
    clips: Sequence[ClipSource], extractor: Extractor
) -> tuple[NDArray[np.generic], NDArray[np.int32]]:
    """Features (n, n_frames, n_coefficients) and valid frames (n,) of clips of one archive."""
    archive = ClipArchive(clips[0].archive)
    parts = []
    for start in range(0, len(clips), _BLOCK_CLIPS):
        block = clips[start : start + _BLOCK_CLIPS]
        parts.append(extractor(read_waveforms(archive, block, extractor.sample_rate)))
    x, n_frames = zip(*parts, strict=True)
    return np.concatenate(x), np.concatenate(n_frames)
