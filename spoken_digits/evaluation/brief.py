"""The few figures that `dvc metrics show` prints of a model, in columns narrow enough to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def brief(figures: Mapping[str, Any], accuracy: float) -> dict[str, Any]:
    """The accuracy, its 95 % interval (`low`, `high`), and the corpus.

    Parameters
    ----------
    figures
        ``accuracy_ci_low``, ``accuracy_ci_high`` and ``corpus``.
    """
    return {
        "accuracy": round(accuracy, 4),
        "low": round(float(figures["accuracy_ci_low"]), 4),
        "high": round(float(figures["accuracy_ci_high"]), 4),
        "corpus": figures["corpus"],
    }
