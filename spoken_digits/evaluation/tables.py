"""Rows of tables that more than one stage writes."""

from __future__ import annotations

from collections.abc import Mapping

SIZE_ACCURACY_COLUMNS = (
    "model",
    "scheme",
    "parameters",
    "size_kib",
    "accuracy",
    "accuracy_ci_low",
    "accuracy_ci_high",
)


def size_accuracy_row(
    model: str, scheme: str, metrics: Mapping[str, float | int]
) -> tuple[tuple[str, ...], list[list[str | float]]]:
    """Header and the one row of plots/size_accuracy/<model>.csv."""
    numbers = [round(metrics[column], 6) for column in SIZE_ACCURACY_COLUMNS[2:]]
    return SIZE_ACCURACY_COLUMNS, [[model, scheme, *numbers]]
