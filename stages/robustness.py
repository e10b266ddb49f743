"""Stage `robustness`: test one model on distorted test clips.

Noise, level, offset, clipping, speed, reverberation, silence and narrow channels, each at several
levels (spoken_digits/evaluation/conditions.py).

Reads   models/<model>.safetensors or models/<model>.<scheme>.safetensors, data/raw/,
        data/features/<kind>/, data/split.csv, params.yaml: robustness
Writes  plots/robustness/<model>.csv or plots/robustness/<model>.<scheme>.csv: model, condition,
        level (in the condition's unit; empty where it has none), accuracy, n (test clips), corpus
Run     python stages/robustness.py lstm
        python stages/robustness.py lstm_36kb int8
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.loading import load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.evaluation.conditions import Condition, RobustnessParams, conditions
from spoken_digits.evaluation.inference import check_fits
from spoken_digits.evaluation.robustness import Talkers, TestClips, accuracies
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.features.registry import extractor_from
from spoken_digits.io import files
from spoken_digits.models.device import set_up
from spoken_digits.models.model_file import outline, read_model
from spoken_digits.quantization.loading import load_any

DATA = Path("data")
MODELS = Path("models")
PLOTS = Path("plots")


def main() -> None:
    stem = parse_arguments()
    params = read_config(Path("params.yaml")).section("robustness", RobustnessParams)
    set_up("cpu", threads=1)
    model_file = MODELS / f"{stem}.safetensors"
    card, tensors = read_model(model_file)
    network = load_any(card, tensors)
    dataset = load_dataset(DATA, card.features["kind"])
    check_fits(card, model_file, dataset)
    raw = DATA / "raw"
    manifest = read_manifest(raw / "manifest.csv")
    clips = TestClips(ClipArchive(raw / "audio.zip"), manifest, dataset.rows["test"])
    talkers = Talkers(clips, params.talkers)
    if not talkers.are_others:
        errors.warn("the test clips are of one speaker, who babbles against itself")
    tested = conditions(params)
    macs = outline(card).multiply_accumulates()
    chosen = clips.spread(n_clips(params, len(clips), macs, len(tested)))
    found = accuracies(
        network,
        card,
        extractor_from(card.features),
        lambda: (clips.read(int(position)) for position in chosen),
        dataset.actual("test")[chosen],
        tested,
        talkers,
    )
    write(stem, tested, found, len(chosen), corpus_name(card.corpus))
    worst = int(np.argmin(found))
    print(
        f"{stem}: accuracy {found[0]:.4f} as recorded, {np.mean(found):.4f} over {len(found)} "
        f"conditions, {found[worst]:.4f} under {tested[worst].name} {tested[worst].written_level} "
        f"({len(chosen)} clips)"
    )


def parse_arguments() -> str:
    """The model's file name without its ending."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or another name under `variants` in params.yaml")
    parser.add_argument("scheme", nargs="?", help="int8 or pow2; none: the float32 model")
    arguments = parser.parse_args()
    return ".".join(filter(None, (arguments.model, arguments.scheme)))


def n_clips(params: RobustnessParams, n_test: int, macs: int, n_conditions: int) -> int:
    """How many test clips a network of `macs` multiply-accumulates a clip is tested on."""
    affordable = int(params.giga_macs * 1e9 / (max(1, macs) * n_conditions))
    return max(1, min(params.clips or n_test, n_test, affordable))


def write(
    stem: str, tested: Sequence[Condition], found: Sequence[float], n: int, corpus: str
) -> None:
    files.write_csv(
        PLOTS / "robustness" / f"{stem}.csv",
        ("model", "condition", "level", "accuracy", "n", "corpus"),
        [
            (stem, condition.name, condition.written_level, round(accuracy, 6), n, corpus)
            for condition, accuracy in zip(tested, found, strict=True)
        ],
    )


if __name__ == "__main__":
    errors.run(main)
