"""Prove that a detector decides alike in NumPy, C, on a Cortex-M3 and as WebAssembly, for hours.

Reads   models/<model>.<scheme>.safetensors and .detector.json, data/raw/, data/split.csv,
        data/other_speech/test/, firmware/, params.yaml: seed, detect
Writes  metrics/streams/<model>.<scheme>.json: digest of the model file, hours, events, words
        among them for which the recogniser was asked, and how many events differ from those of
        NumPy, by target
Run     python stages/prove_streams.py tiny_open int8
        python stages/prove_streams.py tiny int8 --hours 1

The streams are those that stage `detect` tests on, under one seed after the other. Exits with 1 if
anything differs. Not part of `dvc repro`: `make prove` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import dataclasses
import tempfile
from pathlib import Path

from tqdm import tqdm

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import examination, material, proof
from spoken_digits.evaluation.detection.examination import Examinee
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.integer.detector.stored import read_settings
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io import files
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

DATA = Path("data")
RAW = DATA / "raw"
OTHER_SPEECH = DATA / "other_speech"
MODELS = Path("models")
METRICS = Path("metrics/streams")
FIRMWARE = Path("firmware")
HOURS = 10.0


def main() -> None:
    arguments = parse_arguments()
    stem, config = f"{arguments.model}.{arguments.scheme}", read_config(Path("params.yaml"))
    params, seed = config.section("detect", DetectParams), config.value("seed", int)
    model_file = MODELS / f"{stem}.safetensors"
    card, tensors = read_model(model_file)
    model = examination.examinee(card, integer.restore(card, tensors), FIRMWARE)
    settings = read_settings(MODELS / f"{stem}.detector.json", model_file, model_file.read_bytes())
    spec = examination.specified(
        model.recogniser, settings.detector, settings.temperature, settings.threshold
    )
    sound = gathered(config, model, params, seed)
    found = proof.Proof()
    with tempfile.TemporaryDirectory(prefix="streams-") as folder:
        some = proof.streams(sound, params, spec.sample_rate, seed, arguments.hours)
        heard_by = proof.targets(model, spec, Path(folder))
        with tqdm(total=arguments.hours, desc=stem, unit="h", disable=None) as bar:
            for found in proof.prove(model, spec, heard_by, some):
                bar.update(found.hours - bar.n)
    write(stem, files.sha256(model_file.read_bytes()), found)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny_open, or another with an integer network")
    parser.add_argument("scheme", choices=SCHEMES)
    parser.add_argument(
        "--hours", type=float, default=HOURS, help=f"at least so many (default: {HOURS:g})"
    )
    arguments = parser.parse_args()
    if not 0 < arguments.hours <= 1000:
        parser.error("--hours must be above 0 and at most 1000")
    return arguments


def gathered(config: Config, model: Examinee, params: DetectParams, seed: int) -> material.Material:
    """The sound of the test streams of stage `detect`."""
    rows = read_split(DATA / "split.csv", read_manifest(RAW / "manifest.csv"))["test"]
    labels, rate = model.recogniser.labels, model.frontend.sample_rate
    return material.gathered(
        material.words_of(RAW, rows, labels, params.words, rate),
        OTHER_SPEECH / "test",
        "test",
        labels,
        synthetic_minutes=params.synthetic_minutes,
        sample_rate=rate,
        seed=seed,
    )


def write(stem: str, model_sha256: str, found: proof.Proof) -> None:
    """The figures, recorded and printed."""
    figures = {"model_sha256": model_sha256, **dataclasses.asdict(found)}
    files.write_json(METRICS / f"{stem}.json", rounded(figures))
    each = ", ".join(f"{n} {name}" for name, n in found.differences.items())
    print(
        f"{stem}: of {found.events:,} events in {found.hours:.1f} h, {found.words:,} of them "
        f"recognised, differ from NumPy: {each}"
    )
    if any(found.differences.values()):
        raise UserError("the detectors are not the same")


if __name__ == "__main__":
    errors.run(main)
