"""Stage `speakers`: the LSTMs on people they have never heard, one fold of speakers after another.

Reads   data/, metrics/ (which integer schemes a model has), params.yaml
Writes  metrics/speakers.json: {model or model.scheme: {mean, std, values, speakers, ...}}, test
        accuracy of each fold and who speaks in its test clips
Run     python stages/speakers.py

The folds are those of `split.scheme: speaker`: of FSDD each of the six speakers is tested on
once, and one of the others chooses the epoch. Not part of `dvc repro`, which trains
every model once: `make results` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from collections import defaultdict
from pathlib import Path
from typing import Any

from spoken_digits import errors, study
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.io import files
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import integer

RAW = Path("data/raw")
METRICS = Path("metrics")
SPEAKERS = METRICS / "speakers.json"


def main() -> None:
    config = read_config(Path("params.yaml"))
    seed = config.value("seed", int)
    speakers = read_manifest(RAW / "manifest.csv")["speaker"]
    results: dict[str, Any] = {}
    for name in study.lstm_names(config):
        dataset = load_dataset(RAW.parent, read_model_params(config, name).features)
        schemes = [s for s in integer.SCHEMES if (METRICS / f"{name}.{s}.json").exists()]
        figures: dict[str, list[dict[str, float]]] = defaultdict(list)
        tested = []
        for fold in range(study.n_folds(RAW, config)):
            split = study.resplit(dataset, RAW, config, seed, scheme="speaker", fold=fold)
            tested.append(" ".join(sorted(set(speakers[split.rows["test"]]))))
            for key, measured in study.measure(split, config, name, seed, schemes).items():
                figures[key].append(measured)
                print(f"{key}, tested on {tested[-1]}: {measured['accuracy']:.4f}", flush=True)
        for key, measured in figures.items():
            results[key] = {**study.summary(measured), "speakers": tested}
    files.write_json(SPEAKERS, results)


if __name__ == "__main__":
    errors.run(main)
