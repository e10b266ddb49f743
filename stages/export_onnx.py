"""Stage `export_onnx`: a float model as an ONNX file with its model card and data card.

Reads   models/<model>.safetensors, metrics/<model>.json, metrics/corpus.json, data/raw/
Writes  export/onnx/<model>/: <model>.onnx, README.md (the model card), data-card.md
Run     python stages/export_onnx.py tiny

ONNX Runtime must give PyTorch's logits on the first clips of every word, or nothing is written.
An architecture without an ONNX form gets the cards alone, which say so.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits import errors
from spoken_digits.data import manifest
from spoken_digits.data.waveforms import waveforms_of
from spoken_digits.evaluation.report.collecting import Figures, collect_one
from spoken_digits.evaluation.report.data_card import data_card
from spoken_digits.evaluation.report.model_card import model_card
from spoken_digits.features.registry import extractor_from
from spoken_digits.interchange import onnx_file
from spoken_digits.interchange.networks import ARCHITECTURES
from spoken_digits.io import files
from spoken_digits.models import trained_on
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import load_network, read_model

RAW = Path("data/raw")
MODELS = Path("models")
METRICS = Path("metrics")
EXPORT = Path("export/onnx")
CLIPS_PER_WORD = 4
NO_FORM = (
    "Architecture `{name}` has no ONNX form: add a function to "
    "spoken_digits/interchange/networks.py. The model file itself runs with this project."
)


def main() -> None:
    model = parse_arguments().model
    card, tensors = read_model(MODELS / f"{model}.safetensors")
    results = collect_one(model, METRICS)
    content, use = b"", NO_FORM.format(**card.architecture)
    if card.architecture["name"] in ARCHITECTURES:
        content, use = checked(card, tensors, results.rows[0]), onnx_file.USAGE.format(model=model)
    else:
        errors.warn(use)
    described = {"architecture": card.architecture["name"], "features": card.features["kind"]}
    pages = {
        "README.md": model_card(model, described, results, use),
        "data-card.md": data_card(results.corpus),
    }
    with files.replacing(EXPORT / model) as folder:
        folder.mkdir()
        for name, page in pages.items():
            (folder / name).write_text(page, encoding="utf-8")
        if content:
            (folder / f"{model}.onnx").write_bytes(content)


def checked(card: ModelCard, tensors: dict[str, Tensor], figures: Figures) -> bytes:
    """The ONNX file, after ONNX Runtime has given PyTorch's logits."""
    network = load_network(card, tensors)
    features, n_frames, sample_rate = some_clips(card)
    metadata = onnx_file.facts(card, sample_rate, trained_on.provenance(card, RAW), figures)
    content = onnx_file.onnx_model(network, card, metadata)
    largest = onnx_file.difference(content, network, card, features, n_frames)
    print(
        f"{EXPORT / card.name}: {len(content):,} B; logits of ONNX Runtime within {largest:.0e} of "
        f"PyTorch's on {len(features)} clips"
    )
    return content


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny, lstm, or another under `variants` in params.yaml")
    return parser.parse_args()


def some_clips(card: ModelCard) -> tuple[NDArray[np.float32], NDArray[np.int32], int]:
    """Features and valid frames of a few clips of each word, and the rate of their sound in Hz."""
    extract = extractor_from(card.features, f"{card.name}.safetensors")
    table = manifest.read_manifest(RAW / "manifest.csv")
    some = table.groupby("label").head(CLIPS_PER_WORD)
    waveforms = waveforms_of(RAW / "audio.zip", some, extract.sample_rate)
    features, n_frames = extract(waveforms)
    return features.astype(np.float32), n_frames, extract.sample_rate


if __name__ == "__main__":
    errors.run(main)
