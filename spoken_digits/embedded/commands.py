"""Run compilers and emulators, with one clear line where one is missing or fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

from spoken_digits.errors import UserError


def call(
    *command: str,
    packages: str,
    folder: Path | None = None,
    content: bytes = b"",
    timeout_s: float = 120.0,
) -> bytes:
    """Run a program and return what it writes to its standard output.

    Parameters
    ----------
    packages
        What to install where the program is missing.
    folder
        Its working folder.
    content
        Its standard input.

    Raises
    ------
    UserError
        It is missing, fails, or runs past `timeout_s`.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, input=content, capture_output=True, timeout=timeout_s, check=False
        )
    except FileNotFoundError:
        raise UserError(f"{command[0]} is not installed: install {packages}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]} ran past {timeout_s:g} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise UserError(f"{command[0]} failed with status {done.returncode}: {said}")
    return done.stdout
