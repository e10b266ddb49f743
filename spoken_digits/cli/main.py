"""`spoken-digits`: one command for everything between a word and a board.

Every module of `COMMANDS` is imported for the list of commands, so all of them import what takes
time, such as PyTorch, pandas or DVC, only where they use it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any, Protocol, cast

from spoken_digits import errors

PROGRAM = "spoken-digits"
COMMANDS = (
    "run",
    "record",
    "inspect",
    "predict",
    "listen",
    "demo",
    "report",
    "compare",
    "export",
    "verify",
    "budget",
    "tables",
    "completion",
)
"""Modules of this package, in the order of the list that `--help` prints."""

_DESCRIPTION = "Recognisers of spoken words: record, train, evaluate, try and export to a board."
EXIT_STATUS = (
    "exit status: 0 success, 1 an error that the message explains, 2 an invalid command line"
)


class Command(Protocol):
    """What the module of a sub-command defines."""

    HELP: str
    """One line, as the list of commands shows it."""
    EXAMPLES: Sequence[str]
    """Command lines."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> None:
        """Do it; raises UserError."""
        ...


def command(name: str) -> Command:
    """The module of a sub-command."""
    return cast(Command, importlib.import_module(f"{__package__}.{name}"))


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=f"`{PROGRAM} COMMAND --help` has examples.\n{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = command(name)
        one = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog="\n".join(["examples:", *(f"  {line}" for line in module.EXAMPLES)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(one)
    return parser


class _Version(argparse.Action):
    """Look the version up only where it is asked for: that takes longer than all else here."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib import metadata

        print(f"{PROGRAM} {metadata.version(PROGRAM)}")
        parser.exit()


def main(arguments: Sequence[str]) -> None:
    """Run the command that the arguments name; raises UserError, or SystemExit of argparse."""
    read = make_parser().parse_args(arguments)
    command(read.command).run(read)


def entry(name: str | None = None) -> None:
    """The console script; `name` is a sub-command that need not be typed."""
    before = [] if name is None else [name]
    errors.run(lambda: main([*before, *sys.argv[1:]]))
