"""What a model file says of itself, without the code that the model needs."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors

from spoken_digits.errors import UserError
from spoken_digits.evaluation.report.collecting import Figures

_KEY = "spoken_digits"  # of the metadata: models.card, which needs PyTorch


def stored_card(path: Path) -> Figures | None:
    """The fields of a model card as they are stored; no tensor is read. None without a file.

    Raises
    ------
    UserError
        The file has no card that can be read.
    """
    try:
        with safetensors.safe_open(path, "numpy") as file:
            card: Figures = json.loads((file.metadata() or {})[_KEY])
    except FileNotFoundError:
        return None
    except (KeyError, ValueError, OSError, safetensors.SafetensorError):
        raise UserError(
            f"{path} has no model card that can be read: make it again with `dvc repro`"
        ) from None
    return card
