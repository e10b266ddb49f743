"""Stage `evaluate`: test one model on clips it has not been trained on.

Reads   models/<model>.safetensors, data/plans/<model>.json, data/raw/, data/features/<kind>/,
        data/split.csv; data/voices/train/ where the plan has voices, data/rejects/train/ of an
        open model
Writes  metrics/<model>.json, plots/confusion/<model>.csv, plots/per_class/<model>.csv,
        plots/size_accuracy/<model>.csv, plots/mistakes/<model>.png
Run     python stages/evaluate.py lstm

Accuracies are over the words: of an open model, a word that is taken for `_silence_` or
`_unknown_` counts as wrong; stage `reject` measures what is none of the words.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits import audio, errors
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.loading import Dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.evaluation import mistakes
from spoken_digits.evaluation.inference import check_finite, check_fits, predict
from spoken_digits.evaluation.metrics import (
    accuracy_metrics,
    per_class_report,
    probabilities,
)
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.evaluation.tables import corpus_name, size_accuracy_row
from spoken_digits.features.lengths import heard_part
from spoken_digits.features.registry import extractor_from
from spoken_digits.io import files
from spoken_digits.models.card import ModelCard, parameter_bytes
from spoken_digits.models.device import set_up
from spoken_digits.models.model_file import load_network, read_model
from spoken_digits.models.networks import int8_bytes, n_parameters
from spoken_digits.rejection.labels import word_mask
from spoken_digits.rejection.planned import load
from spoken_digits.training.plan import read_plan

DATA = Path("data")
PLANS = DATA / "plans"
MODELS = Path("models")
METRICS = Path("metrics")
PLOTS = Path("plots")
N_MISTAKES = 6


def main() -> None:
    name = parse_arguments().model
    plan = read_plan(PLANS, name, Path("params.yaml"))
    device = set_up(plan.recipe.device, plan.recipe.threads)
    model_file = MODELS / f"{name}.safetensors"
    card, tensors = read_model(model_file)
    network = load_network(card, tensors).to(device)
    dataset = load(DATA, plan)
    check_fits(card, model_file, dataset)
    logits = {
        subset: predict(network, card.normalise, dataset.subset(subset), device)
        .numpy()
        .astype(np.float64)
        for subset in ("train", "val", "test")
        if len(dataset.rows[subset])
    }
    check_finite(np.concatenate(list(logits.values())))
    actual = dataset.actual("test")
    metrics = {
        **accuracy_metrics(logits["test"], actual),
        "parameters": n_parameters(network),
        "size_kib": parameter_bytes(tensors) / 1024,
        "int8_kib": int8_bytes(network) / 1024,
        "multiply_accumulates": network.multiply_accumulates(),
        "train_accuracy": accuracy(logits["train"], dataset.actual("train")),
        # Without validation clips there is nothing to say.
        "val_accuracy": accuracy(logits["val"], dataset.actual("val")) if "val" in logits else None,
        "best_epoch": card.best_epoch,
        "corpus": corpus_name(card.corpus),
    }
    write_tables(name, metrics, logits["test"], actual, dataset.labels)
    draw_mistakes(card, dataset, logits["test"], actual)
    print(f"{name}: test accuracy {metrics['accuracy']:.4f} ({len(actual)} clips)")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or a name under `variants` in params.yaml")
    return parser.parse_args()


def accuracy(logits: NDArray[np.float64], actual: NDArray[np.int64]) -> float:
    return float((logits.argmax(axis=1) == actual).mean())


def write_tables(
    name: str,
    metrics: dict[str, Any],
    logits: NDArray[np.float64],
    actual: NDArray[np.int64],
    labels: list[str],
) -> None:
    files.write_json(METRICS / f"{name}.json", rounded(metrics))
    files.write_csv(
        PLOTS / "confusion" / f"{name}.csv",
        ("actual", "predicted", "corpus"),
        [
            (labels[a], labels[p], metrics["corpus"])
            for a, p in zip(actual, logits.argmax(axis=1), strict=True)
        ],
    )
    report = per_class_report(logits, actual, labels).round(6).assign(corpus=metrics["corpus"])
    report = report[word_mask(labels) | (report["support"] > 0)]  # of an open model, the words
    files.write_csv(
        PLOTS / "per_class" / f"{name}.csv", list(report.columns), report.to_numpy().tolist()
    )
    files.write_csv(
        PLOTS / "size_accuracy" / f"{name}.csv", *size_accuracy_row(name, "float32", metrics)
    )


def draw_mistakes(
    card: ModelCard, dataset: Dataset, logits: NDArray[np.float64], actual: NDArray[np.int64]
) -> None:
    worst = mistakes.worst(probabilities(logits), actual, N_MISTAKES)
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    archive = ClipArchive(DATA / "raw" / "audio.zip")
    extractor = extractor_from(card.features)
    clips = []
    for mistake in worst:
        row = dataset.rows["test"][mistake.row]
        path = manifest["path"][row]
        waveform, audio_format = audio.decode(archive.read(path, manifest["sha256"][row]), path)
        clips.append(
            mistakes.Clip(
                utterance=manifest["utterance"][row],
                waveform=waveform,
                sample_rate=audio_format.sample_rate,
                heard_s=heard_part(extractor, waveform, audio_format.sample_rate),
            )
        )
    n_wrong = int((logits.argmax(axis=1) != actual).sum())
    title = f"{card.name}: {n_wrong} of {len(actual)} test clips wrong ({corpus_name(card.corpus)})"
    with files.replacing(PLOTS / "mistakes" / f"{card.name}.png") as temporary:
        mistakes.draw(temporary, title, worst, clips, card.labels)


if __name__ == "__main__":
    errors.run(main)
