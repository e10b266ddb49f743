"""The plan of a model: all that decides its training, besides data and code.

Stage `plan` resolves params.yaml into one file a model, so that a model is trained again when, and
only when, something in its own plan changes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spoken_digits import validation
from spoken_digits.errors import UserError
from spoken_digits.io import fast_yaml, files
from spoken_digits.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one model is made."""

    model: str
    """Its name."""
    architecture: dict[str, Any]
    """`name` of the architecture and the keyword arguments of its network."""
    features: str
    """Kind of features it reads."""
    augmentation: str
    """What is varied in training: a package of `spoken_digits.augmentation`."""
    corpus: str
    """Name of the corpus whose recipe this is."""
    n_classes: int
    """Words of the corpus, which a budget's hidden size depends on."""
    seed: int
    """Draws initial weights, order, dropout and augmentation."""
    recipe: Recipe
    """How it is trained."""
    voices: str | None
    """Fingerprint of the extra voices that are trained on too; None: the corpus alone."""


def write_plans(
    folder: Path, plans: Sequence[Plan], checkpoint_seconds: float, params: Path
) -> None:
    """Write one file per plan, and a file of settings that change no result.

    Parameters
    ----------
    folder
        Empty.
    plans
        One for each model.
    checkpoint_seconds
        Shortest time between two checkpoints of a training.
    params
        params.yaml, whose sections the plans were made from.
    """
    for plan in plans:
        files.write_json(folder / f"{plan.model}.json", dataclasses.asdict(plan))
    settings = {_CHECKPOINT: checkpoint_seconds, _MADE_FROM: _digest_of_sections(params)}
    files.write_json(folder / _SETTINGS, settings)


def read_plan(folder: Path, model: str, params: Path) -> Plan:
    """The plan of `model` that `write_plans` wrote into `folder`.

    Raises
    ------
    UserError
        No such model, a file that is not a plan, or plans made from another `params`.
    """
    if _settings(folder).get(_MADE_FROM) != _digest_of_sections(params):
        raise UserError(f"{params} has changed since {folder} was made: run `{_MADE_BY}`")
    path = folder / f"{model}.json"
    planned = sorted(file.stem for file in folder.glob("*.json"))
    if planned and model not in planned:
        raise UserError(f"no model {model!r} in params.yaml; there are {', '.join(planned)}")
    content = files.read_json(path, _MADE_BY)
    try:
        recipe = validation.build(Recipe, content["recipe"], "recipe", str(path))
        return Plan(**{**content, "recipe": recipe})
    except (KeyError, TypeError, UserError):
        raise UserError(f"{path} is not a plan: make it again with `{_MADE_BY}`") from None


def read_checkpoint_seconds(folder: Path) -> float:
    """Shortest time between two checkpoints of a training, seconds."""
    try:
        return float(_settings(folder)[_CHECKPOINT])
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{folder / _SETTINGS} is damaged: run `{_MADE_BY}`") from None


def _settings(folder: Path) -> dict[str, Any]:
    return files.read_json(folder / _SETTINGS, _MADE_BY)


def _digest_of_sections(params: Path) -> str:
    """Digest of what plans are made from: a run by hand must not use those of other parameters."""
    try:
        content = fast_yaml.load(params.read_bytes())
        sections = {name: content.get(name) for name in SECTIONS}
        sections[EXTRA_VOICES] = content.get("corpus", {}).get("extra_voices")
    except (OSError, yaml.YAMLError, AttributeError, ValueError):
        return ""
    return files.sha256(json.dumps(sections, sort_keys=True, default=str).encode())


SECTIONS = ("seed", "features", "train", "model", "variants")
"""Sections of params.yaml that plans are made from."""
EXTRA_VOICES = "corpus.extra_voices"
"""The one key of another section that they are made from."""
_MADE_FROM = "sections_sha256"


_MADE_BY = "dvc repro plan"
_SETTINGS = Path("settings", "training.json")
_CHECKPOINT = "checkpoint_seconds"
