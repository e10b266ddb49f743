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
from spoken_digits.rejection.labels import NOT_WORDS

STDIN = "-"
_BLOCK = 64
_MOST_NOTES = 5
_IN_TABLE = 3
NO_WORD = "(not one of the words)"


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

    def word(self, labels: Sequence[str], threshold: float) -> str | None:
        """The answer: none where the most probable class is no word, or below the threshold."""
        best = int(self.chances.argmax())
        is_word = labels[best] not in NOT_WORDS and self.chances[best] >= threshold
        return labels[best] if is_word else None


def find(names: Sequence[str]) -> list[str]:
    """The recordings that are named, those of folders sorted by path.

    Raises
    ------
    UserError
        A folder holds no recordings, a name is empty, or standard input is named twice.
    """
    if names.count(STDIN) > 1:
        raise UserError("- is given twice: standard input holds one recording")
    found: list[str] = []
    for name in names:
        if not name:
            raise UserError("the name of a recording is empty: give audio files or folders")
        if not Path(name).is_dir():
            found.append(name)
            continue
        from spoken_digits.corpora.listing import list_recordings  # pandas comes with it

        inside = list_recordings(Path(name), twins=True).recordings
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
                waveform, audio_format = audio.decode(_standard_input(), audio.STDIN)
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


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise UserError("standard input is closed: pipe a recording into it")
    return sys.stdin.buffer.read()


def show(
    answers: Iterable[Answer | UserError],
    recogniser: Recogniser,
    form: str,
    top: int | None,
    threshold: float,
) -> int:
    """Print the answers in the given form; return how many recordings could not be read.

    A word less probable than `threshold` is no answer.
    """
    notes = _Notes()
    good = notes.of(answers)
    labels = recogniser.labels
    top = min(top or (_IN_TABLE if form == "table" else len(labels)), len(labels))
    if form == "text":
        for answer in good:
            print(_line(answer, labels, top, threshold))
    elif form == "table":
        print(_table(list(good), labels, top, threshold))
    elif form == "csv":
        _write_csv(good, labels, top, threshold)
    else:
        rows = [_as_json(answer, labels, top, threshold) for answer in good]
        print(json.dumps(rows, indent=1, ensure_ascii=not _prints_unicode()))
    notes.close()
    return notes.n_failed


def _prints_unicode() -> bool:
    """Whether standard output can hold any word; elsewhere JSON has escapes of its own."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


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


def _line(answer: Answer, labels: Sequence[str], top: int, threshold: float) -> str:
    all_of_them = "  ".join(f"{text.shown(w)} {p:.4f}" for w, p in _ranked(answer, labels, top))
    word = text.shown(answer.word(labels, threshold) or NO_WORD)
    return f"{errors.printable(answer.file)}: {word}    {all_of_them}"


def _table(answers: Sequence[Answer], labels: Sequence[str], top: int, threshold: float) -> str:
    head = ["recording", "word"]
    head += [cell for place in range(1, top + 1) for cell in (f"{place}.", "probability")]
    rows = [
        [
            answer.file,
            answer.word(labels, threshold) or NO_WORD,
            *(c for w, p in _ranked(answer, labels, top) for c in (w, text.percent(p))),
        ]
        for answer in answers
    ]
    return text.table(head, rows, left=2)


def _write_csv(
    answers: Iterable[Answer], labels: Sequence[str], top: int, threshold: float
) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    ranks = (f"{name}_{i}" for i in range(1, top + 1) for name in ("word", "probability"))
    writer.writerow(["file", "word", *ranks])  # word: empty where it is none of them
    for answer in answers:
        cells = (c for word, p in _ranked(answer, labels, top) for c in (word, f"{p:.6f}"))
        writer.writerow([answer.file, answer.word(labels, threshold) or "", *cells])


def _as_json(answer: Answer, labels: Sequence[str], top: int, threshold: float) -> dict[str, Any]:
    ranked = _ranked(answer, labels, top)
    start_s, end_s = answer.heard_s or (0.0, answer.duration_s)
    return {
        "file": answer.file,
        "word": answer.word(labels, threshold),  # null: none of the words
        "probability": round(ranked[0][1], 6),
        "words": [{"word": word, "probability": round(p, 6)} for word, p in ranked],
        "duration_s": round(answer.duration_s, 4),
        "heard_s": [round(start_s, 4), round(end_s, 4)],
    }
