"""Detectors and streams for tests: small ones, with words made of tones."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy
from recognisers import expected, make
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.integer.detector.base import Recognise
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.specification import (
    DetectorSpec,
    SlidingSpec,
    specify,
    specify_sliding,
)
from spoken_digits.integer.detector.stored import Settings, write_settings
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.listen.model import METADATA_KEY, settings_path
from spoken_digits.rejection.labels import NOT_WORDS

RATE = 8000
SILENT = 3
PARAMS = read_config(REPOSITORY / "params.yaml").section("detector", DetectorParams)


def small(
    kind: str = "graph", **changes: float
) -> tuple[DetectorSpec, IntegerGraph, Spec, Recognise]:
    """A detector with its recogniser, of which class `SILENT` or the last is never reported."""
    network, frontend = make(kind)
    labels = [f"word {i}" for i in range(network.n_classes)]
    labels[min(SILENT, network.n_classes - 1)] = "_unknown_"
    spec = detector_of(network, labels, **changes)
    return spec, network, frontend, lambda clips: expected(network, frontend, list(clips))


def detector_of(network: IntegerGraph, labels: Sequence[str], **changes: float) -> DetectorSpec:
    """A detector for a small network."""
    return specify(
        PARAMS,
        RATE,
        labels=labels,
        logit_step=network.logit_step,
        **{"temperature": 0.1, "threshold": 0.65} | changes,
    )


def write_model(path: Path, kind: str = "graph", labels: list[str] | None = None) -> Path:
    """A model file with its detector beside it."""
    _, network, frontend, _ = small(kind)
    card = {
        "scheme": "int8",
        "labels": labels or [f"wörd {i}" for i in range(network.n_classes)],
        "features": {
            "kind": "log_mel_int" if kind == "graph" else "mfcc_int",
            **dataclasses.asdict(frontend),
        },
    }
    safetensors.numpy.save_file(network.arrays(), path, {METADATA_KEY: json.dumps(card)})
    write_detector(path)
    return path


def write_open_model(path: Path) -> Path:
    """A model file that knows silence and unknown words, with detector and sliding window."""
    _, network, _, _ = small_sliding()
    labels = [f"wörd {i}" for i in range(network.n_classes)]
    labels[SILENT], labels[SILENT - 1] = NOT_WORDS
    write_detector(write_model(path, labels=labels), sliding_threshold=0.5)
    return path


def write_detector(model: Path, **changes: object) -> None:
    """The detector of a model file."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    settings = Settings(model_sha256=digest, temperature=0.1, threshold=0.65, detector=PARAMS)
    write_settings(settings_path(model), dataclasses.replace(settings, **changes))


def noise(rng: np.random.Generator, seconds: float, rms: float = 30) -> np.ndarray:
    """Steady noise."""
    return rng.normal(0, rms, round(seconds * RATE))


def tone(rng: np.random.Generator, seconds: float, rms: float = 2000) -> np.ndarray:
    """A sound that any endpointer hears."""
    n = round(seconds * RATE)
    phase = 2 * np.pi * rng.uniform(150, 3000) * np.arange(n) / RATE
    return rms * np.sqrt(2) * np.sin(phase) * np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 0.3


def pcm(samples: np.ndarray) -> np.ndarray:
    """As a converter gives them."""
    return np.clip(np.round(samples), -(2**15), 2**15 - 1).astype(np.int16)


def words_in_noise(seed: int, n_words: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """A stream, and first and last sample of each word; clicks and long sounds among them."""
    rng = np.random.default_rng(seed)
    stream = noise(rng, 1.0)
    spans = []
    for i in range(n_words):
        word = tone(rng, rng.uniform(0.2, 0.8), 10 ** rng.uniform(2.8, 3.8))
        spans.append((len(stream), len(stream) + len(word)))
        stream = np.concatenate([stream, word, noise(rng, rng.uniform(0.4, 0.9))])
        if i % 4 == 0:
            other = tone(rng, 0.06 if i % 8 else 1.6)
            stream = np.concatenate([stream, other, noise(rng, 0.5)])
    return pcm(stream + rng.normal(0, 30, len(stream)) + 500), spans


def small_sliding(
    *, threshold: float = 0.5, temperature: float = 0.1, **changes: float
) -> tuple[SlidingSpec, IntegerGraph, Spec, Recognise]:
    """A sliding window with its recogniser, of which two classes are never reported."""
    network, frontend = make("graph")
    labels = [f"word {i}" for i in range(network.n_classes)]
    labels[SILENT], labels[SILENT - 1] = NOT_WORDS
    assert PARAMS.sliding is not None
    spec = specify_sliding(
        dataclasses.replace(PARAMS.sliding, **changes),
        frontend,
        labels=labels,
        logit_step=network.logit_step,
        temperature=temperature,
        threshold=threshold,
    )
    return spec, network, frontend, lambda clips: expected(network, frontend, list(clips))
