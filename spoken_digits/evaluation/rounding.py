"""Figures as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Floats to six decimals, in nested mappings too: enough to compare, the same in every run."""
    found: dict[str, Any] = {}
    for key, value in figures.items():
        if isinstance(value, Mapping):
            found[key] = rounded(value)
        else:
            # Adding zero turns -0.0 into 0.0.
            found[key] = round(value, 6) + 0.0 if isinstance(value, float) else value
    return found
