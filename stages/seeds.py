"""Stage `seeds`: the LSTMs under five seeds, each with its own split, start and order.

Reads   data/, metrics/ (which integer schemes a model has), params.yaml
Writes  metrics/seeds.json: {model or model.scheme: {mean, std, values, ...}}, test accuracies;
        integer schemes with the means of accuracy_drop and agreement
Run     python stages/seeds.py

Not part of `dvc repro`, which trains every model once: `make results` runs it.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spoken_digits import errors, splits
from spoken_digits.integer.qat import QatParams
from spoken_digits.io import files, params
from spoken_digits.io.manifest import read_manifest
from spoken_digits.models.params import LstmParams, names, read_model_params
from spoken_digits.quantization import integer
from spoken_digits.training import loop
from spoken_digits.training.experiment import Dataset, TrainedModel, load_dataset, train_model

DATA = Path("data")
METRICS = Path("metrics")
SEEDS = METRICS / "seeds.json"


def main() -> None:
    arguments = parse_arguments()
    everything = params.read_params(Path("params.yaml"))
    first = params.value(everything, "seed", int)
    results: dict[str, Any] = {}
    for name in names(everything):
        if not isinstance(read_model_params(everything, name), LstmParams):
            continue
        dataset = load_dataset(DATA, everything, name)
        figures: dict[str, list[dict[str, float]]] = defaultdict(list)
        for seed in range(first, first + arguments.n):
            for key, measured in measure(dataset, everything, name, seed):
                figures[key].append(measured)
                print(f"{key} seed {seed}: test accuracy {measured['accuracy']:.4f}", flush=True)
        results |= {key: summary(measured) for key, measured in figures.items()}
    files.write_json(SEEDS, results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=5, help="seeds, from `seed` of params.yaml on")
    return parser.parse_args()


def summary(figures: list[dict[str, float]]) -> dict[str, Any]:
    values = [figure["accuracy"] for figure in figures]
    others = {key for key in figures[0] if key != "accuracy"}
    return {
        "mean": round(statistics.mean(values), 6),
        "std": round(statistics.stdev(values), 6) if len(values) > 1 else 0.0,
        "values": [round(value, 6) for value in values],
        **{
            key: round(statistics.mean(figure[key] for figure in figures), 6) + 0.0
            for key in sorted(others)
        },
    }


def resplit(dataset: Dataset, everything: Mapping[str, Any], seed: int) -> Dataset:
    """The same clips, split as stage `split` would under another seed."""
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    provenance = files.read_json(DATA / "raw" / "provenance.json", "dvc repro download")
    subsets = splits.assign(
        manifest,
        splits.read_params(everything, provenance["corpus"]),
        seed,
        speaker_folds=provenance["speaker_folds"],
        official_test_takes=provenance["official_test_takes"],
    )
    rows = {name: np.flatnonzero(subsets == name) for name in splits.SUBSETS}
    return dataclasses.replace(dataset, rows=rows)


def measure(
    dataset: Dataset, everything: Mapping[str, Any], name: str, seed: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Test figures of the float model and of each integer scheme that the pipeline makes of it."""
    split = resplit(dataset, everything, seed)
    trained = train_model(split, everything, name, seed)
    device = next(trained.network.parameters()).device
    test = split.subset("test")
    logits = loop.predict(trained.network, trained.card.normalise, test, device).numpy()
    predicted, actual = logits.argmax(axis=1), split.actual("test")
    accuracy = float((predicted == actual).mean())
    yield name, {"accuracy": accuracy}
    for scheme in integer.SCHEMES:
        if (METRICS / f"{name}.{scheme}.json").exists():
            found = integer_predictions(split, trained, everything, scheme, seed)
            yield (
                f"{name}.{scheme}",
                {
                    "accuracy": float((found == actual).mean()),
                    "accuracy_drop": accuracy - float((found == actual).mean()),
                    "agreement": float((found == predicted).mean()),
                },
            )


def integer_predictions(
    split: Dataset, trained: TrainedModel, everything: Mapping[str, Any], scheme: str, seed: int
) -> np.ndarray:
    network = integer.quantize(
        trained.card,
        {key: tensor.cpu() for key, tensor in trained.network.state_dict().items()},
        split.subset("train"),
        split.subset("val"),
        scheme,
        params.section(everything, f"quantize.{scheme}", QatParams),
        seed,
    )
    return integer.logits_of(network, split.subset("test")).argmax(axis=1)


if __name__ == "__main__":
    errors.run(main)
