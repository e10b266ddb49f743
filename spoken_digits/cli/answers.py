"""Many recordings through one model, in order, and their answers as text, table, CSV or JSON."""

from __future__ import annotations

import csv
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits import audio, errors
from spoken_digits.cli import text
from spoken_digits.errors import UserError
from spoken_digits.recogniser import Recogniser

STDIN = "-"
_BLOCK = 64
_MOST_NOTES = 5
_IN_TABLE = 3


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says of one recording."""

    file: str
    chances: NDArray[np.float64]
    """(n_labels,) probability of each word."""
    duration_s: float
    heard_s: tuple[float, float] | None
    """The part that was heard, where that is not all of it."""
    note: str
    """What is odd about the file; empty if nothing is."""


def find(names: Sequence[str]) -> list[str]:
    """The recordings that are named, those of folders sorted by path.

    Raises
    ------
    UserError
        A folder holds no recordings.
    """
    found: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            found.append(name)
            continue
        from spoken_digits.corpora.listing import list_recordings  # pandas comes with it

        inside = list_recordings(Path(name)).recordings
        if not inside:
            raise UserError(f"{name} holds no recordings: give audio files or a folder of them")
        found += [str(recording.file) for recording in inside]
    return found


def recognise(recogniser: Recogniser, names: Sequence[str]) -> Iterator[Answer | UserError]:
    """The answer for each recording, or why there is none, in order.

    Blocks run in threads, one a core: NumPy computes outside Python's lock. PyTorch has threads
    of its own.
    """
    blocks = [names[i : i + _BLOCK] for i in range(0, len(names), _BLOCK)]
    n_threads = (os.cpu_count() or 1) if recogniser.card.is_integer else 1
    with ThreadPoolExecutor(min(n_threads, len(blocks))) as pool:
        of_blocks = pool.map(lambda block: _block(recogniser, block), blocks)
        yield from itertools.chain.from_iterable(of_blocks)


def _block(recogniser: Recogniser, names: Sequence[str]) -> list[Answer | UserError]:
    found: list[Answer | UserError] = []
    clips = []
    for name in names:
        try:
            if name == STDIN:
                waveform, audio_format = audio.decode(sys.stdin.buffer.read(), "stdin")
            else:
                waveform, audio_format = audio.read(Path(name))
            rate = audio_format.sample_rate
            clips.append(audio.resample(waveform, rate, recogniser.sample_rate))
        except UserError as error:
            found.append(error)
            continue
        duration_s = waveform.size / rate
        longer = duration_s > recogniser.heard_s
        found.append(
            Answer(
                file=name,
                chances=np.empty(0),
                duration_s=duration_s,
                heard_s=recogniser.heard_part(waveform, rate) if longer else None,
                note=audio_format.note,
            )
        )
    chances: Iterator[NDArray[np.float64]] = iter(recogniser.of_clips(clips) if clips else ())
    return [
        one if isinstance(one, UserError) else Answer(**{**vars(one), "chances": next(chances)})
        for one in found
    ]


def show(
    answers: Iterable[Answer | UserError], recogniser: Recogniser, form: str, top: int | None
) -> int:
    """Print the answers in the given form; return how many recordings could not be read."""
    notes = _Notes()
    good = notes.of(answers)
    most = len(recogniser.labels)
    if form == "text":
        for answer in good:
            print(_line(answer, recogniser.labels, min(top or most, most)))
    elif form == "table":
        print(_table(list(good), recogniser.labels, min(top or _IN_TABLE, most)))
    elif form == "csv":
        _write_csv(good, recogniser.labels, min(top or most, most))
    else:
        rows = [_as_json(answer, recogniser.labels, min(top or most, most)) for answer in good]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    notes.close()
    return notes.n_failed


class _Notes:
    """Errors at once; of other notes the first few, and the number of the rest."""

    def __init__(self) -> None:
        self.n_failed = 0
        self._n_notes = 0

    def of(self, answers: Iterable[Answer | UserError]) -> Iterator[Answer]:
        """The answers alone."""
        for answer in answers:
            if isinstance(answer, UserError):
                errors.report(answer)
                self.n_failed += 1
                continue
            if answer.note:
                self._say(f"{answer.file}: {answer.note}")
            if answer.heard_s is not None:
                start_s, end_s = answer.heard_s
                part = f"{start_s:.2f} to {end_s:.2f} s of {answer.duration_s:.2f} s"
                self._say(f"{answer.file}: only {part} are heard")
            yield answer

    def _say(self, note: str) -> None:
        self._n_notes += 1
        if self._n_notes <= _MOST_NOTES:
            errors.warn(errors.printable(note))

    def close(self) -> None:
        """Say how many notes were left out."""
        if self._n_notes > _MOST_NOTES:
            errors.warn(f"and {self._n_notes - _MOST_NOTES:,} more such notes")


def _ranked(answer: Answer, labels: Sequence[str], top: int) -> list[tuple[str, float]]:
    order = np.argsort(-answer.chances, kind="stable")[:top]
    return [(labels[i], float(answer.chances[i])) for i in order]


def _line(answer: Answer, labels: Sequence[str], top: int) -> str:
    ranked = [(text.shown(word), p) for word, p in _ranked(answer, labels, top)]
    all_of_them = "  ".join(f"{word} {p:.4f}" for word, p in ranked)
    return f"{errors.printable(answer.file)}: {ranked[0][0]}    {all_of_them}"


def _table(answers: Sequence[Answer], labels: Sequence[str], top: int) -> str:
    head = ["recording", "word", "probability"]
    head += [cell for place in range(2, top + 1) for cell in (f"{place}.", "probability")]
    rows = [
        [
            answer.file,
            *(c for w, p in _ranked(answer, labels, top) for c in (w, text.percent(p))),
        ]
        for answer in answers
    ]
    return text.table(head, rows, left=2)


def _write_csv(answers: Iterable[Answer], labels: Sequence[str], top: int) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    places = range(1, top + 1)
    writer.writerow(["file", *(f"{name}_{i}" for i in places for name in ("word", "probability"))])
    for answer in answers:
        ranked = _ranked(answer, labels, top)
        writer.writerow([answer.file, *(c for word, p in ranked for c in (word, f"{p:.6f}"))])


def _as_json(answer: Answer, labels: Sequence[str], top: int) -> dict[str, Any]:
    ranked = _ranked(answer, labels, top)
    start_s, end_s = answer.heard_s or (0.0, answer.duration_s)
    return {
        "file": answer.file,
        "word": ranked[0][0],
        "probability": round(ranked[0][1], 6),
        "words": [{"word": word, "probability": round(p, 6)} for word, p in ranked],
        "duration_s": round(answer.duration_s, 4),
        "heard_s": [round(start_s, 4), round(end_s, 4)],
    }
