"""Write what a training gives: the model and its curve."""

from __future__ import annotations

from pathlib import Path

from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files
from spoken_digits.models.card import write_model
from spoken_digits.training.experiment import TrainedModel
from spoken_digits.training.loop import CURVE_COLUMNS


def write_trained(trained: TrainedModel, models: Path, curves: Path, stem: str) -> None:
    """Write ``<stem>.safetensors`` and ``<stem>.csv``; the checkpoint has served its turn.

    Parameters
    ----------
    trained
        A finished training.
    models, curves
        Folders of the model and of its curve, a row an epoch.
    stem
        The model's name, or another where a study trains it once more.
    """
    corpus = corpus_name(trained.card.corpus)
    rows = [
        [int(row[0]), *(f"{value:.6g}" for value in row[1:]), corpus] for row in trained.state.curve
    ]
    files.write_csv(curves / f"{stem}.csv", (*CURVE_COLUMNS, "corpus"), rows)
    write_model(models / f"{stem}.safetensors", trained.card, trained.network.state_dict())
    if trained.checkpoint is not None:
        trained.checkpoint.remove()
