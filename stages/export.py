"""Stage `export`: an integer network as a self-contained folder of C for a firmware project.

Reads   models/<model>.<scheme>.safetensors, metrics/<model>.<scheme>.json,
        metrics/cortex_m/<model>.<scheme>.json, models/<model>.<scheme>.detector.json, firmware/,
        CITATION.cff, LICENSE, data/raw/, data/split.csv
Writes  export/<model>.<scheme>/
Run     python stages/export.py tiny int8
        python stages/export.py lstm_36kb int8 --prefix acme_
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from spoken_digits import errors
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.data import manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.data.waveforms import waveforms_of
from spoken_digits.embedded.package import prefix as prefixes
from spoken_digits.embedded.package.folder import export_files
from spoken_digits.embedded.package.model import Model
from spoken_digits.embedded.package.readme import MEASURED
from spoken_digits.embedded.package.templates import Project
from spoken_digits.errors import UserError
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer.detector.specification import DetectorSpec, SlidingSpec
from spoken_digits.integer.detector.stored import read_detector, read_settings, read_sliding
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io import files
from spoken_digits.models import trained_on
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

RAW = Path("data/raw")
SPLIT = Path("data/split.csv")
MODELS = Path("models")
METRICS = Path("metrics")
CORTEX_M = METRICS / "cortex_m"
FIRMWARE = Path("firmware")
LICENCE = Path("LICENSE")
CITATION = Path("CITATION.cff")
EXPORT = Path("export")
N_GOLDEN = 3
GOLDEN_S = 0.4  # long enough for a word, short enough for a microcontroller's flash


def main() -> None:
    arguments = parse_arguments()
    stem = f"{arguments.model}.{arguments.scheme}"
    model = MODELS / f"{stem}.safetensors"
    card, tensors = read_model(model)
    network = integer.restore(card, tensors)
    if card.scheme != arguments.scheme:
        raise UserError(
            f"{stem}.safetensors holds a network of scheme {card.scheme}: "
            f"make it again with `dvc repro quantize@{stem}`"
        )
    spec = integer_spec(card.features, f"{stem}.safetensors")
    metrics = files.read_json(METRICS / f"{stem}.json", f"dvc repro quantize@{stem}")
    record = measurements(stem)
    detector, sliding = detectors(stem, card, network.logit_step, spec)
    exported = Model(
        network=network,
        spec=spec,
        detector=detector,
        sliding=sliding,
        name=identifier(stem),
        labels=card.labels,
        provenance=provenance(card, metrics, files.sha256(model.read_bytes())),
        project=project(),
    )
    content = export_files(
        exported,
        golden=golden_clips(card, spec),
        firmware=FIRMWARE,
        licence=LICENCE.read_text(encoding="utf-8"),
        measured={key: record[key] for key in MEASURED if key in record},
        proof=record,
        prefix=arguments.prefix,
    )
    with files.replacing(EXPORT / stem) as folder:
        write(folder, content)
    n_bytes = network.parameter_bytes()
    print(f"{EXPORT / stem}: {len(content)} files, {n_bytes:,} B of parameters; try `make check`")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny, lstm_36kb, or another that became integer")
    parser.add_argument("scheme", choices=SCHEMES)
    parser.add_argument(
        "--prefix",
        type=checked_prefix,
        default=prefixes.DEFAULT,
        help="what names in C start with, such as acme_, where sd_ is taken (default: %(default)s)",
    )
    return parser.parse_args()


def checked_prefix(text: str) -> str:
    """A prefix for names in C."""
    try:
        prefixes.check(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def identifier(stem: str) -> str:
    """The network's name in C."""
    return "sd_" + re.sub(r"[^a-z0-9]+", "_", stem.lower())


def project() -> Project:
    """Version, licence and authors of this software."""
    citation = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    return Project(
        version=str(citation["version"]),
        licence=citation["license"],
        authors=", ".join(map(author, citation["authors"])),
    )


def author(entry: Mapping[str, str]) -> str:
    """The name of an author in CITATION.cff: a person's parts, or an entity's name."""
    parts = ("given-names", "name-particle", "family-names", "name-suffix")
    return entry.get("name") or " ".join(entry[part] for part in parts if part in entry)


def provenance(card: ModelCard, metrics: dict[str, Any], sha256: str) -> dict[str, object]:
    """What the model card in C and the README say about the model."""
    raw = trained_on.provenance(card, RAW)
    accuracy = f"{metrics['accuracy']:.4f}"
    if "accuracy_ci_low" in metrics and "accuracy_ci_high" in metrics:
        low, high = metrics["accuracy_ci_low"], metrics["accuracy_ci_high"]
        accuracy += f" (95 % interval {low:.4f} to {high:.4f})"
    return {
        "model": card.name,
        "scheme": card.scheme,
        "model_sha256": sha256,
        "corpus": f"{raw['corpus']} {raw['version']}",
        "corpus_source": raw["source"],
        "corpus_licence": raw["licence"],
        "corpus_fingerprint": raw["fingerprint"],
        "synthetic": raw["synthetic"],
        "test_accuracy": accuracy,
        "best_epoch": card.best_epoch,
    }


def measurements(stem: str) -> dict[str, Any]:
    """What stage `measure` recorded: costs, and where C was proven; or why there is nothing."""
    made_by = f"python stages/measure.py {' '.join(stem.split('.'))}"
    record: dict[str, Any] = files.read_json(CORTEX_M / f"{stem}.json", made_by)
    return record


def detectors(
    stem: str, card: ModelCard, logit_step: float, spec: Spec
) -> tuple[DetectorSpec, SlidingSpec | None]:
    """What stage `detect` made for the model: a detector, and a window if it can slide."""
    model, path = MODELS / f"{stem}.safetensors", MODELS / f"{stem}.detector.json"
    content = model.read_bytes()
    detector = read_detector(
        *(path, model, content),
        sample_rate=spec.sample_rate,
        labels=card.labels,
        logit_step=logit_step,
    )
    if read_settings(path, model, content).sliding_threshold is None:
        return detector, None
    return detector, read_sliding(
        path, model, content, frontend=spec, labels=card.labels, logit_step=logit_step
    )


def golden_clips(card: ModelCard, spec: Spec) -> list[tuple[str, NDArray[np.int16]]]:
    """The first short test clip of each of the first words."""
    table = manifest.read_manifest(RAW / "manifest.csv")
    test = table.iloc[read_split(SPLIT, table)["test"]]
    of_words = (test[test["label"] == label] for label in card.labels)
    chosen = pd.concat([first_short(clips) for clips in of_words if len(clips)][:N_GOLDEN])
    waveforms = waveforms_of(RAW / "audio.zip", chosen, spec.sample_rate)
    return list(zip(chosen["utterance"], map(to_pcm, waveforms), strict=True))


def first_short(clips: pd.DataFrame) -> pd.DataFrame:
    """The row of the first clip of at most `GOLDEN_S`, of the shortest if none is."""
    seconds = clips["n_samples"] / clips["sample_rate"]
    return clips.loc[[(seconds <= max(GOLDEN_S, seconds.min())).idxmax()]]


def write(folder: Path, content: dict[str, bytes]) -> None:
    for path, one in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(one)


if __name__ == "__main__":
    errors.run(main)
