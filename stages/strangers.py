"""Stage `strangers`: train one model on every speaker, and test it once on people it never heard.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, data/voices/strangers/,
        params.yaml: quantize; with --voices data/voices/train/; with --spoken
        data/voices/spoken/ and params.yaml: studies.with_spoken
Writes  studies/predictions/strangers/<model>-0-<seed>.csv, with extra voices
        <model>+voices-0-<seed>.csv, with synthesised ones <model>+spoken-0-<seed>.csv: utterance,
        speaker, actual, training, and the predictions of the float model (float32;
        float32+adapted where it adapts to the talker) and of each integer network; `training` is
        a digest of the plan and the clips that were trained on
Run     python stages/strangers.py lstm_36kb --seed 42 --voices

Every clip of the corpus trains and nothing is held out, so nothing is chosen on anybody. No other
stage may read data/voices/strangers/. Without that store, predictions recorded for the same
training stay as they are; of another training there are none. Part of studies/dvc.yaml.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.data.roles import FINGERPRINTS
from spoken_digits.data.voices import is_there, with_strangers
from spoken_digits.evaluation.adaptation import expects_own_mean
from spoken_digits.features.registry import extractor_from
from spoken_digits.quantization.predictions import (
    leave_predictions,
    predictions,
    write_predictions,
)
from spoken_digits.training.folds import undivided
from spoken_digits.training.planned import store_of
from spoken_digits.training.study_plan import add_voices_options, study_plan

DATA = Path("data")
STRANGERS = DATA / "voices" / "strangers"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/predictions/strangers")


def main() -> None:
    arguments = parse_arguments()
    study = study_plan(arguments, DATA, PARAMS)
    plan = study.plan
    path = PREDICTIONS / f"{study.name}-0-{arguments.seed}.csv"
    corpus = undivided(load_dataset(DATA, plan.features))
    training = study.digest(corpus)
    needed = [STRANGERS, *([DATA / store_of(plan)] if plan.voices else [])]
    missing = [folder for folder in needed if not is_there(folder)]
    if missing:
        leave_predictions(path, training, missing[0])
        return
    dataset, trained = study.train(corpus, DATA)
    extractor = extractor_from(dataset.description, "features.json")
    tested = with_strangers(dataset, STRANGERS, extractor, FINGERPRINTS["strangers"])
    config = read_config(PARAMS)
    said = predictions(
        trained.card,
        trained.network,
        tested,
        config,
        arguments.seed,
        adapt=expects_own_mean(plan.recipe),
    )
    print(f"{path.stem}: {write_predictions(path, tested, said, training=training)}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("--seed", type=int, required=True)
    add_voices_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
