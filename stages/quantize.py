"""Stage `quantize`: one model with fewer bits, on the same test clips.

Reads   models/<model>.safetensors, metrics/<model>.json, data/,
        params.yaml: quantize.<scheme>, and the model's section
Writes  models/<model>.<scheme>.safetensors, metrics/<model>.<scheme>.json,
        plots/size_accuracy/<model>.<scheme>.csv
Run     python stages/quantize.py lstm int8_dynamic
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spoken_digits import errors, evaluation, files, params
from spoken_digits.experiment import check_fits, load_dataset
from spoken_digits.models.model_file import (
    ModelCard,
    load_network,
    parameter_bytes,
    read_model,
    write_model,
)
from spoken_digits.models.networks import n_parameters
from spoken_digits.quantization import int8_dynamic
from spoken_digits.reports import size_accuracy_row
from spoken_digits.training import loop
from spoken_digits.training.data import Subset
from spoken_digits.training.recipe import read_device

DATA = Path("data")
MODELS = Path("models")
METRICS = Path("metrics")
PLOTS = Path("plots")
CPU = torch.device("cpu")  # PyTorch's int8 kernels run nowhere else


def main() -> None:
    arguments = parse_arguments()
    name, scheme = arguments.model, arguments.scheme
    everything = params.read_params(Path("params.yaml"))
    scheme_params = params.section(everything, f"quantize.{scheme}", int8_dynamic.Int8DynamicParams)
    loop.set_up(*read_device(everything))
    model_file = MODELS / f"{name}.safetensors"
    card, tensors = read_model(model_file)
    network = load_network(card, tensors)
    dataset = load_dataset(DATA, everything, name)
    check_fits(card, model_file, dataset)
    test = dataset.subset("test")
    quantized = int8_dynamic.quantize(network, scheme_params.layers)
    stored = int8_dynamic.stored_tensors(quantized)
    float_logits = logits_of(network, card, test, loop.EVALUATION_BATCH)
    # One clip at a time, as the device would hear them: the scale of the activations is taken
    # over a whole batch, so a clip's result depends on its neighbours.
    logits = logits_of(quantized, card, test, 1)
    metrics = evaluation.accuracy_metrics(logits, dataset.actual("test"))
    float_metrics = files.read_json(METRICS / f"{name}.json", f"dvc repro evaluate@{name}")
    metrics |= {
        "accuracy_drop": float_metrics["accuracy"] - metrics["accuracy"],
        "agreement": float((logits.argmax(axis=1) == float_logits.argmax(axis=1)).mean()),
        "parameters": n_parameters(network),
        "size_kib": parameter_bytes(stored) / 1024,
        "float_size_kib": parameter_bytes(tensors) / 1024,
        "multiply_accumulates": network.multiply_accumulates(),
    }
    write_model(
        MODELS / f"{name}.{scheme}.safetensors",
        dataclasses.replace(card, scheme=scheme, scheme_params=dataclasses.asdict(scheme_params)),
        stored,
    )
    files.write_json(METRICS / f"{name}.{scheme}.json", evaluation.rounded(metrics))
    files.write_csv(
        PLOTS / "size_accuracy" / f"{name}.{scheme}.csv", *size_accuracy_row(name, scheme, metrics)
    )
    print(
        f"{name} {scheme}: test accuracy {metrics['accuracy']:.4f}, "
        f"{metrics['accuracy_drop']:+.4f} lost, {metrics['size_kib']:,.1f} KiB"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or a name under `variants` in params.yaml")
    parser.add_argument("scheme", choices=[int8_dynamic.SCHEME])
    return parser.parse_args()


def logits_of(
    network: nn.Module, card: ModelCard, clips: Subset, batch_size: int
) -> NDArray[np.float64]:
    logits = loop.predict(network, card.normalise, clips, CPU, batch_size)
    return logits.numpy().astype(np.float64)


if __name__ == "__main__":
    errors.run(main)
