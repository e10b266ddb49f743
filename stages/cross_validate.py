"""Stage `cross_validate`: train one model on one fold with one seed, and test it.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split, quantize,
        studies.validation
Writes  studies/predictions/<scheme of the split>/<model>-<fold>-<seed>.csv: utterance, speaker,
        actual, chosen_by (whose clips chose the epoch: the held-out speakers of `--split speaker`,
        otherwise empty), and the predictions of the float model (float32) and of each integer
        network
Run     python stages/cross_validate.py lstm_36kb --split speaker --fold 0 --seed 42
        python stages/cross_validate.py tiny --split speaker --fold 1 --seed 42 --without george

The folds of `--split speaker` are those of `split.scheme: speaker`: no speaker is in two subsets.
`--split random` has one fold, 0. An inner fold leaves further speakers out of every subset, so that
a choice for them never hears them; it goes to studies/inner/without <speakers>/ and is no part of
the record.
Part of studies/dvc.yaml (`make crossval`), not of the pipeline that trains every model once.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import predict
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.io import files
from spoken_digits.quantization.networks import schemes_of
from spoken_digits.quantization.schemes import scheme_module
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import read_plan

DATA = Path("data")
RAW = DATA / "raw"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/predictions")
INNER = Path("studies/inner")


def main() -> None:
    arguments = parse_arguments()
    config = read_config(PARAMS)
    plan = dataclasses.replace(
        read_plan(DATA / "plans", arguments.model, PARAMS), seed=arguments.seed
    )
    params = splits.read_params(config, read_provenance(RAW)["corpus"])
    split = resplit(
        load_dataset(DATA, plan.features),
        RAW,
        params,
        # The same folds whichever seed draws the weights.
        config.value("seed", int) if arguments.split == "speaker" else arguments.seed,
        without=arguments.without,
        scheme=arguments.split,
        fold=arguments.fold,
        validation=arguments.validation or validation(config, params, arguments),
    )
    trained = train_model(split, plan)
    said = {"float32": float_predictions(trained, split)}
    for scheme in schemes_of(config, arguments.model):
        said[scheme] = quantized_predictions(trained, split, config, scheme, arguments.seed)
    write(arguments, split, said)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("--split", choices=("random", "speaker"), required=True)
    parser.add_argument("--fold", type=int, default=0, help="speaker: which fold is tested on")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--validation",
        choices=("held_out", "none"),
        help="as `split.validation`; speaker: the model's `studies.validation` by default",
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="SPEAKER",
        help="speaker: leave these out of every subset: an inner fold",
    )
    arguments = parser.parse_args()
    if arguments.without and arguments.split != "speaker":
        parser.error("--without needs --split speaker")
    return arguments


def validation(config: Config, params: splits.SplitParams, arguments: argparse.Namespace) -> str:
    """Whether clips choose the epoch: of the pipeline's own random split, of the record's folds."""
    if arguments.split == "random":
        return params.validation
    chosen = config.section("studies", StudyParams).validation
    if arguments.model not in chosen:
        raise UserError(
            f"params.yaml: `studies.validation` lacks {arguments.model}: say held_out or none "
            "there, or pass --validation"
        )
    return chosen[arguments.model]


def predictions_path(arguments: argparse.Namespace) -> Path:
    """Where the predictions go: recorded ones, or those of an inner fold."""
    folder = PREDICTIONS / str(arguments.split)
    if arguments.without:
        folder = INNER / f"without {' '.join(sorted(arguments.without))}"
    return folder / f"{arguments.model}-{arguments.fold}-{arguments.seed}.csv"


def float_predictions(trained: TrainedModel, split: Dataset) -> np.ndarray:
    device = next(trained.network.parameters()).device
    logits = predict(trained.network, trained.card.normalise, split.subset("test"), device)
    return logits.numpy().argmax(axis=1)


def quantized_predictions(
    trained: TrainedModel, split: Dataset, config: Config, scheme: str, seed: int
) -> np.ndarray:
    module = scheme_module(scheme)
    params = config.section(f"quantize.{scheme}", module.PARAMS)
    tensors: dict[str, torch.Tensor] = {
        name: tensor.cpu() for name, tensor in trained.network.state_dict().items()
    }
    card = dataclasses.replace(trained.card, scheme=scheme)
    return module.quantized(card, tensors, split, params, seed).logits.argmax(axis=1)


def write(
    arguments: argparse.Namespace, split: Dataset, said: Mapping[str, NDArray[np.int64]]
) -> None:
    """Write the predictions (n,) of each scheme for the test clips, and print their accuracy."""
    rows, actual, labels = split.rows["test"], split.actual("test"), np.array(split.labels)
    speakers = read_manifest(RAW / "manifest.csv")["speaker"].to_numpy()
    by_speaker = arguments.split == "speaker"
    chosen_by = sorted(set(speakers[split.rows["val"]])) if by_speaker else []
    columns = [
        [split.utterances[row] for row in rows],
        speakers[rows],
        labels[actual],
        [", ".join(chosen_by)] * len(rows),
        *(labels[classes] for classes in said.values()),
    ]
    path = predictions_path(arguments)
    header = ("utterance", "speaker", "actual", "chosen_by", *said)
    files.write_csv(path, header, zip(*columns, strict=True))
    if unsaid := sorted(set(split.labels) - set(labels[actual])):
        print(
            f"note: {', '.join(sorted(set(speakers[rows])))} of fold {arguments.fold} never says "
            f"{', '.join(unsaid)}: the accuracy is over the other words",
            file=sys.stderr,
        )
    figures = ", ".join(
        f"{name} {(classes == actual).mean():.4f}" for name, classes in said.items()
    )
    print(f"{path.stem}, {path.parent.name}: {figures} of {len(rows)} clips")


if __name__ == "__main__":
    errors.run(main)
