"""Aligned text for a terminal, in any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from spoken_digits.errors import printable

_LEFT_TO_RIGHT_MARK = "\u200e"
"""After a word in a script from right to left: what follows stays on its right."""
_BARS = " ▁▂▃▄▅▆▇█"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Rows under `head`, columns aligned: the first `left` at their left edge, the others right."""
    cells = [[shown(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            cell + " " * (n - width(cell)) if i < left else " " * (n - width(cell)) + cell
            for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def shown(text: str) -> str:
    """A word that neither steers the terminal nor turns around what stands beside it."""
    safe = printable(text)
    from_right = any(unicodedata.bidirectional(c) in ("R", "AL") for c in safe)
    return safe + _LEFT_TO_RIGHT_MARK if from_right else safe


def width(text: str) -> int:
    """Columns that `text` takes: two for East Asian wide characters, none for marks."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in ("W", "F")
        else 1
        for c in text
    )


def bars(values: Sequence[float]) -> str:
    """A character a value, its height the share of the largest."""
    most = max(values, default=0.0) or 1.0
    return "".join(_BARS[min(len(_BARS) - 1, round(v / most * (len(_BARS) - 1)))] for v in values)


def percent(share: float) -> str:
    """A share in per cent with one decimal."""
    return f"{100 * share:.1f} %"
