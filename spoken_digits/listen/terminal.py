"""What a listener shows: a line for each word, and a level meter on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from spoken_digits.errors import printable
from spoken_digits.integer.detector.endpoint import Endpointer
from spoken_digits.integer.detector.event import REASONS, Event, Verdict
from spoken_digits.integer.detector.specification import CERTAIN, FLOOR_BITS, dbfs

_BAR = 30
_LOWEST_DB = -72.0
_HEARING = "hearing"


class Screen:
    """Prints events to standard output, and the meter, if it is a terminal, to standard error."""

    def __init__(
        self, labels: Sequence[str], sample_rate: int, *, everything: bool, as_json: bool
    ) -> None:
        self._labels = [printable(label) for label in labels]
        self._rate, self._everything, self._json = sample_rate, everything, as_json
        self._has_meter = sys.stderr is not None and sys.stderr.isatty()

    def show(self, event: Event) -> None:
        """A line for a word; for any other sound only if everything is to be shown."""
        if event.verdict is not Verdict.WORD and not self._everything:
            return
        self.clear()
        print(self._object(event) if self._json else self._line(event), flush=True)

    def meter(self, level: int, frame_length: int, endpointer: Endpointer | None) -> None:
        """Level of the last frame; noise floor and whether a sound goes on, where that is known."""
        if not self._has_meter:
            return
        level_db = dbfs(level / 256, frame_length)
        cells = ["#" if i < _cell(level_db) else " " for i in range(_BAR)]
        heard = " " * len(_HEARING)
        if endpointer is not None:
            floor_db = dbfs(endpointer.floor / (1 << FLOOR_BITS), frame_length)
            cells[min(_BAR - 1, _cell(floor_db))] = "|"
            heard = _HEARING if endpointer.in_word else heard
        print(f"\r{level_db:6.1f} dB [{''.join(cells)}] {heard} ", end="", file=sys.stderr)
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the meter away."""
        if self._has_meter:
            print(f"\r{' ' * (_BAR + 24)}\r", end="", file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        start, end = event.start / self._rate, event.end / self._rate
        word = self._labels[event.word] if event.word >= 0 else "-"
        sure = f"{event.confidence / CERTAIN:.4f}" if event.word >= 0 else "      "
        reason = REASONS[event.verdict]
        line = f"{start:9.2f} to {end:.2f} s  {word}  {sure}"
        return f"{line}  ({reason})" if reason else line

    def _object(self, event: Event) -> str:
        return json.dumps(
            {
                "verdict": event.verdict.name.lower(),
                "word": self._labels[event.word] if event.word >= 0 else None,
                "confidence": event.confidence / CERTAIN,
                "start_s": event.start / self._rate,
                "end_s": event.end / self._rate,
                "decided_s": event.decided / self._rate,
            },
            ensure_ascii=False,
        )


def _cell(db: float) -> int:
    return max(0, round(_BAR * (db - _LOWEST_DB) / -_LOWEST_DB))
