"""Splits for the studies: other seeds, or other test speakers, than the pipeline's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import SUBSETS
from spoken_digits.io import files


def resplit(
    dataset: Dataset,
    raw: Path,
    params: splits.SplitParams,
    seed: int,
    *,
    without: Sequence[str] = (),
    **changes: Any,
) -> Dataset:
    """The same clips, split as stage `split` would with another seed or other settings.

    Parameters
    ----------
    dataset
        From `load_dataset`.
    raw
        Folder of manifest.csv and provenance.json.
    params
        Section `split`, for this corpus.
    seed
        Draws the random choices.
    without
        Speakers whose clips are in no subset.
    changes
        Fields of `SplitParams` that differ.
    """
    provenance = read_provenance(raw)
    subsets = splits.assign(
        read_manifest(raw / "manifest.csv"),
        dataclasses.replace(params, **changes),
        seed,
        speaker_folds=provenance["speaker_folds"],
        official_test_takes=provenance["official_test_takes"],
        without=without,
    )
    rows = {name: np.flatnonzero(subsets == name) for name in SUBSETS}
    return dataclasses.replace(dataset, rows=rows)


def undivided(dataset: Dataset) -> Dataset:
    """The dataset with every clip for training: none to choose on, none to test on."""
    none = np.empty(0, np.int64)
    everyone = np.arange(len(dataset.utterances))
    return dataclasses.replace(dataset, rows={"train": everyone, "val": none, "test": none})


def read_provenance(raw: Path) -> Mapping[str, Any]:
    """provenance.json of the corpus in `raw`."""
    return files.read_json(raw / "provenance.json", "dvc repro download")
