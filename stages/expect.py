"""Stage `expect`: leave every speaker out of training in turn: what to expect of new voices.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, data/split.csv,
        params.yaml: seed, split, quantize
Writes  metrics/expected/<model>.json: {model or model.scheme: as a row of metrics/crossval.json}
        plots/expected/<model>.csv: utterance, sha256 of the recording, speaker, actual, and the
        word that each network says which has not heard the speaker
Run     python stages/expect.py tiny

Not part of `dvc repro`: `spoken-digits run --words` runs it, two trainings at a time on two cores.
What is recorded stays where neither the plan, the recordings nor the settings of quantization have
changed.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.evaluation import folds
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.features import parallel
from spoken_digits.io import files
from spoken_digits.quantization import expected
from spoken_digits.training.folds import read_provenance
from spoken_digits.training.plan import Plan, read_plan
from spoken_digits.training.planned import training_digest

DATA = Path("data")
PARAMS = Path("params.yaml")
METRICS = Path("metrics/expected")
PREDICTIONS = Path("plots/expected")


def main() -> None:
    name = parse_arguments().model
    plan = read_plan(DATA / "plans", name, PARAMS)
    dataset = load_dataset(DATA, plan.features)
    n = expected.n_folds(dataset, read_provenance(DATA / "raw")["speaker_folds"])
    metrics, table = METRICS / f"{name}.json", PREDICTIONS / f"{name}.csv"
    made = expected.quantizations(read_config(PARAMS), name)
    training = training_digest(plan, dataset, n, made)
    if is_recorded(metrics, table, training):
        print(f"{metrics}: recorded for this plan and these recordings")
        return
    runs = train_folds([(DATA, PARAMS, plan, fold, n) for fold in range(n)], name)
    figures, _ = folds.over_speakers(name, {(f, plan.seed): run for f, run in runs.items()})
    about = {
        "seeds": [plan.seed],
        "corpus": corpus_name(dataset.corpus),
        "fingerprint": dataset.corpus["fingerprint"],
        "training": training,
    }
    digests = {
        name: clip.sha256 for name, clip in zip(dataset.utterances, dataset.clips, strict=True)
    }
    together = pd.concat([runs[fold] for fold in range(n)]).sort_values("utterance")
    # A file may be replaced by another of the same name.
    together.insert(1, "sha256", together["utterance"].map(digests))
    files.write_csv(table, list(together.columns), together.to_numpy().tolist())
    files.write_json(metrics, {row: {**found, **about} for row, found in figures.items()})
    for row, found in figures.items():
        print(
            f"{row}: {found['mean']:.4f} of the words of speakers left out, "
            f"{found['worst']:.4f} of {found['worst_speaker']}'s"
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    return parser.parse_args()


def is_recorded(metrics: Path, table: Path, training: str) -> bool:
    if not (metrics.exists() and table.exists()):
        return False
    rows = files.read_json(metrics, "python stages/expect.py")
    return all(row.get("training") == training for row in rows.values())


def train_folds(calls: list[tuple[Any, ...]], name: str) -> dict[int, pd.DataFrame]:
    """Fold -> predictions, as many at once as there are cores."""
    settings = parallel.ParallelParams(backend="loky", n_jobs=None, dask_scheduler=None)
    runs = {}
    done = parallel.run(numbered, calls, settings, worthwhile=len(calls))
    for fold, run in tqdm(done, total=len(calls), desc=f"{name}, a speaker left out", disable=None):
        runs[fold] = run
    return runs


def numbered(data: Path, params: Path, plan: Plan, fold: int, n: int) -> tuple[int, pd.DataFrame]:
    """They come as they are done."""
    return fold, expected.fold_predictions(data, params, plan, fold, n)


if __name__ == "__main__":
    errors.run(main)
