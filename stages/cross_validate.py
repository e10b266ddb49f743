"""Stage `cross_validate`: train one model on one fold with one seed, and test it.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split, quantize,
        studies.validation; data/voices/train/ with extra voices; with synthesised ones
        data/voices/spoken/ and params.yaml: studies.with_spoken
Writes  studies/predictions/<scheme of the split>/<model>-<fold>-<seed>.csv: utterance, speaker,
        actual, chosen_by (whose clips chose the epoch: the held-out speakers of `--split speaker`,
        otherwise empty), and the predictions of the float model (float32; float32+adapted where
        it adapts to the talker) and of each integer network; with extra voices
        <model>+voices-..., with synthesised ones <model>+spoken-...; these have `training` too:
        a digest of the plan and the clips
Run     python stages/cross_validate.py lstm_36kb --split speaker --fold 0 --seed 42
        python stages/cross_validate.py tiny --split speaker --fold 1 --seed 42 --without george

The folds of `--split speaker` are those of `split.scheme: speaker`: no speaker is in two subsets.
`--split random` and `--split official` (test clips that the corpus's authors set aside) have one
fold, 0. An inner fold leaves further speakers out of every subset, so that
a choice for them never hears them; it goes to studies/inner/without <speakers>/ and is no part of
the record.
Part of studies/dvc.yaml (`make crossval`), not of the pipeline that trains every model once.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.voices import is_there
from spoken_digits.errors import UserError
from spoken_digits.evaluation.adaptation import expects_own_mean
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.quantization.predictions import (
    leave_predictions,
    predictions,
    write_predictions,
)
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.planned import store_of
from spoken_digits.training.study_plan import add_voices_options, study_plan

DATA = Path("data")
RAW = DATA / "raw"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/predictions")
INNER = Path("studies/inner")


def main() -> None:
    arguments = parse_arguments()
    config = read_config(PARAMS)
    study = study_plan(arguments, DATA, PARAMS)
    plan = study.plan
    params = splits.read_params(config, read_provenance(RAW)["corpus"])
    chosen_on = arguments.validation or validation(config, params, arguments)
    split = resplit(
        load_dataset(DATA, plan.features),
        RAW,
        params,
        # The same folds whichever seed draws the weights.
        config.value("seed", int) if arguments.split == "speaker" else arguments.seed,
        without=arguments.without,
        scheme=arguments.split,
        fold=arguments.fold,
        validation=chosen_on,
    )
    path = predictions_path(arguments, study.name)
    same = {}
    if plan.voices is not None:
        same["training"] = study.digest(split)
        if not is_there(store := DATA / store_of(plan)):
            leave_predictions(path, same["training"], store)
            return
    split, trained = study.train(split, DATA)
    said = predictions(
        trained.card,
        trained.network,
        split,
        config,
        arguments.seed,
        adapt=expects_own_mean(plan.recipe),
    )
    write(path, arguments, split, said, **same)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("--split", choices=("random", "official", "speaker"), required=True)
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
    add_voices_options(parser)
    arguments = parser.parse_args()
    if arguments.without and arguments.split != "speaker":
        parser.error("--without needs --split speaker")
    return arguments


def validation(config: Config, params: splits.SplitParams, arguments: argparse.Namespace) -> str:
    """Whether clips choose the epoch: as the pipeline does, or as the folds of the record do."""
    if arguments.split != "speaker":
        return params.validation
    chosen = config.section("studies", StudyParams).validation
    if arguments.model not in chosen:
        raise UserError(
            f"params.yaml: `studies.validation` lacks {arguments.model}: say held_out or none "
            "there, or pass --validation"
        )
    return chosen[arguments.model]


def predictions_path(arguments: argparse.Namespace, row: str) -> Path:
    """Where the predictions go: recorded ones, or those of an inner fold."""
    folder = PREDICTIONS / str(arguments.split)
    if arguments.without:
        folder = INNER / f"without {' '.join(sorted(arguments.without))}"
    return folder / f"{row}-{arguments.fold}-{arguments.seed}.csv"


def write(
    path: Path,
    arguments: argparse.Namespace,
    split: Dataset,
    said: Mapping[str, NDArray[np.int64]],
    **same: str,
) -> None:
    """Write the predictions (n,) of each scheme for the test clips, and print their accuracy."""
    by_speaker = arguments.split == "speaker"
    chosen_by = sorted({split.speakers[row] for row in split.rows["val"]}) if by_speaker else []
    figures = write_predictions(path, split, said, chosen_by=", ".join(chosen_by), **same)
    labels = np.array(split.labels)
    if unsaid := sorted(set(split.labels) - set(labels[split.actual("test")])):
        tested = sorted({split.speakers[row] for row in split.rows["test"]})
        print(
            f"note: {', '.join(tested)} of fold {arguments.fold} never says "
            f"{', '.join(unsaid)}: the accuracy is over the other words",
            file=sys.stderr,
        )
    print(f"{path.stem}, {path.parent.name}: {figures}")


if __name__ == "__main__":
    errors.run(main)
