"""Compile C for this machine into a library that Python can call."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.errors import UserError


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
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{compiler} is not installed: install a C compiler") from None
    if done.returncode != 0:
        raise UserError(f"{compiler} failed with status {done.returncode}: {done.stderr.strip()}")
    return output
