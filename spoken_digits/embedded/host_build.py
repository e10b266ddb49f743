"""Compile C for this machine into a library that Python can call."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from spoken_digits.embedded import objects
from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.commands import call

NO_FLOAT = ("-mgeneral-regs-only",) if platform.machine() == "x86_64" else ()
"""x86-64: any floating-point type in a function's code is an error."""


def write_sources(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write generated C, file name to text, into `folder`; return what is to be compiled."""
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="ascii")
    return [folder / file for file in texts if file.endswith(".c")]


def build_shared_library(
    output: Path,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    *,
    compiler: str,
    flags: Sequence[str],
) -> Path:
    """Compile `sources` into the shared library `output`, and return it; warnings are errors.

    Raises
    ------
    UserError
        There is no such compiler, or it refuses the sources.
    """
    options = ["-shared", "-fPIC", *WARNINGS, *flags]
    command = [
        *(compiler, *options, *(f"-I{folder}" for folder in include_dirs)),
        *map(str, objects.compiled(compiler, options, sources)),
        *("-o", str(output)),
    ]
    call(*command, packages="a C compiler")
    return output
