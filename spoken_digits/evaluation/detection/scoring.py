"""Events against what was said: hits, wrong words, misses, false accepts, latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from spoken_digits.evaluation.detection.streams import Span, Stream
from spoken_digits.evaluation.metrics import wilson_interval
from spoken_digits.integer.detector.event import Event, Verdict


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a detector made of a stream, at one threshold."""

    n_words: int
    """That were said and are to be found."""
    n_hits: int
    """Found, as the right word."""
    n_wrong: int
    """Found, as another word."""
    n_others: int
    """Said, and none of the words."""
    n_false: int
    """Reported where none of the words was said, or once more for the same word."""
    n_others_false: int
    """Of the other words, those during which something was reported."""
    hours: float
    latencies_ms: tuple[float, ...]
    """End of a word to the decision, of every hit."""


def accepted(event: Event, threshold: int) -> bool:
    """Whether an event would be a word at a threshold, whatever that of the run was."""
    return event.verdict in (Verdict.WORD, Verdict.UNSURE) and event.confidence >= threshold


def score(stream: Stream, events: Sequence[Event], threshold: int, sample_rate: int) -> Score:
    """Hold the events of one stream against its spans.

    Parameters
    ----------
    stream
        What was said.
    events
        All of them, of a run at any threshold and no refractory time.
    threshold
        Of `CERTAIN`.
    sample_rate
        Hz.
    """
    left = [event for event in events if accepted(event, threshold)]
    n_hits = n_wrong = n_others_false = 0
    n_false = len(left)
    latencies = []
    for span, found in zip(stream.spans, matched(stream.spans, left), strict=True):
        if not found:
            continue
        if span.label < 0:
            n_others_false += 1
            continue
        first = found[0]
        n_false -= 1
        if first.word == span.label:
            n_hits += 1
            latencies.append((first.decided - span.end) / sample_rate * 1000)
        else:
            n_wrong += 1
    n_words = sum(span.label >= 0 for span in stream.spans)
    return Score(
        n_words=n_words,
        n_hits=n_hits,
        n_wrong=n_wrong,
        n_others=len(stream.spans) - n_words,
        n_false=n_false,
        n_others_false=n_others_false,
        hours=stream.n_samples / sample_rate / 3600,
        latencies_ms=tuple(latencies),
    )


def matched(spans: Sequence[Span], events: Sequence[Event]) -> list[list[Event]]:
    """The events that overlap each span; an event belongs to the first one that it overlaps."""
    found: list[list[Event]] = []
    i = 0
    for span in spans:
        while i < len(events) and events[i].end <= span.start:
            i += 1
        own = []
        while i < len(events) and events[i].start < span.end:
            own.append(events[i])
            i += 1
        found.append(own)
    return found


def first_events(stream: Stream, events: Sequence[Event]) -> list[tuple[int, Event]]:
    """Position and first recognised event of each span that has one."""
    asked = [event for event in events if event.word >= 0]
    found = matched(stream.spans, asked)
    return [(i, own[0]) for i, own in enumerate(found) if own]


def word_metrics(result: Score) -> dict[str, Any]:
    """Rates of a stream of words, with Wilson intervals of 95 %."""
    low, high = wilson_interval(result.n_hits, result.n_words)
    return {
        "n": result.n_words,
        "hit_rate": result.n_hits / result.n_words,
        "hit_rate_ci_low": low,
        "hit_rate_ci_high": high,
        "wrong_rate": result.n_wrong / result.n_words,
        "false_accepts": result.n_false,
    }


def false_accept_metrics(n: int, hours: float) -> dict[str, Any]:
    """False accepts an hour, with the exact Poisson interval of 95 % (Garwood, 1936)."""
    low = stats.chi2.ppf(0.025, 2 * n) / 2 if n else 0.0
    return {
        "n": n,
        "hours": hours,
        "per_hour": n / hours,
        "per_hour_ci_low": float(low) / hours,
        "per_hour_ci_high": float(stats.chi2.ppf(0.975, 2 * n + 2)) / 2 / hours,
    }


def latency_metrics(latencies_ms: Sequence[float]) -> dict[str, float]:
    """Median, and what 95 % of the words stay below; none if nothing was found."""
    if not latencies_ms:
        return {}
    return {
        "latency_ms": float(np.median(latencies_ms)),
        "latency_ms_p95": float(np.quantile(latencies_ms, 0.95)),
    }
