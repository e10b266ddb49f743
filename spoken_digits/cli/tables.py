"""`spoken-digits tables`: files of the checkout that are generated from code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spoken_digits.errors import UserError

HELP = "regenerate docs/command.md, docs/parameters.md and the tables in firmware/"
EXAMPLES = (
    "spoken-digits tables",
    "spoken-digits tables --check                # exit status 1 if one is out of date",
)
PAGE = Path("docs/command.md")
FIRMWARE = Path("firmware")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to write."""
    parser.add_argument("--check", action="store_true", help="only compare, write nothing")


def run(arguments: argparse.Namespace) -> None:
    """Make every generated file; the tables of a model are made by `export`, in its folder."""
    from spoken_digits.cli import page, places
    from spoken_digits.io import files

    places.checkout()
    made = {PAGE: page.make(), Path("docs/parameters.md"): _parameters(), **c_tables()}
    stale = [path for path, text in made.items() if not _is(path, text)]
    if arguments.check and stale:
        raise UserError(
            f"{', '.join(map(str, stale))}: not that of the code; run `spoken-digits tables`"
        )
    for path in stale:
        files.write_bytes(path, made[path].encode())
        print(f"{path}: made again")
    print(f"{len(made)} generated files, {len(stale)} were not those of the code")


def c_tables() -> dict[Path, str]:
    """The tables in firmware/ that all models share: file and text."""
    from spoken_digits.embedded.emit import activation, tables

    makers = {
        "sd_activation.c": activation.c_source,
        "sd_frontend_constants.c": tables.constants_source,
        "sd_word_constants.c": tables.word_constants_source,
    }
    return {FIRMWARE / name: make() for name, make in makers.items()}


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _parameters() -> str:
    """The page of parameters, from its script."""
    import subprocess

    code = "import make_parameters, sys; sys.stdout.write(make_parameters.page())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="docs", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(f"docs/make_parameters.py failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout
