"""Stage `reject`: what an open model and its variant make of what is none of the words.

Reads   models/<model>.safetensors and models/<model>.int8.safetensors of the open model and of its
        variant, data/plans/<model>.json, data/raw/, data/split.csv, data/rejects/val/,
        data/rejects/test/, data/other_speech/test/, params.yaml: corpus.rejection.models
Writes  metrics/rejection/<model>.json, plots/rejection/<model>.csv,
        plots/rejection/<model>.roc.png, plots/rejection/<model>.det.png
Run     python stages/reject.py tiny_open

Thresholds are chosen on data/rejects/val/ alone. Without data/other_speech/test/ the record stays
as it is if it is of the same models; otherwise there are no figures of real speech.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.corpora.other_speech import PHRASE, WORD
from spoken_digits.data import manifest
from spoken_digits.data.clips import ClipArchive, clip_sources
from spoken_digits.data.subsets import read_split
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.evaluation import rejection, rejection_picture
from spoken_digits.evaluation.hearing import Listener, Sounds
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files
from spoken_digits.models.device import set_up
from spoken_digits.rejection.dataset import read_rejects
from spoken_digits.rejection.labels import NOT_WORDS, SILENCE, UNKNOWN
from spoken_digits.rejection.params import MODELS as OPEN_MODELS
from spoken_digits.rejection.params import OpenParams

DATA = Path("data")
RAW = DATA / "raw"
OTHER_SPEECH = DATA / "other_speech" / "test"
MODELS = Path("models")
METRICS = Path("metrics/rejection")
PLOTS = Path("plots/rejection")
PIECE_S = (0.3, 1.0)
"""Phrases are cut into pieces of the second; what is left at the end counts from the first."""


def main() -> None:
    name = parse_arguments().model
    config = read_config(Path("params.yaml"))
    variant = config.section(f"{OPEN_MODELS}.{name}", OpenParams).variant
    stems = [variant, f"{variant}.int8", name, f"{name}.int8"]
    listeners = {stem: MODELS / f"{stem}.safetensors" for stem in stems}
    digests = {stem: files.sha256(read_bytes(path))[:16] for stem, path in listeners.items()}
    is_real = (OTHER_SPEECH / "provenance.json").is_file()
    if not is_real and is_record_of(name, digests):
        errors.warn(f"{OTHER_SPEECH} is empty; what is recorded of the same models stays")
        return
    if not is_real:
        errors.warn(f"{OTHER_SPEECH} is empty: there are no figures of real speech")
    set_up("cpu", threads=1)
    rate = config.value("features.sample_rate", int)
    said, words = test_words(rate)
    sounds = {
        "noise": rejects("test", SILENCE, rate),
        "made non-words": rejects("test", UNKNOWN, rate),
    }
    if is_real:
        sounds |= {
            "other words": other_speech(WORD, rate),
            "seconds of phrases": in_pieces(other_speech(PHRASE, rate)),
        }
    validation = rejects("val", UNKNOWN, rate)
    metrics: dict[str, Any] = {}
    curves: list[tuple[Any, ...]] = []
    corpus = ""
    for stem, path in listeners.items():
        listener = Listener(path)
        corpus = corpus_name(listener.card.corpus)
        known = rejection.known(heard(listener, words), listener.classes(said))
        others = {group: heard(listener, clips) for group, clips in sounds.items()}
        found = rejection.figures(known, others, heard(listener, validation))
        metrics[stem] = {"model_sha256": digests[stem], "corpus": corpus, **found}
        curves += [(stem, *row) for row in rejection.curve(known, others)]
        print(in_short(stem, found))
    write(name, metrics, curves, corpus)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name under `corpus.rejection.models` in params.yaml")
    return parser.parse_args()


def read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise errors.UserError(f"{path} is missing: make it with `dvc repro reject`")
    return path.read_bytes()


def is_record_of(name: str, digests: dict[str, str]) -> bool:
    """Whether the recorded figures are of these very models."""
    path = METRICS / f"{name}.json"
    if not path.exists():
        return False
    recorded = files.read_json(path, "dvc repro reject")
    return {stem: row.get("model_sha256") for stem, row in recorded.items()} == digests


def test_words(rate: int) -> tuple[list[str], Sounds]:
    """What the test clips say, and the clips."""
    table = manifest.read_manifest(RAW / "manifest.csv")
    test = table.iloc[read_split(DATA / "split.csv", table)["test"]]
    test = test[~test["label"].isin(NOT_WORDS)]
    return test["label"].tolist(), sounds_of(RAW, test, rate)


def rejects(subset: str, label: str, rate: int) -> Sounds:
    """Made clips of one class."""
    folder = DATA / "rejects" / subset
    table = read_rejects(folder, subset).table
    return sounds_of(folder, table[table["label"] == label], rate)


def other_speech(kind: str, rate: int) -> Sounds:
    """Real speech of one kind."""
    table = manifest.read_manifest(OTHER_SPEECH / "manifest.csv")
    return sounds_of(OTHER_SPEECH, table[table["kind"] == kind], rate)


def sounds_of(folder: Path, table: pd.DataFrame, rate: int) -> Sounds:
    archive = ClipArchive(folder / "audio.zip")
    clips = clip_sources(folder / "audio.zip", table)
    return Sounds(
        waveforms=read_waveforms(archive, clips, rate),
        speakers=table["speaker"].tolist(),
        sample_rate=rate,
    )


def heard(listener: Listener, clips: Sounds) -> rejection.Heard:
    return rejection.heard(listener.logits(clips), listener.card.labels, clips.speakers)


def in_pieces(sounds: Sounds) -> Sounds:
    """Every second of longer recordings as a clip of its own."""
    shortest, longest = (round(seconds * sounds.sample_rate) for seconds in PIECE_S)
    pieces, speakers = [], []
    for waveform, speaker in zip(sounds.waveforms, sounds.speakers, strict=True):
        for start in range(0, waveform.size, longest):
            piece = waveform[start : start + longest]
            # Digital silence between two sentences has no features, and is no speech.
            if piece.size >= shortest and np.ptp(piece) > 0:
                pieces.append(piece)
                speakers.append(speaker)
    return Sounds(waveforms=pieces, speakers=speakers, sample_rate=sounds.sample_rate)


def in_short(stem: str, found: dict[str, Any]) -> str:
    parts = [
        f"{point}: words {row['accuracy']:.4f}, "
        + ", ".join(f"{group} {one['rate']:.3f}" for group, one in row["false_accepts"].items())
        for point, row in found.items()
        if "false_accepts" in row
    ]
    return f"{stem}\n  " + "\n  ".join(parts)


def write(name: str, metrics: dict[str, Any], curves: list[tuple[Any, ...]], corpus: str) -> None:
    files.write_json(METRICS / f"{name}.json", metrics)
    rows = pd.DataFrame(curves, columns=["model", *rejection.CURVE_COLUMNS])
    with files.replacing(PLOTS / f"{name}.csv") as temporary:
        rows.assign(corpus=corpus).to_csv(temporary, index=False, lineterminator="\n")
    for kind, draw in (("roc", rejection_picture.draw_roc), ("det", rejection_picture.draw_det)):
        with files.replacing(PLOTS / f"{name}.{kind}.png") as temporary:
            draw(temporary, rows, f"{name} against what is none of the words ({corpus})")


if __name__ == "__main__":
    errors.run(main)
