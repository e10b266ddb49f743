"""Stage `detect`: a detector for one integer model, calibrated, and tested on long streams.

Reads   models/<model>.<scheme>.safetensors, data/raw/, data/split.csv, data/other_speech/,
        firmware/, params.yaml: seed, detector, detect
Writes  models/<model>.<scheme>.detector.json, metrics/detector/<model>.<scheme>.json,
        plots/detector/<model>.<scheme>.csv and .png
Run     python stages/detect.py tiny int8

Temperature and threshold come from validation clips and streams, the test clips only test. The
streams are made up; who speaks in them stands in the metrics: on a random split, people whom the
model has heard. Figures named synthetic are of speech by machines. A model that knows silence and
unknown words also listens through a sliding window: `sliding` in the metrics, rows of
`<model>.<scheme>.sliding` in the table.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import examination, material, picture, trial
from spoken_digits.evaluation.detection.examination import Examinee, Report
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.stored import Settings, write_settings
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io import files
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

DATA = Path("data")
RAW = DATA / "raw"
OTHER_SPEECH = DATA / "other_speech"
MODELS = Path("models")
METRICS = Path("metrics/detector")
PLOTS = Path("plots/detector")
FIRMWARE = Path("firmware")


def main() -> None:
    arguments = parse_arguments()
    stem, config = f"{arguments.model}.{arguments.scheme}", read_config(Path("params.yaml"))
    detector = config.section("detector", DetectorParams)
    params = config.section("detect", DetectParams)
    seed = config.value("seed", int)
    model_file = MODELS / f"{stem}.safetensors"
    card, tensors = read_model(model_file)
    model = examination.examinee(card, integer.restore(card, tensors), FIRMWARE)
    minutes = params.synthetic_minutes
    known = trial.VALIDATION_SHARE * minutes if examination.slides(model, detector) else 0.0
    validation = gathered(card, model, params, "val", known, seed)
    test = gathered(card, model, params, "test", minutes, seed)
    report = examination.examine(model, detector, params, validation, test, seed)
    write(stem, card, report)
    settings = Settings(
        model_sha256=files.sha256(model_file.read_bytes()),
        temperature=report.temperature,
        threshold=report.threshold,
        detector=detector,
        sliding_threshold=report.sliding.threshold if report.sliding else None,
    )
    write_settings(MODELS / f"{stem}.detector.json", settings)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny, or another with an integer network")
    parser.add_argument("scheme", choices=SCHEMES)
    return parser.parse_args()


def gathered(
    card: ModelCard,
    model: Examinee,
    params: DetectParams,
    subset: str,
    synthetic_minutes: float,
    seed: int,
) -> material.Material:
    """Sound of val or test, which share no clip, no other word, and no voice of a machine."""
    table = read_manifest(RAW / "manifest.csv")
    rows = read_split(DATA / "split.csv", table)[subset]
    if not len(rows):
        raise UserError(
            "no clip validates, so no threshold can be chosen: set `split.validation` to held_out"
        )
    rate, is_test = model.frontend.sample_rate, subset == "test"
    return material.gathered(
        material.words_of(RAW, rows, card.labels, params.words, rate),
        OTHER_SPEECH / ("test" if is_test else "train"),
        "test" if is_test else "validation",
        card.labels,
        synthetic_minutes=synthetic_minutes,
        sample_rate=rate,
        seed=seed,
    )


def write(stem: str, card: ModelCard, report: Report) -> None:
    """Metrics and picture; prints the most important."""
    table = read_manifest(RAW / "manifest.csv")
    tested = set(table["speaker"].iloc[read_split(DATA / "split.csv", table)["test"]])
    n_unheard = len(tested - set(card.heard)) if card.heard else None
    figures: dict[str, Any] = report.metrics | {
        "speakers": len(tested),
        "speakers_unheard": n_unheard,
        "corpus": corpus_name(card.corpus),
    }
    if report.sliding:
        figures["sliding"] = report.sliding.metrics
    files.write_json(METRICS / f"{stem}.json", rounded(figures))
    whose = picture.voices(len(tested), n_unheard)
    picture.write(PLOTS, stem, report, corpus_name(card.corpus), whose)
    print(summary(stem, figures))
    if report.sliding:
        print(summary(f"{stem}, sliding window", report.sliding.metrics))


def summary(stem: str, figures: dict[str, Any]) -> str:
    words, noise = figures["words"], figures["noise"]
    return (
        f"{stem}: {words['hit_rate']:.4f} of the words found and right at threshold "
        f"{figures['threshold']:.4f}, {noise['n']} false accepts in {noise['hours']:g} h of noise, "
        f"{figures['differences_c']} differences between NumPy and C in {figures['hours']:.1f} h"
    )


if __name__ == "__main__":
    errors.run(main)
