"""`spoken-digits verify`: stage `verify` under this command."""

from __future__ import annotations

import argparse

from spoken_digits.cli import places

HELP = "check that all outputs are the recorded ones, and that they can be reproduced"
EXAMPLES = (
    "spoken-digits verify                        # everything, hours",
    "spoken-digits verify --files                # hashes alone, seconds",
    "spoken-digits verify --quick                # the smallest model, in a clone",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """As stages/verify.py."""
    parser.add_argument("--files", action="store_true", help="only hash the outputs and the cache")
    parser.add_argument("--reproduce", action="store_true", help="only run the pipeline again")
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--stages", nargs="+", metavar="NAME", help="reproduce only these stages and what they need"
    )
    part.add_argument("--quick", action="store_true", help="reproduce only the smallest model")


def run(arguments: argparse.Namespace) -> None:
    """Run the stage."""
    places.checkout()
    flags = [f"--{name}" for name in ("files", "reproduce", "quick") if getattr(arguments, name)]
    stages = ["--stages", *arguments.stages] if arguments.stages else []
    places.stage("verify", *flags, *stages)
