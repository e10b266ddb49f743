"""`spoken-digits predict`: the word in each recording, with the probability of every word."""

from __future__ import annotations

import argparse

HELP = "recognise the word in each recording, with its probability"
EXAMPLES = (
    "spoken-digits predict tiny.int8 recording.wav",
    "spoken-digits predict models/tiny.safetensors recordings/ --format table",
    "spoken-digits predict tiny.int8 recordings/ --format csv --top 3 > words.csv",
    "cat recording.flac | spoken-digits predict tiny.int8 - --format json",
)
FORMATS = ("text", "table", "csv", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the recordings and the form of the answer."""
    parser.add_argument(
        "model", metavar="MODEL", help="a .safetensors file, or the name of one in models/"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="audio files of any format, folders of them, or - for one recording on stdin",
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    parser.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="show the N most probable words of each recording; default: all, 3 in a table",
    )
    parser.add_argument(
        "--threshold",
        type=_probability,
        default=0.0,
        metavar="P",
        help="reject words with a lower probability; metrics/rejection/ has examples; default: 0",
    )


def _probability(text: str) -> float:
    """A number from 0 to 1."""
    from spoken_digits import errors

    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{errors.shown(text)} is no probability, from 0 to 1")
    return number


def run(arguments: argparse.Namespace) -> None:
    """Recognise every recording; those that cannot be read are named, and the status is 1."""
    from spoken_digits.cli import answers, places
    from spoken_digits.errors import UserError
    from spoken_digits.recogniser import Recogniser

    if arguments.top is not None and arguments.top < 1:
        raise UserError(f"--top {arguments.top} shows no word: give 1 or more")
    recogniser = Recogniser(places.model_file(arguments.model))
    recordings = answers.find(arguments.files)
    found = answers.recognise(recogniser, recordings)
    n_failed = answers.show(found, recogniser, arguments.format, arguments.top, arguments.threshold)
    if n_failed:
        raise UserError(f"{n_failed} of {len(recordings)} files could not be read")
