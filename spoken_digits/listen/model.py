"""An integer model and its detector from their files, read without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import safetensors
from numpy.typing import NDArray

from spoken_digits.errors import UserError, printable
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer import graph
from spoken_digits.integer.detector.base import StreamDetector
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import Pcm
from spoken_digits.integer.detector.sliding import SlidingDetector
from spoken_digits.integer.detector.specification import DetectorSpec, SlidingSpec
from spoken_digits.integer.detector.stored import read_detector, read_settings, read_sliding
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES

METADATA_KEY = "spoken_digits"
"""As in `models.card`, which would load PyTorch; a test holds the two together."""
_AGAIN = "make it again with `dvc repro`"
_LARGEST_BYTES = 2**26


class _OfModel(TypedDict):
    labels: Sequence[str]
    logit_step: float
    threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Listener:
    """What a detector needs of a model."""

    labels: tuple[str, ...]
    frontend: Spec
    network: IntegerGraph
    detector: DetectorSpec
    """Words between quiet."""
    sliding: SlidingSpec | None
    """Words in windows that slide, where that was asked for."""

    def listening(self) -> StreamDetector:
        """A detector at the beginning of a stream."""
        if self.sliding is not None:
            return SlidingDetector(self.sliding, self.recognise)
        return Detector(self.detector, self.recognise)

    def recognise(self, clips: Sequence[Pcm]) -> NDArray[np.int32]:
        """Logits (n_clips, n_classes) of int16 samples."""
        return self.network.logits(*extraction.extract(clips, self.frontend))


def settings_path(model: Path) -> Path:
    """Where stage `detect` puts a model's threshold: ``tiny.int8.detector.json`` beside it."""
    return model.with_suffix(".detector.json")


def has_sliding(model: Path) -> bool:
    """Whether the detector file of a model holds a sliding window; raises as `open_listener`."""
    settings = read_settings(settings_path(model), model, _read(model))
    return settings.sliding_threshold is not None


def open_listener(path: Path, threshold: float | None = None, *, sliding: bool = False) -> Listener:
    """Model file and its detector, ready to listen.

    Parameters
    ----------
    path
        ``models/<model>.<scheme>.safetensors``; its detector lies beside it.
    threshold
        Replaces that of the detector; 0 to 1.
    sliding
        Listen through a sliding window.

    Raises
    ------
    UserError
        A file is missing or damaged, the model is not an integer one, the detector is of another
        model, or a window cannot slide over the model's words.
    """
    content = _read(path)
    card, arrays = _parse(path)
    labels, frontend, found = _network(path, card, arrays)
    where = settings_path(path), path, content
    of_model: _OfModel = {
        "labels": labels,
        "logit_step": found.logit_step,
        "threshold": threshold,
    }
    slides = read_sliding(*where, frontend=frontend, **of_model) if sliding else None
    spec = read_detector(*where, sample_rate=frontend.sample_rate, **of_model)
    return Listener(labels=labels, frontend=frontend, network=found, detector=spec, sliding=slides)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError(f"{path} is too large for an integer model: give such as tiny.int8")
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `dvc repro quantize`") from None


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The model card, and the tensors by name."""
    try:
        with safetensors.safe_open(path, "np") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, TypeError) as error:
        raise UserError(f"{path} is not a whole .safetensors file ({error}): {_AGAIN}") from None
    if text is None:
        raise UserError(f"{path} carries no model card of this project: {_AGAIN}")
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: its model card is damaged ({error}): {_AGAIN}") from None
    return cast(dict[str, Any], card if isinstance(card, dict) else {}), arrays


def _network(
    path: Path, card: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> tuple[tuple[str, ...], Spec, IntegerGraph]:
    scheme, labels = card.get("scheme"), card.get("labels")
    if scheme not in SCHEMES:
        raise UserError(
            f"{path} is of scheme {printable(str(scheme))}: give an integer model, of "
            f"{' or '.join(SCHEMES)}, such as models/tiny.int8.safetensors"
        )
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise UserError(f"{path}: its model card names no labels: {_AGAIN}")
    features = card.get("features")
    frontend = integer_spec(
        features if isinstance(features, dict) else {}, f"{path}: its model card"
    )
    try:
        found = graph.from_arrays(arrays)
    except ValueError as error:
        raise UserError(f"{path}: its network is damaged ({error}): {_AGAIN}") from None
    if (found.n_classes, found.n_inputs) != (len(labels), frontend.n_features):
        raise UserError(f"{path}: its network does not fit its model card: {_AGAIN}")
    return tuple(labels), frontend, found
