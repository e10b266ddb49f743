"""Stage `cross_validate`: one model on one fold under one seed, tested on clips it has not heard.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split, quantize
Writes  studies/predictions/<scheme of the split>/<model>-<fold>-<seed>.csv: utterance, speaker,
        actual, and what the float model (float32) and each of its integer networks said
Run     python stages/cross_validate.py lstm_36kb --split speaker --fold 0 --seed 42

The folds of `--split speaker` are those of `split.scheme: speaker`: nobody is heard in two subsets,
and the speakers of the fold before choose the epoch. `--split random` has one fold, 0.
Part of studies/dvc.yaml (`make studies`), not of the pipeline that trains every model once.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.evaluation.inference import predict
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


def main() -> None:
    arguments = parse_arguments()
    config = read_config(PARAMS)
    plan = dataclasses.replace(
        read_plan(DATA / "plans", arguments.model, PARAMS), seed=arguments.seed
    )
    split = resplit(
        load_dataset(DATA, plan.features),
        RAW,
        splits.read_params(config, read_provenance(RAW)["corpus"]),
        arguments.seed,
        scheme=arguments.split,
        fold=arguments.fold,
    )
    trained = train_model(split, plan)
    said = {"float32": float_predictions(trained, split)}
    for scheme in schemes_of(config, arguments.model):
        said[scheme] = quantized_predictions(trained, split, config, scheme, arguments.seed)
    rows = split.rows["test"]
    actual = split.actual("test")
    labels = np.array(split.labels)
    speakers = read_manifest(RAW / "manifest.csv")["speaker"].to_numpy()[rows]
    path = (
        PREDICTIONS / arguments.split / f"{arguments.model}-{arguments.fold}-{arguments.seed}.csv"
    )
    columns = [labels[actual], *(labels[classes] for classes in said.values())]
    files.write_csv(
        path,
        ("utterance", "speaker", "actual", *said),
        zip([split.utterances[row] for row in rows], speakers, *columns, strict=True),
    )
    figures = ", ".join(
        f"{name} {(classes == actual).mean():.4f}" for name, classes in said.items()
    )
    print(f"{path.stem}, {arguments.split}: {figures} of {len(rows)} clips")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("--split", choices=("random", "speaker"), required=True)
    parser.add_argument("--fold", type=int, default=0, help="speaker: which fold is tested on")
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


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


if __name__ == "__main__":
    errors.run(main)
