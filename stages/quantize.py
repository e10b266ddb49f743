"""Stage `quantize`: one model with fewer bits, on the same test clips.

Reads   models/<model>.safetensors, metrics/<model>.json, data/, firmware/,
        params.yaml: quantize.<scheme>, and the model's section
Writes  models/<model>.<scheme>.safetensors, metrics/<model>.<scheme>.json,
        plots/size_accuracy/<model>.<scheme>.csv
Run     python stages/quantize.py lstm int8_dynamic

The integer schemes also run their C on the test clips, on this machine and on an emulated
Cortex-M0 and M3; where the tools for the latter are missing, their counts are left out.
"""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits import audio, errors
from spoken_digits.config import Config, read_config
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.embedded import boards, proof
from spoken_digits.evaluation.inference import check_fits, predict
from spoken_digits.evaluation.metrics import accuracy_metrics, rounded
from spoken_digits.evaluation.tables import size_accuracy_row
from spoken_digits.features.mfcc_int import spec_from, to_pcm
from spoken_digits.integer.network import IntegerLSTM
from spoken_digits.integer.qat import QatParams
from spoken_digits.io import files
from spoken_digits.models.card import (
    ModelCard,
    load_network,
    parameter_bytes,
    read_model,
    write_model,
)
from spoken_digits.models.device import read_device, set_up
from spoken_digits.models.networks import Network, n_parameters
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import int8_dynamic, integer

DATA = Path("data")
FIRMWARE = Path("firmware")
MODELS = Path("models")
METRICS = Path("metrics")
PLOTS = Path("plots")
CPU = torch.device("cpu")  # PyTorch's int8 kernels run nowhere else


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A model with fewer bits."""

    card: ModelCard
    tensors: dict[str, Tensor]
    """What is stored."""
    n_bytes: int
    """Everything that must be in memory to hold the network."""
    logits: NDArray[np.float64]
    """(n_test, n_classes)."""
    metrics: dict[str, float | int] = field(default_factory=dict)
    """Figures that only this scheme has."""


def main() -> None:
    arguments = parse_arguments()
    name, scheme = arguments.model, arguments.scheme
    config = read_config(Path("params.yaml"))
    set_up(*read_device(config))
    model_file = MODELS / f"{name}.safetensors"
    card, tensors = read_model(model_file)
    network = load_network(card, tensors)
    dataset = load_dataset(DATA, read_model_params(config, name).features)
    check_fits(card, model_file, dataset)
    float_metrics = files.read_json(METRICS / f"{name}.json", f"dvc repro evaluate@{name}")
    if scheme == int8_dynamic.SCHEME:
        quantized = by_pytorch(card, network, dataset, config)
    else:
        quantized = to_integers(card, tensors, dataset, config, scheme)
    float_logits = predict(network, card.normalise, dataset.subset("test"), CPU).numpy()
    metrics = accuracy_metrics(quantized.logits, dataset.actual("test"))
    metrics |= {
        "accuracy_drop": float_metrics["accuracy"] - metrics["accuracy"],
        "agreement": float((quantized.logits.argmax(1) == float_logits.argmax(1)).mean()),
        "parameters": n_parameters(network),
        "size_kib": quantized.n_bytes / 1024,
        "float_size_kib": parameter_bytes(tensors) / 1024,
        "multiply_accumulates": network.multiply_accumulates(),
        **quantized.metrics,
    }
    write_model(MODELS / f"{name}.{scheme}.safetensors", quantized.card, quantized.tensors)
    files.write_json(METRICS / f"{name}.{scheme}.json", rounded(metrics))
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
    parser.add_argument("scheme", choices=[int8_dynamic.SCHEME, *integer.SCHEMES])
    return parser.parse_args()


def by_pytorch(card: ModelCard, network: Network, dataset: Dataset, config: Config) -> Quantized:
    scheme = int8_dynamic.SCHEME
    scheme_params = config.section(f"quantize.{scheme}", int8_dynamic.Int8DynamicParams)
    quantized = int8_dynamic.quantize(network, scheme_params.layers)
    tensors = int8_dynamic.stored_tensors(quantized)
    # One clip at a time, as the device would hear them: the scale of the activations is taken
    # over a whole batch, so a clip's result depends on its neighbours.
    logits = predict(quantized, card.normalise, dataset.subset("test"), CPU, batch_size=1)
    return Quantized(
        card=dataclasses.replace(
            card, scheme=scheme, scheme_params=dataclasses.asdict(scheme_params)
        ),
        tensors=tensors,
        n_bytes=parameter_bytes(tensors),
        logits=logits.numpy().astype(np.float64),
    )


def to_integers(
    card: ModelCard,
    tensors: dict[str, Tensor],
    dataset: Dataset,
    config: Config,
    scheme: str,
) -> Quantized:
    qat_params = config.section(f"quantize.{scheme}", QatParams)
    seed = config.value("seed", int)
    network = integer.quantize(
        card, tensors, dataset.subset("train"), dataset.subset("val"), scheme, qat_params, seed
    )
    card = dataclasses.replace(
        card,
        scheme=scheme,
        scheme_params=dataclasses.asdict(qat_params),
        mean=[0.0],  # folded into the weights
        std=[1.0],
    )
    n_bytes = network.parameter_bytes()
    return Quantized(
        card=card,
        tensors=integer.stored_tensors(network),
        n_bytes=n_bytes,
        logits=integer.logits_of(network, dataset.subset("test")) * network.logit_step,
        metrics={"parameter_bytes": n_bytes, **cost(card, network, dataset)},
    )


def cost(card: ModelCard, network: IntegerLSTM, dataset: Dataset) -> dict[str, int]:
    """Mismatches between NumPy and C on the test clips, and memory and instructions."""
    spec = spec_from(card.features)
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    archive = ClipArchive(DATA / "raw" / "audio.zip")
    clips = []
    for path in manifest["path"].iloc[dataset.rows["test"]]:
        waveform, found = audio.decode(archive.read(path), path)
        clips.append(to_pcm(audio.resample(waveform, found.sample_rate, spec.sample_rate)))
    runs = proof.on_host(network, spec, clips, FIRMWARE)
    missing = boards.missing_tools()
    if missing:
        print(
            f"instructions, flash, RAM and stack are left out: {', '.join(missing)} not installed "
            f"(Debian: {boards.PACKAGES})"
        )
    else:
        runs += proof.on_boards(network, spec, clips, FIRMWARE)
    return proof.cost_metrics(runs)


if __name__ == "__main__":
    errors.run(main)
