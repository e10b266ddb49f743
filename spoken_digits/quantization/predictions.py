"""What a model and its integer networks say of the test clips, as the studies keep it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.config import Config
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import warn
from spoken_digits.evaluation.adaptation import adapted
from spoken_digits.evaluation.columns import ADAPTED, FLOAT
from spoken_digits.evaluation.inference import predict
from spoken_digits.io import files
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization.network_params import settings_of
from spoken_digits.quantization.networks import schemes_of
from spoken_digits.quantization.schemes import scheme_module


def predictions(
    card: ModelCard,
    network: BaseNetwork,
    dataset: Dataset,
    config: Config,
    seed: int,
    *,
    adapt: bool,
) -> dict[str, NDArray[np.int64]]:
    """Class numbers (n_test,) that the float model and each of its integer networks predict.

    Parameters
    ----------
    card, network
        The trained float model.
    dataset
        The clips; integer networks are calibrated on its train clips.
    config
        params.yaml, which says what integer networks there are.
    seed
        Draws what quantization-aware training draws, and the order in which a talker is heard.
    adapt
        Whether the float model is also asked while it adapts to the talker; not where the corpus
        does not say who speaks.

    Returns
    -------
    dict
        Under ``float32``, ``float32+adapted`` and the name of each scheme.
    """
    device = next(network.parameters()).device
    test = dataset.subset("test")
    said = {FLOAT: _classes(predict(network, card.normalise, test, device))}
    if adapt and dataset.heard("test") is not None:
        talkers = [dataset.speakers[row] for row in dataset.rows["test"]]
        test = adapted(test, talkers, np.array(card.mean), seed)
        said[FLOAT + ADAPTED] = _classes(predict(network, card.normalise, test, device))
    tensors: dict[str, Tensor] = {
        name: tensor.cpu() for name, tensor in network.state_dict().items()
    }
    for scheme in schemes_of(config, card.name):
        module = scheme_module(scheme)
        params = settings_of(config, card.name, scheme, module.PARAMS)
        target = dataclasses.replace(card, scheme=scheme)
        said[scheme] = module.quantized(target, tensors, dataset, params, seed).logits.argmax(
            axis=1
        )
    return said


def _classes(logits: Tensor) -> NDArray[np.int64]:
    return np.asarray(logits.numpy().argmax(axis=1))


def write_predictions(
    path: Path, dataset: Dataset, said: Mapping[str, NDArray[np.int64]], **same: str
) -> str:
    """Write utterance, speaker, actual and what each network said, one row a test clip.

    Parameters
    ----------
    path
        The CSV file.
    dataset
        Whose test clips were predicted.
    said
        From `predictions`.
    same
        Further columns, of one value each, that stand between `actual` and the predictions.

    Returns
    -------
    str
        The accuracy of each network, for the terminal.
    """
    rows, actual = dataset.rows["test"], dataset.actual("test")
    labels = np.array(dataset.labels)
    files.write_csv(
        path,
        ("utterance", "speaker", "actual", *same, *said),
        zip(
            [dataset.utterances[row] for row in rows],
            [dataset.speakers[row] for row in rows],
            labels[actual],
            *([value] * len(rows) for value in same.values()),
            *(labels[classes] for classes in said.values()),
            strict=True,
        ),
    )
    figures = (f"{name} {(classes == actual).mean():.4f}" for name, classes in said.items())
    return f"{', '.join(figures)} of {len(rows)} clips"


def leave_predictions(path: Path, training: str, missing: Path) -> None:
    """Where voices are missing: keep predictions of the same training, write that there are none
    of another.

    Parameters
    ----------
    path
        The CSV file, with a column `training`.
    training
        From `training_digest`.
    missing
        The store without voices.
    """
    recorded = set()
    if path.exists():
        recorded = set(pd.read_csv(path, dtype=str, keep_default_na=False)["training"])
    if recorded == {training}:
        kept = "the recorded predictions stay"
    else:
        files.write_csv(path, ("utterance", "speaker", "actual", "training", FLOAT), [])
        kept = "there are no predictions of this training"
    warn(f"{path.stem}: not tested, {missing} holds no voices; {kept}")
