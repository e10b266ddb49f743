"""Stage `quantize`: quantize one model and test it on the same clips.

Reads   models/<model>.safetensors, metrics/<model>.json, data/plans/<model>.json, data/raw/,
        data/features/<kind>/, data/split.csv, params.yaml: quantize.<scheme>, quantize.networks;
        data/voices/train/ where the plan has voices, data/rejects/train/ of an open model
Writes  models/<model>.<scheme>.safetensors, metrics/<model>.<scheme>.json,
        plots/size_accuracy/<model>.<scheme>.csv
Run     python stages/quantize.py lstm_36kb int8

Stage `measure` measures what an integer network costs on a microcontroller.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.loading import Dataset
from spoken_digits.evaluation.inference import check_finite, check_fits, predict
from spoken_digits.evaluation.metrics import accuracy_metrics
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.evaluation.tables import corpus_name, size_accuracy_row
from spoken_digits.io import files
from spoken_digits.models.card import ModelCard, parameter_bytes, write_model
from spoken_digits.models.device import set_up
from spoken_digits.models.model_file import load_network, read_model
from spoken_digits.models.networks import n_parameters
from spoken_digits.quantization.network_params import settings_of
from spoken_digits.quantization.schemes import SCHEMES, Quantized, scheme_module
from spoken_digits.rejection.planned import load
from spoken_digits.training.plan import read_plan

DATA = Path("data")
PLANS = DATA / "plans"
MODELS = Path("models")
METRICS = Path("metrics")
PLOTS = Path("plots")
CPU = torch.device("cpu")


def main() -> None:
    arguments = parse_arguments()
    name, scheme = arguments.model, arguments.scheme
    plan = read_plan(PLANS, name, Path("params.yaml"))
    module = scheme_module(scheme)
    params = settings_of(read_config(Path("params.yaml")), name, scheme, module.PARAMS)
    set_up(plan.recipe.device, plan.recipe.threads)
    model_file = MODELS / f"{name}.safetensors"
    card, tensors = read_model(model_file)
    dataset = load(DATA, plan)
    check_fits(card, model_file, dataset)
    target = dataclasses.replace(card, scheme=scheme, scheme_params=dataclasses.asdict(params))
    quantized = module.quantized(target, tensors, dataset, params, plan.seed)
    metrics = compare(quantized, card, tensors, dataset)
    stem = f"{name}.{scheme}"
    write_model(MODELS / f"{stem}.safetensors", quantized.card, quantized.tensors)
    files.write_json(METRICS / f"{stem}.json", rounded(metrics))
    files.write_csv(
        PLOTS / "size_accuracy" / f"{stem}.csv", *size_accuracy_row(name, scheme, metrics)
    )
    print(
        f"{name} {scheme}: test accuracy {metrics['accuracy']:.4f}, "
        f"{metrics['accuracy_drop'] + 0.0:+.4f} lost, {metrics['size_kib']:,.1f} KiB"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("scheme", choices=SCHEMES)
    return parser.parse_args()


def compare(
    quantized: Quantized, card: ModelCard, tensors: dict[str, Tensor], dataset: Dataset
) -> dict[str, Any]:
    """Metrics of the quantized model, compared with its float parent."""
    parent = load_network(card, tensors)
    float_logits = predict(parent, card.normalise, dataset.subset("test"), CPU).numpy()
    check_finite(np.concatenate([float_logits, quantized.logits]))
    float_metrics = files.read_json(
        METRICS / f"{card.name}.json", f"dvc repro evaluate@{card.name}"
    )
    metrics = accuracy_metrics(quantized.logits, dataset.actual("test"))
    return metrics | {
        "accuracy_drop": float_metrics["accuracy"] - metrics["accuracy"],
        "agreement": float((quantized.logits.argmax(1) == float_logits.argmax(1)).mean()),
        "parameters": n_parameters(parent),
        "size_kib": quantized.n_bytes / 1024,
        "float_size_kib": parameter_bytes(tensors) / 1024,
        "multiply_accumulates": parent.multiply_accumulates(),
        **quantized.metrics,
        "corpus": corpus_name(card.corpus),
    }


if __name__ == "__main__":
    errors.run(main)
