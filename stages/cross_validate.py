"""Stage `cross_validate`: train one model on one fold with one seed, and test it.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split, quantize;
        data/voices/train/ with extra voices
Writes  studies/predictions/<scheme of the split>/<model>-<fold>-<seed>.csv: utterance, speaker,
        actual, and the predictions of the float model (float32) and of each integer network;
        with extra voices <model>+voices-...
Run     python stages/cross_validate.py lstm_36kb --split speaker --fold 0 --seed 42

The folds of `--split speaker` are those of `split.scheme: speaker`: no speaker is in two subsets,
and the speakers of the fold before are for validation. `--split random` has one fold, 0.
Part of studies/dvc.yaml (`make studies`), not of the pipeline that trains every model once.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import load_dataset
from spoken_digits.quantization.predictions import predictions, write_predictions
from spoken_digits.training.experiment import train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import read_plan
from spoken_digits.training.planned import add_voices, choose_voices, row_name

DATA = Path("data")
RAW = DATA / "raw"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/predictions")


def main() -> None:
    arguments = parse_arguments()
    config = read_config(PARAMS)
    plan = choose_voices(read_plan(DATA / "plans", arguments.model, PARAMS), arguments.voices)
    plan = dataclasses.replace(plan, seed=arguments.seed)
    split = resplit(
        load_dataset(DATA, plan.features),
        RAW,
        splits.read_params(config, read_provenance(RAW)["corpus"]),
        arguments.seed,
        scheme=arguments.split,
        fold=arguments.fold,
    )
    split = add_voices(split, DATA, plan)
    trained = train_model(split, plan)
    said = predictions(trained.card, trained.network, split, config, arguments.seed)
    stem = f"{row_name(plan)}-{arguments.fold}-{arguments.seed}"
    figures = write_predictions(PREDICTIONS / arguments.split / f"{stem}.csv", split, said)
    print(f"{stem}, {arguments.split}: {figures}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("--split", choices=("random", "speaker"), required=True)
    parser.add_argument("--fold", type=int, default=0, help="speaker: which fold is tested on")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--voices",
        action=argparse.BooleanOptionalAction,
        help="train on extra voices too, or not; default: as params.yaml says",
    )
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
