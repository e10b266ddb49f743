"""Stage `seeds`: the LSTMs under five seeds, each with its own split, start and order.

Reads   data/, metrics/ (which integer schemes a model has), params.yaml
Writes  metrics/seeds.json: {model or model.scheme: {mean, std, values, ...}}, test accuracies;
        integer schemes with the means of accuracy_drop and agreement
Run     python stages/seeds.py

Not part of `dvc repro`, which trains every model once: `make results` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

from spoken_digits import errors, study
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.io import files
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import integer

DATA = Path("data")
METRICS = Path("metrics")
SEEDS = METRICS / "seeds.json"


def main() -> None:
    arguments = parse_arguments()
    config = read_config(Path("params.yaml"))
    first = config.value("seed", int)
    results: dict[str, Any] = {}
    for name in study.lstm_names(config):
        dataset = load_dataset(DATA, read_model_params(config, name).features)
        schemes = [s for s in integer.SCHEMES if (METRICS / f"{name}.{s}.json").exists()]
        figures: dict[str, list[dict[str, float]]] = defaultdict(list)
        for seed in range(first, first + arguments.n):
            split = study.resplit(dataset, DATA / "raw", config, seed)
            for key, measured in study.measure(split, config, name, seed, schemes).items():
                figures[key].append(measured)
                print(f"{key} seed {seed}: test accuracy {measured['accuracy']:.4f}", flush=True)
        results |= {key: study.summary(measured) for key, measured in figures.items()}
    files.write_json(SEEDS, results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=5, help="seeds, from `seed` of params.yaml on")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
