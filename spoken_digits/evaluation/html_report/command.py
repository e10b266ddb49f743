"""The command line of the report, for stages/report_page.py and `spoken-digits`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from spoken_digits.errors import UserError
from spoken_digits.evaluation.html_report.page import page
from spoken_digits.evaluation.html_report.record import read
from spoken_digits.io import files

OUTPUT = Path("report.html")


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page about the checkout in the working folder.

    Parameters
    ----------
    argv
        Arguments; None: those of the process.

    Raises
    ------
    UserError
        Nothing is recorded, a file is damaged, or the revision is not there.
    """
    arguments = _parser().parse_args(argv)
    if arguments.output.is_dir():
        raise UserError(f"{arguments.output} is a folder: name a file with --output")
    record = read(Path(), studies=not arguments.pipeline_only)
    content = page(record, arguments.against).encode()
    files.write_bytes(arguments.output, content)
    print(f"{arguments.output}: {len(content) / 1024:,.0f} KiB, open it in any browser")
    for gap in record.missing:
        print(f"  without {gap.what}: `{gap.command}`")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="One HTML page about all recorded models, from recorded figures only."
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="FILE", help=f"the page (default: {OUTPUT})"
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="REVISION",
        help="compare with a Git revision or the name of a DVC experiment",
    )
    parser.add_argument(
        "--pipeline-only",
        action="store_true",
        help="leave out studies, machine and revision, which the pipeline does not make",
    )
    return parser
