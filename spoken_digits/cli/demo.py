"""`spoken-digits demo`: a page that listens in a browser, with the integer models."""

from __future__ import annotations

import argparse
from pathlib import Path

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError

HELP = "listen in a browser: a page served on localhost, or written to a file"
EXAMPLES = (
    "spoken-digits demo                                # all integer models of params.yaml",
    "spoken-digits demo tiny.int8                      # one model, by name or path",
    "spoken-digits demo tiny.int8 --output words.html  # a file to give away",
)
PAGE = Path("export/demo.html")
FIRMWARE = Path("firmware")
_PORT = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The models, and where the page goes."""
    parser.add_argument("model", metavar="MODEL", nargs="*", help="integer models; default: all")
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="FILE",
        help="write the page to a file instead of serving it",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=_PORT,
        help=f"port of localhost (default {_PORT}); 0: any free one",
    )


def run(arguments: argparse.Namespace) -> None:
    """Make the page, then write or serve it."""
    from spoken_digits.cli import places
    from spoken_digits.demo.serving import serve
    from spoken_digits.io import files

    places.checkout()
    if arguments.output is not None and arguments.output.is_dir():
        raise UserError(f"{arguments.output} is a folder: name a file with --output")
    content = _page_of(arguments.model) if arguments.model else _recorded()
    if arguments.output is None:
        try:
            serve(content, arguments.port, _say)
        except KeyboardInterrupt:
            return
    else:
        files.write_bytes(arguments.output, content)
        print(f"{arguments.output}: {len(content) / 1024:,.0f} KiB, open it in a browser")


def _recorded() -> bytes:
    """The page of the pipeline, made if something that it needs has changed."""
    from spoken_digits.cli import places

    places.dvc("repro", "demo")
    return PAGE.read_bytes()


def _page_of(models: list[str]) -> bytes:
    import tempfile

    from spoken_digits.cli import places
    from spoken_digits.demo import making, module, parts
    from spoken_digits.demo.page import page

    if reasons := module.missing():
        raise UserError(f"{'; '.join(reasons)}: install {module.PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        found = []
        for number, name in enumerate(models):
            one = Path(folder) / str(number)
            making.make(places.model_file(name), FIRMWARE, one)
            found.append(parts.read(one))
    return page(found).encode()


def _say(address: str) -> None:
    print(f"open {address} in a browser of this machine; Ctrl+C ends it", flush=True)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 0 to 65535")
    return int(text)
