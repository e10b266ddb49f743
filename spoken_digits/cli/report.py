"""`spoken-digits report`: pages made from the recorded figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from spoken_digits.errors import UserError

HELP = "the pages that tell how good the models are, from recorded figures only"
EXAMPLES = (
    "spoken-digits report                        # after own words: report.md",
    "spoken-digits report --model tiny --output tiny.md",
)
OUTPUT = Path("report.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which models, and the file."""
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="only this; may be given several times"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"one page about the corpus of the last run; after own words {OUTPUT} by default, "
        "otherwise README's table and docs/results.md are made",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the page, or all pages of the record."""
    from spoken_digits.cli import networks, places
    from spoken_digits.config import read_config
    from spoken_digits.models.params import names

    places.checkout()
    from spoken_digits.io.files import read_json

    corpus = read_json(Path("metrics/corpus.json"), "spoken-digits run")
    if arguments.output is None and arguments.model is None and corpus["corpus"] != "folder":
        places.stage("report")
        return
    from spoken_digits.evaluation.report import own
    from spoken_digits.io import files

    config = read_config(networks.PARAMS)
    for model in arguments.model or ():
        networks.check_model(config, model)
    output = arguments.output or OUTPUT
    if output.is_dir():
        raise UserError(f"{output} is a folder: name a file with --output")
    page = own.page(arguments.model or names(config), Path())
    files.write_bytes(output, page.encode())
    print(f"{output}: {page.splitlines()[2]}")
