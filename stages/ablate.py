"""Stage `ablate`: train one model on inner folds without one step of its augmentation of sound.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split,
        studies.ablation
Writes  studies/ablation/predictions/<step>.csv: utterance, speaker, actual, seed, float32
Run     python stages/ablate.py reverberation

A step is a name under `studies.ablation.steps`, with the keys of `train.sound` that are changed to
leave it out; the one without changes is the whole recipe, which the others are compared with. Each
inner fold tests one speaker and leaves another one out altogether; nothing is chosen on anybody.
Part of studies/ablation/dvc.yaml (`make ablation`: hours); stage `summarise_ablation` compares.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.evaluation.columns import FLOAT
from spoken_digits.evaluation.inference import predict
from spoken_digits.evaluation.study_params import AblationParams, InnerFold
from spoken_digits.io import files
from spoken_digits.training.ablation import without_step
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import read_plan
from spoken_digits.training.planned import choose_voices

DATA = Path("data")
RAW = DATA / "raw"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/ablation/predictions")
COLUMNS = ("utterance", "speaker", "actual", "seed", FLOAT)
Row = tuple[str, str, str, int, str]


def main() -> None:
    step, config = parse_arguments().step, read_config(PARAMS)
    params = config.section("studies.ablation", AblationParams)
    changes = params.changes_of(step)
    plan = choose_voices(read_plan(DATA / "plans", params.model, PARAMS), False)
    recipe = without_step(plan.recipe, changes, f"studies.ablation.steps.{step}")
    dataset = load_dataset(DATA, plan.features)
    found = list[Row]()
    for inner in params.folds:
        split = inner_split(config, dataset, inner)
        for seed in params.seeds:
            trained = train_model(split, dataclasses.replace(plan, recipe=recipe, seed=seed))
            found += rows(split, trained, seed)
    files.write_csv(PREDICTIONS / f"{step}.csv", COLUMNS, found)
    right = np.mean([actual == said for _, _, actual, _, said in found])
    print(f"{params.model}, {step}: {right:.4f} of {len(found)} clips")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", help="a name under `studies.ablation.steps` in params.yaml")
    return parser.parse_args()


def inner_split(config: Config, dataset: Dataset, inner: InnerFold) -> Dataset:
    """The clips of all speakers but those of two folds train, and those of one of the two test."""
    params = splits.read_params(config, read_provenance(RAW)["corpus"])
    # The same folds whichever seed draws the weights.
    seed, same = config.value("seed", int), {"scheme": "speaker", "validation": "none"}
    left_out = resplit(dataset, RAW, params, seed, fold=inner.without, **same)
    without = sorted({left_out.speakers[row] for row in left_out.rows["test"]})
    return resplit(dataset, RAW, params, seed, fold=inner.tested, without=without, **same)


def rows(split: Dataset, trained: TrainedModel, seed: int) -> list[Row]:
    """What the model says of every test clip."""
    device = next(trained.network.parameters()).device
    said = predict(trained.network, trained.card.normalise, split.subset("test"), device)
    labels = split.labels
    return [
        (split.utterances[row], split.speakers[row], labels[actual], seed, labels[chosen])
        for row, actual, chosen in zip(
            split.rows["test"], split.actual("test"), said.argmax(dim=1).tolist(), strict=True
        )
    ]


if __name__ == "__main__":
    errors.run(main)
