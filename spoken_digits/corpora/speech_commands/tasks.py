"""Which clips make each task, and the class of each.

`digits`: zero to nine, labelled 0 to 9 as in the corpora of digits. `all`: the 35 words.
`twelve`: the 12 classes of the literature. For every subset, with n clips of the ten commands in
it, ceil(n / 10) clips of the other 25 words are `_unknown_` and ceil(n / 10) cuts of background
noise are `_silence_`: the proportions of TensorFlow's `speech_commands/input_data.py`. It shuffles
by a seed and the order of a folder; here the clips whose names have the smallest SHA-256 are
taken, which is the same on every machine.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from spoken_digits.corpora.base import balanced
from spoken_digits.corpora.speech_commands.layout import Contents, Recording
from spoken_digits.corpora.speech_commands.silence import PARTS
from spoken_digits.rejection.labels import SILENCE, UNKNOWN

Words = Literal["digits", "twelve", "all"]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
_SHARE = 10  # per cent of the commands' clips that unknown has, and silence


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A clip of the task."""

    member: str
    """Where its sound is in the archive."""
    path: str
    label: str
    speaker: str
    take: int
    subset: str

    @property
    def is_cut(self) -> bool:
        """Whether it is cut from a recording of noise."""
        return self.label == SILENCE


def entries(contents: Contents, words: Words, limit: int | None) -> list[Entry]:
    """The clips of a task, sorted by path; at most `limit`, as many of each class."""
    if words == "digits":
        chosen = [
            _spoken(recording, str(DIGITS.index(recording.word)))
            for recording in contents.recordings
            if recording.word in DIGITS
        ]
    elif words == "all":
        chosen = [_spoken(recording, recording.word) for recording in contents.recordings]
    else:
        chosen = _twelve(contents)
    chosen.sort(key=lambda entry: entry.path)
    return balanced(chosen, limit, _ranks(chosen))


def n_added(n_commands: int) -> int:
    """Clips of `_unknown_`, and of `_silence_`, beside so many clips of the ten commands."""
    return math.ceil(n_commands * _SHARE / 100)


def _twelve(contents: Contents) -> list[Entry]:
    commands = [r for r in contents.recordings if r.word in COMMANDS]
    others = [r for r in contents.recordings if r.word not in COMMANDS]
    chosen = [_spoken(recording, recording.word) for recording in commands]
    for subset in PARTS:
        n = n_added(sum(r.subset == subset for r in commands))
        unknown = sorted((r for r in others if r.subset == subset), key=lambda r: _order(r.name))
        chosen += [_spoken(recording, UNKNOWN) for recording in unknown[:n]]
        chosen += [_cut(contents.noises, subset, number) for number in range(n)]
    return chosen


def _spoken(recording: Recording, label: str) -> Entry:
    return Entry(
        member=recording.member,
        path=recording.name,
        label=label,
        speaker=recording.speaker,
        take=recording.take,
        subset=recording.subset,
    )


def _cut(noises: list[str], subset: str, number: int) -> Entry:
    """Cut `number` of a subset: from one recording of noise after the other."""
    member = noises[number % len(noises)]
    noise = PurePosixPath(member).stem
    return Entry(
        member=member,
        path=f"{SILENCE}/{noise}_{subset}_{number}.wav",
        label=SILENCE,
        speaker=noise,
        take=number,
        subset=subset,
    )


def _ranks(chosen: Iterable[Entry]) -> list[tuple[int, str, str]]:
    """Place of each clip among those of its label in an order by hash, for `balanced`.

    Most speakers have a few clips only, so a limit by takes would drop classes, not takes.
    """
    by_label: dict[str, list[str]] = defaultdict(list)
    chosen = list(chosen)
    for entry in chosen:
        by_label[entry.label].append(entry.path)
    place = {
        path: rank
        for paths in by_label.values()
        for rank, path in enumerate(sorted(paths, key=_order))
    }
    return [(place[entry.path], "", entry.label) for entry in chosen]


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
