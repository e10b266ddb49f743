"""Types of arguments: what is wrong with one, in words of its user."""

from __future__ import annotations

import argparse
from pathlib import Path

from spoken_digits.errors import shown


def named_path(text: str) -> Path:
    """A path. An empty one, as of an unset variable of the shell, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no whole number from 1 on")
    return int(text)
