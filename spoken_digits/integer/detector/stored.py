"""What makes a detector of one model, as a file: calibration, threshold and section `detector`."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spoken_digits import validation
from spoken_digits.bounds import Bounds, Digest
from spoken_digits.errors import UserError
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.specification import (
    DetectorSpec,
    SlidingSpec,
    specify,
    specify_sliding,
    why_not_sliding,
)
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.io import files
from spoken_digits.rejection.labels import NOT_WORDS


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``models/<model>.<scheme>.detector.json``, made by stage `detect`."""

    model_sha256: Digest
    """Of the model file."""
    temperature: Annotated[float, Bounds(above=0, high=1e6)]
    """Divides the logits before the softmax: confidence is then accuracy on validation words."""
    threshold: Annotated[float, Bounds(0, 1)]
    """Least confidence of a word."""
    detector: DetectorParams
    """Section `detector` of params.yaml."""
    sliding_threshold: Annotated[float, Bounds(0, 1)] | None = None
    """Least mean probability of a word in a sliding window; null where the model has none."""


def write_settings(path: Path, settings: Settings) -> None:
    """Write the file, whole or not at all."""
    files.write_json(path, dataclasses.asdict(settings))


def read_settings(path: Path, model: Path, content: bytes, labels: Sequence[str] = ()) -> Settings:
    """The detector of a model.

    Parameters
    ----------
    path
        The detector's file.
    model, content
        The model's file, and what it holds.
    labels
        Its classes, as far as they are known: errors name the stage of an open model by them.

    Raises
    ------
    UserError
        The file is missing or damaged, or belongs to another model; one line.
    """
    if not path.exists():
        raise UserError(f"{path} is missing: make it with `{_made_by(model, labels)}`")
    read = files.read_json(path, "dvc repro detect")
    if isinstance(read.get("detector"), dict):
        read["detector"].setdefault("sliding", None)  # a file of before the sliding window
    settings = validation.build(Settings, read, "", str(path), exact=False)
    if settings.model_sha256 != hashlib.sha256(content).hexdigest():
        raise UserError(
            f"{path} is the detector of another model than {model}: make it again with "
            f"`{_made_by(model, labels)}`"
        )
    return settings


def _made_by(model: Path, labels: Sequence[str]) -> str:
    """The command for this model alone: stage `detect` is one of many."""
    name = model.name.removesuffix(".safetensors")
    if set(NOT_WORDS) & set(labels):
        return f"dvc repro detect_open@{name.partition('.')[0]}"
    return f"dvc repro detect@{name.replace('.', '-')}"


def read_detector(
    path: Path,
    model: Path,
    content: bytes,
    *,
    sample_rate: int,
    labels: Sequence[str],
    logit_step: float,
    threshold: float | None = None,
) -> DetectorSpec:
    """The integers of a model's detector.

    Parameters
    ----------
    path, model, content
        As for `read_settings`.
    sample_rate, labels, logit_step
        Of the model, as for `specify`.
    threshold
        Replaces that of the file; 0 to 1.

    Raises
    ------
    UserError
        As `read_settings`, or integers cannot hold a value.
    """
    settings = read_settings(path, model, content, labels)
    try:
        return specify(
            settings.detector,
            sample_rate,
            labels=labels,
            logit_step=logit_step,
            temperature=settings.temperature,
            threshold=settings.threshold if threshold is None else threshold,
        )
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def read_sliding(
    path: Path,
    model: Path,
    content: bytes,
    *,
    frontend: Spec,
    labels: Sequence[str],
    logit_step: float,
    threshold: float | None = None,
) -> SlidingSpec:
    """The integers of a model's sliding window.

    Parameters
    ----------
    path, model, content, labels, logit_step, threshold
        As for `read_detector`.
    frontend
        Of the model.

    Raises
    ------
    UserError
        As `read_detector`, the model is not made for it, or the file is of before there was one.
    """
    if reason := why_not_sliding(labels, frontend):
        raise UserError(f"{model}: {reason}")
    settings = read_settings(path, model, content, labels)
    params, chosen = settings.detector.sliding, settings.sliding_threshold
    if params is None or chosen is None:
        raise UserError(
            f"{path} holds no sliding window: set `detector.sliding` in params.yaml and make it "
            "again with `dvc repro detect_open`"
        )
    try:
        return specify_sliding(
            params,
            frontend,
            labels=labels,
            logit_step=logit_step,
            temperature=settings.temperature,
            threshold=chosen if threshold is None else threshold,
        )
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
