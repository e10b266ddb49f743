"""The plan of a model: all that decides its training, besides data and code.

Stage `plan` resolves params.yaml into one file a model, so that a model is trained again when, and
only when, something in its own plan changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.io import files
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
    seed: int
    """Draws initial weights, order, dropout and augmentation."""
    recipe: Recipe
    """How it is trained."""


def write_plans(folder: Path, plans: Sequence[Plan], checkpoint_seconds: float) -> None:
    """Write one file per plan into the empty `folder`; settings that change no result go apart."""
    for plan in plans:
        files.write_json(folder / f"{plan.model}.json", dataclasses.asdict(plan))
    files.write_json(folder / _SETTINGS, {_CHECKPOINT: checkpoint_seconds})


def read_plan(folder: Path, model: str) -> Plan:
    """The plan of `model` that `write_plans` wrote into `folder`.

    Raises
    ------
    UserError
        No such model, or a file that is not a plan.
    """
    path = folder / f"{model}.json"
    planned = sorted(file.stem for file in folder.glob("*.json"))
    if planned and model not in planned:
        raise UserError(f"no model {model!r} in params.yaml; there are {', '.join(planned)}")
    content = files.read_json(path, _MADE_BY)
    try:
        return Plan(**{**content, "recipe": Recipe(**content["recipe"])})
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path} is not a plan: make it again with `{_MADE_BY}`") from None


def read_checkpoint_seconds(folder: Path) -> float:
    """Shortest time between two checkpoints of a training, seconds."""
    path = folder / _SETTINGS
    try:
        return float(files.read_json(path, _MADE_BY)[_CHECKPOINT])
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path} is damaged: make it again with `{_MADE_BY}`") from None


_MADE_BY = "dvc repro plan"
_SETTINGS = Path("settings", "training.json")
_CHECKPOINT = "checkpoint_seconds"
