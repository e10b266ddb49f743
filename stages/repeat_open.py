"""Stage `repeat_open`: train an open model on a random split under one seed, and test it.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, data/other_speech/train/,
        params.yaml: corpus, features.sample_rate, split, quantize.int8
Writes  studies/predictions/random/<model>-0-<seed>.csv: utterance, speaker, actual, and the
        predictions of the float model (float32) and of the integer network (int8), of which
        `_silence_` and `_unknown_` are none of the words
Run     python stages/repeat_open.py tiny_open --seed 43

The split is that of `stages/cross_validate.py --split random` under the same seed, so that an open
model and its variant are compared clip by clip. What is none of the words is made anew, of the
train clips of this split alone. Part of studies/dvc.yaml.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.evaluation.columns import FLOAT
from spoken_digits.evaluation.inference import predict
from spoken_digits.features.registry import extractor_from
from spoken_digits.quantization.predictions import write_predictions
from spoken_digits.quantization.schemes import scheme_module
from spoken_digits.rejection.dataset import with_rejects
from spoken_digits.rejection.storing import Source, write_rejects
from spoken_digits.rejection.training import train_open
from spoken_digits.training.experiment import TrainedModel
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import read_plan

DATA = Path("data")
RAW = DATA / "raw"
REAL = DATA / "other_speech" / "train"
PARAMS = Path("params.yaml")
PREDICTIONS = Path("studies/predictions/random")
SCHEME = "int8"


def main() -> None:
    arguments = parse_arguments()
    config, seed = read_config(PARAMS), arguments.seed
    plan = read_plan(DATA / "plans", arguments.model, PARAMS)
    plan = dataclasses.replace(plan, seed=seed)
    params = splits.read_params(config, read_provenance(RAW)["corpus"])
    corpus = load_dataset(DATA, plan.features)
    split = resplit(corpus, RAW, params, seed, scheme="random", fold=0)
    source = Source(
        raw=RAW,
        real=REAL,
        params=config.section("corpus", CorpusParams),
        sample_rate=config.value("features.sample_rate", int),
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="rejects-") as folder:
        store = Path(folder) / "train"
        write_rejects(store, "train", split.rows["train"].tolist(), source)
        dataset = with_rejects(split, store, extractor_from(split.description, "features.json"))
        trained = train_open(dataset, plan)
        said = {
            FLOAT: of_float(trained, dataset),
            SCHEME: of_integers(trained, dataset, config, seed),
        }
    path = PREDICTIONS / f"{plan.model}-0-{seed}.csv"
    print(f"{path.stem}: {write_predictions(path, dataset, said)}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name under `corpus.rejection.models` in params.yaml")
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def of_float(trained: TrainedModel, dataset: Dataset) -> NDArray[np.int64]:
    device = next(trained.network.parameters()).device
    logits = predict(trained.network, trained.card.normalise, dataset.subset("test"), device)
    return np.asarray(logits.numpy().argmax(axis=1))


def of_integers(
    trained: TrainedModel, dataset: Dataset, config: Config, seed: int
) -> NDArray[np.int64]:
    module = scheme_module(SCHEME)
    params = config.section(f"quantize.{SCHEME}", module.PARAMS)
    target = dataclasses.replace(trained.card, scheme=SCHEME)
    tensors = {name: tensor.cpu() for name, tensor in trained.network.state_dict().items()}
    quantized = module.quantized(target, tensors, dataset, params, seed)
    return np.asarray(quantized.logits.argmax(axis=1))


if __name__ == "__main__":
    errors.run(main)
