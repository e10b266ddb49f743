"""Where words of a stream are lost: by the endpointer, the recogniser, or the threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

from spoken_digits.evaluation.detection.scoring import accepted, matched
from spoken_digits.evaluation.detection.streams import Span, Stream
from spoken_digits.integer.detector.event import Event, Verdict

_CUT_S = 0.04


class Fate(Enum):
    """What became of a word that was said."""

    HIT = "hit"
    WRONG = "wrong"
    """Reported as another word."""
    UNSURE = "unsure"
    """Recognised rightly, below the threshold."""
    UNSURE_WRONG = "unsure_wrong"
    """Taken for another word, below the threshold."""
    NOT_A_WORD = "not_a_word"
    """Taken for `_silence_` or `_unknown_`."""
    TOO_LONG = "too_long"
    """Taken for sound that runs on."""
    TOO_SHORT = "too_short"
    """Taken for a click."""
    NOT_HEARD = "not_heard"
    """No sound began."""


def fates(stream: Stream, events: Sequence[Event], threshold: int) -> list[Fate]:
    """What became of each word of a stream, in order; other speech is left out.

    Parameters
    ----------
    stream
        What was said.
    events
        All of them, of a run at any threshold and no refractory time.
    threshold
        Of `CERTAIN`.
    """
    return [
        _fate(span, found, threshold)
        for span, found in zip(stream.spans, matched(stream.spans, events), strict=True)
        if span.label >= 0
    ]


def losses(
    stream: Stream, events: Sequence[Event], threshold: int, sample_rate: int
) -> dict[str, int]:
    """How many words were lost in each way, by `Fate`; the sum and the hits are all words.

    `cut` counts, among the lost words that were recognised, those of which the recogniser did not
    get more than 40 ms at either end.
    """
    counts = Counter(fates(stream, events, threshold))
    lost = {fate.value: counts[fate] for fate in Fate if fate is not Fate.HIT}
    slack = round(_CUT_S * sample_rate)
    lost["cut"] = sum(
        _fate(span, found, threshold) is not Fate.HIT and _is_cut(span, found, slack)
        for span, found in zip(stream.spans, matched(stream.spans, events), strict=True)
        if span.label >= 0
    )
    return lost


def _fate(span: Span, found: Sequence[Event], threshold: int) -> Fate:
    """As `scoring.score` counts: the first accepted event decides."""
    for event in found:
        if accepted(event, threshold):
            return Fate.HIT if event.word == span.label else Fate.WRONG
    asked = [event for event in found if event.word >= 0]
    if any(event.word == span.label for event in asked):
        return Fate.UNSURE
    if any(event.verdict is Verdict.NOT_A_WORD for event in asked):
        return Fate.NOT_A_WORD
    if asked:
        return Fate.UNSURE_WRONG
    verdicts = {event.verdict for event in found}
    if Verdict.TOO_LONG in verdicts:
        return Fate.TOO_LONG
    return Fate.TOO_SHORT if verdicts else Fate.NOT_HEARD


def _is_cut(span: Span, found: Sequence[Event], slack: int) -> bool:
    asked = [event for event in found if event.word >= 0]
    return bool(asked) and (
        asked[0].start > span.start + slack or max(e.end for e in asked) < span.end - slack
    )
