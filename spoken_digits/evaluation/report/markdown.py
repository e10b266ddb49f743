"""Figures as text, rows as Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table.

    Parameters
    ----------
    columns
        Heads of the columns; one that starts with ``>`` is aligned to the right.
    rows
        The cells of each row.
    """
    heads = " | ".join(_cell(column.removeprefix(">")) for column in columns)
    rule = "|".join("--:" if column.startswith(">") else "---" for column in columns)
    lines = [f"| {heads} |", f"|{rule}|"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def cells(line: str) -> list[str]:
    """The cells of a line of `table`."""
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [part.strip().replace(r"\|", "|") for part in parts]


def _cell(value: object) -> str:
    return str(value).replace("|", r"\|")


def percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def interval(row: dict[str, Any]) -> str:
    """The 95 % interval of a row's accuracy, in percent."""
    return f"{100 * row['accuracy_ci_low']:.2f} to {100 * row['accuracy_ci_high']:.2f}"


def mean_and_deviation(study: dict[str, Any]) -> str:
    return f"{100 * study['mean']:.2f} ± {100 * study['std']:.2f} %"


def values(fractions: Iterable[float]) -> list[str]:
    """Fractions in percent, without the sign."""
    return [f"{100 * fraction:.2f}" for fraction in fractions]


def size(kib: float) -> str:
    return f"{kib / 1024:,.1f} MiB" if kib >= 1024 else f"{kib:.2f} KiB"


def code(text: str) -> str:
    return f"`{text}`"
