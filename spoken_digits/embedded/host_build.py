"""Compile C for this machine into a library that Python can call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.commands import call


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
    command = [
        *(compiler, "-shared", "-fPIC", *WARNINGS, *flags),
        *(f"-I{folder}" for folder in include_dirs),
        *map(str, sources),
        *("-o", str(output)),
    ]
    call(*command, packages="a C compiler")
    return output
