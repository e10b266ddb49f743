"""Figures as they are written."""

from __future__ import annotations

from typing import Any


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """Floats to six digits, in nested mappings too."""
    found: dict[str, Any] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            found[key] = rounded(value)
        else:
            found[key] = round(value, 6) if isinstance(value, float) else value
    return found
