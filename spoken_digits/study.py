"""A model trained more than once: under other seeds, or for other people to be heard."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.config import Config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.evaluation.inference import predict
from spoken_digits.integer.qat import QatParams
from spoken_digits.io import files
from spoken_digits.models.params import LstmParams, names, read_model_params
from spoken_digits.quantization import integer
from spoken_digits.training.experiment import TrainedModel, train_model


def lstm_names(config: Config) -> list[str]:
    """The models of params.yaml that are small enough to train many times."""
    return [
        name for name in names(config) if isinstance(read_model_params(config, name), LstmParams)
    ]


def resplit(dataset: Dataset, raw: Path, config: Config, seed: int, **changes: Any) -> Dataset:
    """The same clips, split as stage `split` would under another seed or other settings.

    Parameters
    ----------
    dataset
        From `load_dataset`.
    raw
        Folder of manifest.csv and provenance.json.
    config
        params.yaml.
    seed
        Draws the random choices.
    changes
        Fields of `SplitParams` that differ from params.yaml.
    """
    provenance = files.read_json(raw / "provenance.json", "dvc repro download")
    settings = splits.read_params(config, provenance["corpus"])
    subsets = splits.assign(
        read_manifest(raw / "manifest.csv"),
        dataclasses.replace(settings, **changes),
        seed,
        speaker_folds=provenance["speaker_folds"],
        official_test_takes=provenance["official_test_takes"],
    )
    rows = {name: np.flatnonzero(subsets == name) for name in splits.SUBSETS}
    return dataclasses.replace(dataset, rows=rows)


def n_folds(raw: Path, config: Config) -> int:
    """Folds of `split.scheme: speaker` for the corpus in `raw`."""
    provenance = files.read_json(raw / "provenance.json", "dvc repro download")
    settings = splits.read_params(config, provenance["corpus"])
    return len(provenance["speaker_folds"] or range(settings.n_folds))


def measure(
    split: Dataset, config: Config, name: str, seed: int, schemes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Train one model on one split and test it, as floats and as integers.

    Parameters
    ----------
    split
        From `resplit`.
    config
        params.yaml.
    name
        Name of the model.
    seed
        Draws initial weights, order, dropout and augmentation.
    schemes
        The integer schemes to make of it.

    Returns
    -------
    dict
        ``accuracy`` under the model's name; under ``<name>.<scheme>`` also ``accuracy_drop`` and
        ``agreement`` with the float model.
    """
    trained = train_model(split, config, name, seed)
    device = next(trained.network.parameters()).device
    test, actual = split.subset("test"), split.actual("test")
    logits = predict(trained.network, trained.card.normalise, test, device).numpy()
    predicted = logits.argmax(axis=1)
    accuracy = float((predicted == actual).mean())
    figures = {name: {"accuracy": accuracy}}
    for scheme in schemes:
        found = _integer_predictions(split, trained, config, scheme, seed)
        right = float((found == actual).mean())
        figures[f"{name}.{scheme}"] = {
            "accuracy": right,
            "accuracy_drop": accuracy - right,
            "agreement": float((found == predicted).mean()),
        }
    return figures


def _integer_predictions(
    split: Dataset, trained: TrainedModel, config: Config, scheme: str, seed: int
) -> NDArray[np.int64]:
    network = integer.quantize(
        trained.card,
        {key: tensor.cpu() for key, tensor in trained.network.state_dict().items()},
        split.subset("train"),
        split.subset("val"),
        scheme,
        config.section(f"quantize.{scheme}", QatParams),
        seed,
    )
    predicted: NDArray[np.int64] = integer.logits_of(network, split.subset("test")).argmax(axis=1)
    return predicted


def summary(figures: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Mean, standard deviation and values of ``accuracy``; means of everything else."""
    values = [figure["accuracy"] for figure in figures]
    others = sorted({key for key in figures[0] if key != "accuracy"})
    return {
        "mean": round(statistics.mean(values), 6),
        "std": round(statistics.stdev(values), 6) if len(values) > 1 else 0.0,
        "values": [round(value, 6) for value in values],
        **{
            key: round(statistics.mean(figure[key] for figure in figures), 6) + 0.0
            for key in others
        },
    }
