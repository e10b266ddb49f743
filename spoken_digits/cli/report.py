"""`spoken-digits report`: one page made from the recorded figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError

HELP = "write a page that says how good the models are and for whom, from recorded figures"
EXAMPLES = (
    "spoken-digits report                        # report.html; after own words: report.md",
    "spoken-digits report --against HEAD~3       # with the changes since then",
    "spoken-digits report --model tiny --output tiny.md",
)
HTML, MARKDOWN = Path("report.html"), Path("report.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which models, compared with what, and the file."""
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="only this model, in Markdown; may be repeated",
    )
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="compare with a Git revision or the name of a DVC experiment, in HTML",
    )
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="FILE",
        help="name of the page: HTML, or Markdown if it ends in .md; "
        f"default: {HTML}, after own words {MARKDOWN}",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    from spoken_digits.cli import places
    from spoken_digits.evaluation.tables import is_own
    from spoken_digits.io.files import read_json

    places.checkout()
    if arguments.model and arguments.against:
        raise UserError("--model and --against do not go together: leave out one of them")
    corpus = read_json(Path("metrics/corpus.json"), "spoken-digits run")
    is_short = arguments.model or (is_own(corpus) and not arguments.against)
    output = arguments.output or (MARKDOWN if is_short else HTML)
    if output.is_dir():
        raise UserError(f"{output} is a folder: name a file with --output")
    if output.suffix == ".md":
        if arguments.against:
            raise UserError(f"--against needs a page of HTML: give --output {HTML}")
        _write_markdown(output, arguments.model)
        return
    if arguments.model:
        raise UserError(f"--model needs a page of Markdown: give --output {MARKDOWN}")
    from spoken_digits.evaluation.html_report import command

    against = ["--against", arguments.against] if arguments.against else []
    command.main([f"--output={output}", *against])


def _write_markdown(output: Path, models: list[str] | None) -> None:
    from spoken_digits.cli import networks
    from spoken_digits.config import read_config
    from spoken_digits.evaluation.report import own
    from spoken_digits.io import files
    from spoken_digits.models.params import names

    config = read_config(networks.PARAMS)
    for model in models or ():
        networks.check_model(config, model)
    page = own.page(models or names(config), Path())
    files.write_bytes(output, page.encode())
    print(f"{output}: {own.plain(page.splitlines()[2])}")
