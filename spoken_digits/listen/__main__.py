"""Listen for words, for as long as there is sound.

Run     python -m spoken_digits.listen MODEL.int8.safetensors              (the microphone)
        python -m spoken_digits.listen MODEL.int8.safetensors FILE.wav
        ... | python -m spoken_digits.listen MODEL.int8.safetensors -       (raw, as if live)

Prints a line a word: when, which, and how sure. The model is an integer one with its detector,
``MODEL.int8.detector.json``, beside it; PyTorch is not loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spoken_digits import errors
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import Pcm, levels
from spoken_digits.listen import sources
from spoken_digits.listen.model import Listener, open_listener
from spoken_digits.listen.terminal import Screen
from spoken_digits.rejection.labels import NOT_WORDS

STDIN = "-"


def main() -> None:
    arguments = _parse_arguments()
    listener = open_listener(arguments.model, arguments.threshold)
    rate = listener.frontend.sample_rate
    screen = Screen(listener.labels, rate, everything=arguments.everything, as_json=arguments.json)
    try:
        listen(listener, _blocks(arguments, rate), screen)
    except KeyboardInterrupt:
        return
    finally:
        screen.clear()


def listen(listener: Listener, blocks: Iterator[Pcm], screen: Screen) -> None:
    """Hear all blocks, and then as much silence as ends the last word."""
    detector = Detector(listener.detector, listener.recognise)
    spec = listener.detector.endpoint
    length = spec.frame_length
    for number, block in enumerate(blocks):
        if number == 0:  # there is sound
            words = [label for label in listener.labels if label not in NOT_WORDS]
            errors.warn(f"listening for: {errors.printable(', '.join(words))}")
        _hear(detector, block, screen)
        if length <= len(block) < 100 * length:  # live
            level = int(levels(block[len(block) - length :], length)[0])
            screen.meter(detector.endpointer, level)
    _hear(detector, np.zeros((spec.hangover + 1) * length, np.int16), screen)


def _hear(detector: Detector, samples: Pcm, screen: Screen) -> None:
    for event in detector.hear(samples):
        screen.show(event)


def _blocks(arguments: argparse.Namespace, rate: int) -> Iterator[Pcm]:
    if arguments.file is None:
        return sources.from_microphone(rate, arguments.device)
    if arguments.file == STDIN:
        return sources.from_stream(sources.standard_input(), arguments.rate or rate, rate)
    return sources.from_file(Path(arguments.file), rate)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m spoken_digits.listen",
        description="Words in a stream of sound, with time and confidence.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL.int8.safetensors")
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a recording, or - for raw 16-bit mono samples on standard input; "
        "none: the microphone",
    )
    parser.add_argument(
        "--threshold", type=_share, help="least confidence of a word, 0 to 1; none: the model's"
    )
    parser.add_argument(
        "--rate", type=_rate, metavar="HZ", help="sample rate of standard input; none: the model's"
    )
    parser.add_argument("--device", help="name or number of a microphone")
    parser.add_argument(
        "--all",
        dest="everything",
        action="store_true",
        help="also what is not reported, with the reason",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    return parser.parse_args()


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


if __name__ == "__main__":
    errors.run(main)
