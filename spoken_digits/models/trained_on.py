"""The recordings that a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.io import files
from spoken_digits.models.card import ModelCard


def provenance(card: ModelCard, raw: Path) -> Mapping[str, Any]:
    """provenance.json of the folder `raw`, if the model was trained on its recordings.

    Raises
    ------
    UserError
        There is none, or the model was trained on others.
    """
    content: Mapping[str, Any] = files.read_json(raw / "provenance.json", "dvc repro download")
    if content["fingerprint"] != card.corpus["fingerprint"]:
        raise UserError(
            f"{card.name} was trained on other recordings than those in {raw}: "
            f"train it again with `dvc repro train@{card.name}`"
        )
    return content
