"""Train an open model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from spoken_digits.data.loading import Dataset
from spoken_digits.models.card import who_was_heard
from spoken_digits.rejection.labels import word_mask
from spoken_digits.rejection.prior import log_priors, make_even
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.plan import Plan


def train_open(
    dataset: Dataset,
    plan: Plan,
    *,
    resume_folder: Path | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedModel:
    """`train_model` on words and on what is none of them, with even priors.

    The card names those heard who say a word of the corpus. Accuracies in the curve are from
    before the priors are made even.

    Parameters
    ----------
    dataset
        From `with_rejects`.
    plan, resume_folder, checkpoint_seconds
        As of `train_model`.
    """
    trained = train_model(
        dataset, plan, resume_folder=resume_folder, checkpoint_seconds=checkpoint_seconds
    )
    rows = dataset.rows["train"]
    make_even(trained.network, log_priors(dataset.whole.y[rows], dataset.labels))
    is_word = word_mask(dataset.labels)[dataset.whole.y[rows]]
    words = dataclasses.replace(dataset, rows={"train": rows[is_word]})
    people = who_was_heard(words.heard("train")) or {"heard": None, "n_heard": None}
    return dataclasses.replace(trained, card=dataclasses.replace(trained.card, **people))
