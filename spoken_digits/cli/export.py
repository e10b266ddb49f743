"""`spoken-digits export`: an integer model as a folder of C99 for a firmware project."""

from __future__ import annotations

import argparse
import shlex
import shutil
from pathlib import Path

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError

HELP = "export an integer model as a folder of C99 to copy into a firmware project"
EXAMPLES = (
    "spoken-digits export tiny",
    "spoken-digits export lstm_36kb pow2 --into ../firmware/words",
    "spoken-digits export tiny --prefix acme_    # names in C, where sd_ is taken",
)
EXPORT = Path("export")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model and where to put it."""
    parser.add_argument("model", metavar="MODEL", help="a name under `variants` in params.yaml")
    parser.add_argument("scheme", metavar="SCHEME", nargs="?", help="int8 (default) or pow2")
    parser.add_argument(
        "--into", type=named_path, metavar="FOLDER", help="also copy the folder to this new one"
    )
    parser.add_argument("--prefix", help="prefix of names in C (default sd_)")


def run(arguments: argparse.Namespace) -> None:
    """Make what the export needs, as far as it changed, then export."""
    from spoken_digits.cli import places
    from spoken_digits.cli.networks import network_key

    places.checkout()
    scheme = arguments.scheme or "int8"
    key = network_key(arguments.model, scheme)
    if arguments.into is not None and arguments.into.exists():
        raise UserError(f"{arguments.into} exists: remove it, or name another folder with --into")
    if arguments.prefix is None:
        places.dvc("repro", f"export@{key}")
    else:
        places.dvc("repro", f"measure@{key}")
        places.stage("export", arguments.model, scheme, "--prefix", arguments.prefix)
    made = EXPORT / f"{arguments.model}.{scheme}"
    if arguments.into is not None:
        shutil.copytree(made, arguments.into)
        made = arguments.into
    check = f"make -C {shlex.quote(str(made))} check"
    print(f"{made}: copy it into a firmware project; `{check}` proves it here")
