"""`spoken-digits listen`: words in a stream of sound, with time and confidence.

The model is an integer one with its detector, ``MODEL.int8.detector.json``, beside it; PyTorch is
not loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spoken_digits.errors import UserError

if TYPE_CHECKING:
    from spoken_digits.integer.detector.endpoint import Pcm

HELP = "recognise words as they are spoken, from a microphone, a file or stdin"
EXAMPLES = (
    "spoken-digits listen tiny.int8             # the microphone",
    "spoken-digits listen models/tiny.int8.safetensors recording.wav --all",
    "arecord -t raw -f S16_LE -c 1 -r 8000 | spoken-digits listen tiny.int8 - --json",
)
STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, where the sound comes from, and what to show."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="an integer model: a .safetensors file, or the name of one in models/",
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a recording, or - for raw 16-bit mono samples on standard input; "
        "default: the microphone",
    )
    parser.add_argument(
        "--threshold",
        type=_share,
        metavar="P",
        help="report words of at least this confidence, 0 to 1; default: the model's",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="HZ",
        help="sample rate of standard input; default: the model's",
    )
    parser.add_argument("--device", help="name or number of a microphone")
    parser.add_argument(
        "--all",
        dest="everything",
        action="store_true",
        help="also show sounds that are not reported, with the reason",
    )
    parser.add_argument(
        "--sliding",
        action="store_true",
        help="ask the model many times a second instead of at each pause: finds words over other "
        "talkers; of open models, such as tiny_open.int8",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")


def run(arguments: argparse.Namespace) -> None:
    """Print a line a word: when, which, and how sure."""
    from spoken_digits.cli import places
    from spoken_digits.listen.model import open_listener
    from spoken_digits.listen.session import listen
    from spoken_digits.listen.terminal import Screen

    if arguments.rate is not None and arguments.file != STDIN:
        raise UserError(
            "--rate is of raw samples on standard input: give - as FILE, or leave it out"
        )
    if arguments.device is not None and arguments.file is not None:
        raise UserError("--device is of a microphone: leave it out, or FILE")
    if arguments.sliding and arguments.everything:
        raise UserError("--all shows sounds between pauses, --sliding knows none: leave out one")
    listener = open_listener(
        places.model_file(arguments.model), arguments.threshold, sliding=arguments.sliding
    )
    rate = listener.frontend.sample_rate
    screen = Screen(listener.labels, rate, everything=arguments.everything, as_json=arguments.json)
    try:
        listen(listener, _blocks(arguments, rate), screen)
    except KeyboardInterrupt:
        return
    finally:
        screen.clear()


def _blocks(arguments: argparse.Namespace, rate: int) -> Iterator[Pcm]:
    from spoken_digits.listen import sources

    if arguments.file is None:
        return sources.from_microphone(rate, arguments.device)
    if arguments.file == STDIN:
        return sources.from_stream(sources.standard_input(), arguments.rate or rate, rate)
    return sources.from_file(Path(arguments.file), rate)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def _rate(text: str) -> int:
    if not text.isdecimal() or not 1000 <= int(text) <= 192_000:
        raise argparse.ArgumentTypeError(f"{text} is not a rate from 1000 to 192000 Hz")
    return int(text)
