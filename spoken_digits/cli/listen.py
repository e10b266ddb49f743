"""`spoken-digits listen`: what `spoken_digits.listen` does, under this command."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from importlib.util import find_spec

from spoken_digits.errors import UserError

HELP = "recognise words as they are spoken, from a microphone, a file or stdin"
EXAMPLES = (
    "spoken-digits listen models/tiny.int8.safetensors",
    "spoken-digits listen models/tiny.int8.safetensors recording.wav",
    "spoken-digits listen --help",
)
_MODULE = "spoken_digits.listen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For the list of commands: `hand_over` reads the arguments."""
    parser.add_argument("model", metavar="MODEL", help="an integer model")
    parser.add_argument("source", metavar="FILE", nargs="?", help="a recording, or - for stdin")


def run(arguments: argparse.Namespace) -> None:
    """Listen."""
    hand_over([arguments.model, *([arguments.source] if arguments.source else [])])


def hand_over(arguments: Sequence[str]) -> None:
    """Call the listener with all arguments.

    Raises
    ------
    UserError
        This version has none.
    """
    if find_spec(_MODULE) is None:
        raise UserError(
            "this version does not listen: recognise recordings with `spoken-digits predict`"
        )
    importlib.import_module(_MODULE).main(list(arguments))
