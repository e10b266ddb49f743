"""Rows of tables that more than one stage writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIZE_ACCURACY_COLUMNS = (
    "model",
    "scheme",
    "parameters",
    "size_kib",
    "accuracy",
    "accuracy_ci_low",
    "accuracy_ci_high",
    "corpus",
)


def corpus_name(corpus: Mapping[str, Any]) -> str:
    """How tables and pictures name the corpus of a model card: what is synthetic says so.

    Parameters
    ----------
    corpus
        Keys ``corpus``, ``version`` and ``synthetic``, as in provenance.json.
    """
    name = f"{corpus['corpus']} {corpus['version']}".strip()
    return f"{name}, synthetic speech" if corpus["synthetic"] else name


def is_own(corpus: Mapping[str, Any]) -> bool:
    """Whether a corpus is of own words, recorded or spoken by machines."""
    return corpus["corpus"] in ("folder", "spoken")


def size_accuracy_row(
    model: str, scheme: str, metrics: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Header and the one row of plots/size_accuracy/<model>.csv."""
    values = (metrics[column] for column in SIZE_ACCURACY_COLUMNS[2:])
    rounded = [round(value, 6) if isinstance(value, float) else value for value in values]
    return SIZE_ACCURACY_COLUMNS, [[model, scheme, *rounded]]
