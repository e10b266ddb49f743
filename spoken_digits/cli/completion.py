"""`spoken-digits completion`: completion of commands and options for a shell."""

from __future__ import annotations

import argparse

from spoken_digits.errors import UserError

HELP = "print a script for shell completion of commands and options"
EXAMPLES = (
    "spoken-digits completion bash > ~/.local/share/bash-completion/completions/spoken-digits",
    "spoken-digits completion zsh > ~/.zfunc/_spoken-digits",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell")


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    from spoken_digits.cli.main import make_parser

    try:
        import shtab
    except ImportError:
        raise UserError("completion needs shtab: `pip install shtab`") from None
    print(shtab.complete(make_parser(), shell=arguments.shell))
