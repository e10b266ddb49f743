"""Stage `seeds`: the LSTMs under five seeds, each with its own split, start and order.

Reads   data/, params.yaml
Writes  metrics/seeds.json: {model: {mean, std, values}}, test accuracies
Run     python stages/seeds.py

Not part of `dvc repro`, which trains every model once: `make results` runs it.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spoken_digits import errors, files, params, splits
from spoken_digits.experiment import Dataset, load_dataset, train_model
from spoken_digits.manifest import read_manifest
from spoken_digits.models.params import LstmParams, names, read_model_params
from spoken_digits.training import loop

DATA = Path("data")
SEEDS = Path("metrics/seeds.json")


def main() -> None:
    arguments = parse_arguments()
    everything = params.read_params(Path("params.yaml"))
    first = params.value(everything, "seed", int)
    results: dict[str, Any] = {}
    for name in names(everything):
        if not isinstance(read_model_params(everything, name), LstmParams):
            continue
        dataset = load_dataset(DATA, everything, name)
        values = []
        for seed in range(first, first + arguments.n):
            values.append(test_accuracy(dataset, everything, name, seed))
            print(f"{name} seed {seed}: test accuracy {values[-1]:.4f}")
        results[name] = {
            "mean": round(statistics.mean(values), 6),
            "std": round(statistics.stdev(values), 6),
            "values": [round(value, 6) for value in values],
        }
    files.write_json(SEEDS, results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=5, help="seeds, from `seed` of params.yaml on")
    return parser.parse_args()


def resplit(dataset: Dataset, everything: Mapping[str, Any], seed: int) -> Dataset:
    """The same clips, split as stage `split` would under another seed."""
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    provenance = files.read_json(DATA / "raw" / "provenance.json", "dvc repro download")
    subsets = splits.assign(
        manifest,
        params.section(everything, "split", splits.SplitParams),
        seed,
        speaker_folds=provenance["speaker_folds"],
        official_test_takes=provenance["official_test_takes"],
    )
    rows = {name: np.flatnonzero(subsets == name) for name in splits.SUBSETS}
    return dataclasses.replace(dataset, rows=rows)


def test_accuracy(dataset: Dataset, everything: Mapping[str, Any], name: str, seed: int) -> float:
    """Accuracy on the test clips of the best validation epoch."""
    split = resplit(dataset, everything, seed)
    trained = train_model(split, everything, name, seed)
    device = next(trained.network.parameters()).device
    _, accuracy = loop.evaluate(
        trained.network, trained.card.normalise, split.subset("test"), device
    )
    return accuracy


if __name__ == "__main__":
    errors.run(main)
