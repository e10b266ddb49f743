"""docs/tour/README.md and its pictures from docs/tour/tour.py.

Reads   docs/tour/tour.py and what it reads: a recording, models/tiny*.safetensors, metrics/
Writes  docs/tour/README.md, docs/tour/*.png
Run     python docs/make_tour.py, or `make tour`

The tour is a script in cells, the percent format of Jupytext, VS Code and others. Cells tagged
``trained`` print figures that depend on the weights.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from spoken_digits import errors
from spoken_digits.io.files import replacing, write_bytes

FOLDER = Path(__file__).parent / "tour"
SCRIPT = FOLDER / "tour.py"
PAGE = FOLDER / "README.md"
_HEAD = """Made by `make tour` from [tour.py](tour.py); not edited by hand. `tour.py` is a notebook
as a script, which VS Code and PyCharm run cell by cell; `jupytext --to notebook docs/tour/tour.py`
makes one for Jupyter. It shows a network that `dvc repro quantize@tiny-int8` has trained; until
then weights are random."""
_CELL = re.compile(r"^# %%(.*)\n", re.M)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A piece of the script."""

    source: str
    """Markdown, or code."""
    is_code: bool
    needs_trained: bool
    """Whether what it prints depends on the weights."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A cell with what it gave."""

    cell: Cell
    printed: str
    pictures: dict[str, bytes]
    """PNG files by the name of the figure."""


def cells(script: str) -> list[Cell]:
    """The cells of a script in percent format."""
    _, *parts = _CELL.split(script)
    found = []
    for head, body in zip(parts[::2], parts[1::2], strict=True):
        is_code = "[markdown]" not in head
        text = body.strip()
        if not is_code:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines())
        found.append(Cell(source=text, is_code=is_code, needs_trained='"trained"' in head))
    return found


def run(script: str) -> Iterator[Shown]:
    """Run the cells one after another."""
    names: dict[str, Any] = {"__name__": "tour"}
    sys.path.insert(0, str(FOLDER))
    try:
        for number, cell in enumerate(cells(script)):
            printed = io.StringIO()
            if cell.is_code:
                code = compile(cell.source, f"{SCRIPT.name}, cell {number}", "exec")
                with contextlib.redirect_stdout(printed):
                    exec(code, names)
            yield Shown(cell=cell, printed=printed.getvalue().rstrip(), pictures=_pictures())
    finally:
        sys.path.remove(str(FOLDER))
        plt.close("all")


def _pictures() -> dict[str, bytes]:
    """The figures that a cell has left, as PNG; they are closed."""
    made = {}
    for name in plt.get_figlabels():
        content = io.BytesIO()
        # No software version in the file: the bytes must depend on the picture alone.
        plt.figure(name).savefig(
            content, format="png", dpi=100, bbox_inches="tight", metadata={"Software": None}
        )
        made[name] = content.getvalue()
    plt.close("all")
    return made


def page(shown: list[Shown]) -> str:
    """The tour as Markdown."""
    parts = []
    for one in shown:
        if one.cell.is_code:
            parts.append(f"```python\n{one.cell.source}\n```")
            parts += [f"```text\n{one.printed}\n```"] if one.printed else []
            parts += [f"![{name}]({name}.png)" for name in one.pictures]
        else:
            parts.append(one.cell.source)
    title, _, rest = "\n\n".join(parts).partition("\n")
    return f"{title}\n\n{_HEAD}\n{rest}\n"


def main() -> None:
    sys.path.insert(0, str(FOLDER))
    import material

    if not material.are_trained():
        raise errors.UserError(
            "the page shows a network trained on digits: make models/tiny.safetensors and its int8 "
            "version with `dvc repro quantize@tiny-int8`, then `make tour` again"
        )
    shown = list(run(SCRIPT.read_text(encoding="utf-8")))
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for one in shown:
        for name, content in one.pictures.items():
            with replacing(FOLDER / f"{name}.png") as temporary:
                temporary.write_bytes(content)
    write_bytes(PAGE, page(shown).encode())
    print(f"{PAGE}: made from {len(shown)} cells")


if __name__ == "__main__":
    errors.run(main, __doc__)
