"""Stage `ablate`: train one model on inner folds without one step of its augmentation of sound.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, params.yaml: split,
        studies.ablation
Writes  studies/ablation/<step>.csv: utterance, speaker, actual, seed, training (a digest of plan
        and folds), float32; as soon as there is one for each step,
        metrics/ablation.json: {step: {mean, loss, loss_error, trainings, per_speaker, model,
        seeds, corpus}}
Run     python stages/ablate.py reverberation noise
        python stages/ablate.py          # every step that has no predictions yet: hours

A step is a name under `studies.ablation.steps`, with the keys of `train.sound` that are changed to
leave it out; the one without changes is the whole recipe, which the others are compared with. Each
inner fold tests one speaker and leaves another one out altogether; nothing is chosen on anybody.
No stage of a pipeline: predictions of another recipe are made anew.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
import json
from collections.abc import Mapping
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
COLUMNS = ("utterance", "speaker", "actual", "seed", "training", FLOAT)
Row = tuple[str, str, str, int, str, str]


def main() -> None:
    steps, config = parse_arguments().steps, read_config(PARAMS)
    params = config.section("studies.ablation", AblationParams)
    for step in steps:
        params.changes_of(step)  # refuses one that is not there
    plan = choose_voices(read_plan(DATA / "plans", params.model, PARAMS), False)
    plans = {step: plan_without(step, plan, params) for step in params.steps}
    dataset = load_dataset(DATA, plan.features)
    digests = {step: digest(plans[step], params, dataset) for step in plans}
    for step in steps or lacking(digests):
        train_without(step, plans[step], digests[step], config, params, dataset)
    if missing := lacking(digests):
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


def plan_without(step: str, plan: Plan, params: AblationParams) -> Plan:
    where = f"studies.ablation.steps.{step}"
    recipe = without_step(plan.recipe, params.changes_of(step), where)
    return dataclasses.replace(plan, recipe=recipe)


def digest(plan: Plan, params: AblationParams, dataset: Dataset) -> str:
    """What is trained and tested, so that predictions of another recipe are not taken for these."""
    decides = [plan, params.seeds, params.folds, dataset.corpus["fingerprint"]]
    return files.sha256(json.dumps(decides, default=dataclasses.asdict).encode())[:16]


def lacking(digests: Mapping[str, str]) -> list[str]:
    """The steps without predictions, or with those of another training."""
    return [
        step
        for step, wanted in digests.items()
        if not path(step).exists() or set(read(step)["training"]) != {wanted}
    ]


def read(step: str) -> pd.DataFrame:
    return pd.read_csv(path(step), dtype=str, keep_default_na=False)


def train_without(
    step: str,
    plan: Plan,
    training: str,
    config: Config,
    params: AblationParams,
    dataset: Dataset,
) -> None:
    """Train on every inner fold under every seed, and write what is said of the test clips."""
    found = list[Row]()
    for inner in params.folds:
        split = inner_split(config, dataset, inner)
        for seed in params.seeds:
            trained = train_model(split, dataclasses.replace(plan, seed=seed))
            found += rows(split, trained, seed, training)
    files.write_csv(path(step), COLUMNS, found)
    right = np.mean([row[2] == row[-1] for row in found])
    print(f"{params.model}, {step}: {right:.4f} of {len(found)} clips")


def summarise(params: AblationParams) -> None:
    """Write what each step is worth."""
    corpus = corpus_name(read_provenance(RAW))
    tables = {step: read(step) for step in params.steps}
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


def rows(split: Dataset, trained: TrainedModel, seed: int, training: str) -> list[Row]:
    """What the model says of every test clip."""
    device = next(trained.network.parameters()).device
    said = predict(trained.network, trained.card.normalise, split.subset("test"), device)
    labels = split.labels
    return [
        (split.utterances[row], split.speakers[row], labels[actual], seed, training, labels[chosen])
        for row, actual, chosen in zip(
            split.rows["test"], split.actual("test"), said.argmax(dim=1).tolist(), strict=True
        )
    ]


if __name__ == "__main__":
    errors.run(main)
