"""What to expect of new voices: every speaker of a corpus left out of training in turn."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.errors import UserError
from spoken_digits.quantization.network_params import settings_of
from spoken_digits.quantization.networks import schemes_of
from spoken_digits.quantization.predictions import predictions
from spoken_digits.quantization.schemes import scheme_module
from spoken_digits.training.experiment import train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import Plan

MOST_FOLDS = 6
"""More speakers than that are left out in groups: each fold is a training."""


def n_folds(dataset: Dataset, published: Sequence[Sequence[str]] | None) -> int:
    """How many trainings it takes.

    Parameters
    ----------
    dataset
        The corpus.
    published
        The speakers of each fold, where the corpus's authors name them.

    Raises
    ------
    UserError
        The corpus has one speaker, or does not tell them apart.
    """
    speakers = dataset.heard("train"), dataset.heard("val"), dataset.heard("test")
    if None in speakers:
        raise UserError(
            "the recordings do not say who speaks, so none can be left out: name them "
            "<word>/<speaker>_<take>.wav"
        )
    everyone = set(dataset.speakers)
    if len(everyone) < 2:
        raise UserError(
            f"{next(iter(everyone))} is the only speaker: record another to learn what to expect "
            "of other voices"
        )
    return min(len(everyone), MOST_FOLDS) if published is None else len(published)


def quantizations(config: Config, model: str) -> dict[str, dict[str, Any]]:
    """How each integer network of a model is made: its settings by scheme."""
    found = {}
    for scheme in schemes_of(config, model):
        params = settings_of(config, model, scheme, scheme_module(scheme).PARAMS)
        found[scheme] = dataclasses.asdict(params)
    return found


def fold_predictions(data: Path, params: Path, plan: Plan, fold: int, n: int) -> pd.DataFrame:
    """Train without the speakers of one fold, and ask about them.

    Parameters
    ----------
    data
        Folder with raw/, features/ and split.csv as the stages make them.
    params
        params.yaml.
    plan
        What to train, and how; all other speakers train, for all epochs.
    fold, n
        Which fold of how many.

    Returns
    -------
    One row a recording of the speakers left out: utterance, speaker, actual, and the word that
    each network says.
    """
    config = read_config(params)
    raw = data / "raw"
    dataset = resplit(
        load_dataset(data, plan.features),
        raw,
        splits.read_params(config, read_provenance(raw)["corpus"]),
        config.value("seed", int),
        scheme="speaker",
        fold=fold,
        n_folds=n,
        validation="none",
    )
    recipe = dataclasses.replace(plan.recipe, patience=None, keep="last")
    # Several folds train at once: their bars would run into one another.
    with contextlib.redirect_stderr(io.StringIO()):
        trained = train_model(dataset, dataclasses.replace(plan, recipe=recipe))
    said = predictions(trained.card, trained.network, dataset, config, plan.seed, adapt=False)
    rows, labels = dataset.rows["test"], np.array(dataset.labels)
    return pd.DataFrame(
        {
            "utterance": [dataset.utterances[row] for row in rows],
            "speaker": [dataset.speakers[row] for row in rows],
            "actual": labels[dataset.actual("test")],
            **{name: labels[classes] for name, classes in said.items()},
        }
    )
