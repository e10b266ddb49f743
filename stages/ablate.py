"""Stage `ablate`: train one model on inner folds without one step of its augmentation of sound.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split,
        studies.ablation
Writes  studies/ablation/<step>.csv: utterance, speaker, actual, seed, float32; as soon as there is
        one for each step, metrics/ablation.json: {step: {mean, loss, loss_error, trainings,
        per_speaker, model, seeds, corpus}}
Run     python stages/ablate.py reverberation noise
        python stages/ablate.py          # every step that has no predictions yet: hours

A step is a name under `studies.ablation.steps`, with the keys of `train.sound` that are changed to
leave it out; the one without changes is the whole recipe, which the others are compared with. Each
inner fold tests one speaker and leaves another one out altogether; nothing is chosen on anybody.
No stage of a pipeline: remove studies/ablation/ when the recipe of the model changes.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.evaluation.ablation import over_steps
from spoken_digits.evaluation.columns import FLOAT, WHOLE
from spoken_digits.evaluation.inference import predict
from spoken_digits.evaluation.study_params import AblationParams, InnerFold
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files
from spoken_digits.training.ablation import without_step
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import Plan, read_plan
from spoken_digits.training.planned import choose_voices

DATA = Path("data")
RAW = DATA / "raw"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/ablation")
METRICS = Path("metrics/ablation.json")
COLUMNS = ("utterance", "speaker", "actual", "seed", FLOAT)
Row = tuple[str, str, str, int, str]


def main() -> None:
    steps, config = parse_arguments().steps, read_config(PARAMS)
    params = config.section("studies.ablation", AblationParams)
    chosen = steps or [step for step in params.steps if not path(step).exists()]
    changes = {step: params.changes_of(step) for step in chosen}
    plan = choose_voices(read_plan(DATA / "plans", params.model, PARAMS), False)
    recipes = {
        step: without_step(plan.recipe, changed, f"studies.ablation.steps.{step}")
        for step, changed in changes.items()
    }
    for step, recipe in recipes.items():
        train_without(step, dataclasses.replace(plan, recipe=recipe), config, params)
    if missing := [step for step in params.steps if not path(step).exists()]:
        print(f"{METRICS} is not written: {PREDICTIONS} lacks {', '.join(missing)}")
        return
    summarise(params)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "steps",
        nargs="*",
        help="names under `studies.ablation.steps` in params.yaml; default: those without "
        "predictions",
    )
    return parser.parse_args()


def path(step: str) -> Path:
    return PREDICTIONS / f"{step}.csv"


def train_without(step: str, plan: Plan, config: Config, params: AblationParams) -> None:
    """Train on every inner fold under every seed, and write what is said of the test clips."""
    found = list[Row]()
    for inner in params.folds:
        split = inner_split(config, load_dataset(DATA, plan.features), inner)
        for seed in params.seeds:
            found += rows(split, train_model(split, dataclasses.replace(plan, seed=seed)), seed)
    files.write_csv(path(step), COLUMNS, found)
    right = np.mean([actual == said for _, _, actual, _, said in found])
    print(f"{params.model}, {step}: {right:.4f} of {len(found)} clips")


def summarise(params: AblationParams) -> None:
    """Write what each step is worth."""
    corpus = corpus_name(read_provenance(RAW))
    tables = {
        step: pd.read_csv(path(step), dtype=str, keep_default_na=False) for step in params.steps
    }
    same = {"model": params.model, "seeds": list(params.seeds), "corpus": corpus}
    figures = {step: {**row, **same} for step, row in over_steps(tables, WHOLE).items()}
    files.write_json(METRICS, figures)
    print(f"{METRICS}: {len(figures)} rows")


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
