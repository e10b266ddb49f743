"""`spoken-digits record`: recordings of own words, one after another, checked as they come."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError, printable

if TYPE_CHECKING:
    from spoken_digits.cli.sources import Sound, Source

HELP = "record your own words with prompts, into the folder that `run --words` reads"
EXAMPLES = (
    "spoken-digits record yes no stop --speaker anna",
    "spoken-digits record yes no stop --speaker ben --takes 20 --into my-words",
    "spoken-digits record yes no stop --speaker cleo --takes 2 --from phone.wav   # 6 words in it",
)
WORDS = Path("data/recordings")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words, the speaker and where the sound comes from."""
    parser.add_argument("words", nargs="+", metavar="WORD", help="the words; each gets a folder")
    parser.add_argument(
        "--speaker", required=True, help="who speaks; always use the same name for a person"
    )
    parser.add_argument("--takes", type=int, default=10, help="takes of each word (default 10)")
    parser.add_argument(
        "--into",
        type=named_path,
        default=WORDS,
        metavar="FOLDER",
        help=f"default {WORDS}; earlier takes stay",
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a take (default 2)")
    parser.add_argument(
        "--from",
        dest="files",
        nargs="+",
        type=named_path,
        metavar="FILE",
        help="cut the takes out of recordings, such as from a phone: all words in the given order, "
        "again for every take, with half a second of silence between them",
    )


def run(arguments: argparse.Namespace) -> None:
    """Ask for every word as often as wanted, and keep what is good."""
    from spoken_digits.cli import sources

    # Keyboards and file systems write one letter in several ways.
    words = list(dict.fromkeys(normalize("NFC", word.strip()) for word in arguments.words))
    speaker = normalize("NFC", arguments.speaker)
    _check(words, speaker, arguments)
    prompts = [word for _ in range(arguments.takes) for word in words]
    if arguments.files:
        source: Source = sources.Files(arguments.files, len(prompts))
    else:
        source = sources.Microphone(arguments.seconds)
    for number, word in enumerate(prompts, 1):
        label = f"{number} of {len(prompts)}: {printable(word)}"
        sound = _take(source, label)
        path = _next_path(arguments.into, word, speaker)
        _write(path, sound)
        print(f"{label} -> {path}")
    folder = shlex.quote(str(arguments.into))
    print(
        f"{len(prompts)} recordings of {speaker} in {arguments.into}; look at them with "
        f"`spoken-digits inspect {folder}`, train with "
        f"`spoken-digits run --words {folder} --model tiny`"
    )


def _check(words: list[str], speaker: str, arguments: argparse.Namespace) -> None:
    for word in words:
        if not word:
            raise UserError("one of the words is empty: each gets a folder of its name")
        if not word.isprintable() or word.startswith(".") or {"/", "\\"} & set(word):
            raise UserError(f"{word!r} cannot be a folder's name: write the word in letters")
    if not _is_name(speaker):
        raise UserError(
            f"--speaker {arguments.speaker!r}: a name is of letters and digits, such as anna or "
            "speaker-2"
        )
    if arguments.takes < 1:
        raise UserError(f"--takes {arguments.takes} records nothing: give 1 or more")
    if not 0.3 <= arguments.seconds <= 30:
        raise UserError(f"--seconds {arguments.seconds:g}: a word needs 0.3 to 30")
    if not str(arguments.into).isprintable():
        raise UserError(f"--into {str(arguments.into)!r} has control characters in its name")
    if arguments.into.exists() and not arguments.into.is_dir():
        raise UserError(f"{arguments.into} is a file: name a folder with --into")


def _is_name(speaker: str) -> bool:
    """Whether it is of letters with their marks, digits, and - or a blank between them."""

    def is_letter(character: str) -> bool:
        return character == "_" or category(character)[0] in "LMN"

    ends = speaker[:1] + speaker[-1:]
    inside = (c for c in speaker if c not in " -")
    return bool(speaker) and all(map(is_letter, (*ends, *inside)))


def _take(source: Source, label: str) -> Sound:
    """One good take; a bad one is asked for again where that is possible."""
    from spoken_digits.errors import warn
    from spoken_digits.inspection.quality import measure

    while True:
        sound = source.take(label)
        problems = measure(sound.waveform, sound.sample_rate).problems()
        for problem in problems:
            warn(f"{sound.name}: {problem}")
        if not problems or not source.can_repeat:
            return sound
        print("again, please")


def _write(path: Path, sound: Sound) -> None:
    from spoken_digits import audio
    from spoken_digits.io.files import write_bytes

    write_bytes(path, audio.to_wav(sound.waveform, sound.sample_rate))


def _next_path(folder: Path, word: str, speaker: str) -> Path:
    """The first free name: earlier takes stay."""
    taken = set(_numbers(folder / word, speaker))
    number = next(n for n in range(len(taken) + 1) if n not in taken)
    return folder / word / f"{speaker}_{number}.wav"


def _numbers(folder: Path, speaker: str) -> Iterator[int]:
    if not folder.is_dir():
        return
    name = re.compile(rf"{re.escape(speaker)}_([0-9]{{1,9}})\..+")
    for path in folder.iterdir():
        if match := name.fullmatch(path.name):
            yield int(match[1])
