"""How well a recogniser keeps quiet about what is none of its words.

One rule for every model: a clip is accepted as its likeliest word if that is likelier than
anything else that the model knows, and its probability, the *score*, reaches a threshold. A model
without further classes accepts everything at threshold 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.evaluation.metrics import cluster_interval, probabilities, wilson_interval
from spoken_digits.rejection.labels import word_mask

RATES = (0.01, 0.05, 0.1)
"""False-accept rates at which accuracies are given."""
NO_THRESHOLD = "no_threshold"
"""Operating point at which what the network says is the answer."""
_DIGITS = 6
_CURVE_POINTS = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a model makes of some clips."""

    score: Floats
    """(n,) probability of the word it says; 0 where it says none."""
    word: NDArray[np.int64]
    """(n,) class number of the likeliest word."""
    speakers: NDArray[np.str_]
    """(n,)."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a model makes of clips of its words."""

    heard: Heard
    right: NDArray[np.bool_]
    """(n,) whether the likeliest word is the one said."""


def heard(logits: Floats, labels: Sequence[str], speakers: Sequence[str]) -> Heard:
    """What logits (n, n_labels) say."""
    is_word = word_mask(labels)
    chances = probabilities(logits)
    words = np.where(is_word, chances, -1.0)
    best = words.argmax(axis=1)
    score = np.where(is_word[chances.argmax(axis=1)], words.max(axis=1), 0.0)
    return Heard(score=score, word=best, speakers=np.asarray(speakers, str))


def known(found: Heard, actual: NDArray[np.int64]) -> Known:
    """What a model makes of clips of the words `actual` (n,)."""
    return Known(heard=found, right=found.word == actual)


def threshold_for(score: Floats, rate: float) -> float:
    """The lowest threshold, to six decimals, at which at most `rate` of the clips are accepted.

    Parameters
    ----------
    score
        (n,) scores of clips that should all be rejected.
    rate
        0 to 1.
    """
    falling = np.sort(score)[::-1]
    n_accepted = int(rate * len(score) + 1e-9)
    if n_accepted >= len(score):
        return 0.0
    step = 10.0**-_DIGITS
    return float(round((np.floor(falling[n_accepted] / step) + 1) * step, _DIGITS))


def accepted(score: Floats, threshold: float) -> NDArray[np.bool_]:
    """Which clips (n,) are accepted: a score of 0 never is."""
    return (score > 0) & (score >= threshold)


def at(threshold: float, words: Known, others: Mapping[str, Heard]) -> dict[str, Any]:
    """Figures at one threshold.

    Parameters
    ----------
    threshold
        0 to 1.
    words
        Clips of the words.
    others
        Clips that are none of the words, by group.

    Returns
    -------
    dict
        `threshold`; `accuracy` of the words, those rejected counted as wrong, with a Wilson
        interval and one over speakers; `rejected` and `confused`, shares of the words;
        `by_speaker`; `false_accepts`: of each group, `rate` with a Wilson interval, of more than
        one speaker with one over speakers too, and `n`.
    """
    taken = accepted(words.heard.score, threshold)
    good = taken & words.right
    accuracy, low, high = _with_interval(good)
    by_speaker = _by_speaker(good, words.heard.speakers)
    speakers_low, speakers_high = _over_speakers(good, words.heard.speakers)
    return {
        "threshold": threshold,
        "accuracy": accuracy,
        "accuracy_ci_low": low,
        "accuracy_ci_high": high,
        "accuracy_speakers_low": speakers_low,
        "accuracy_speakers_high": speakers_high,
        "rejected": _share(~taken),
        "confused": _share(taken & ~words.right),
        "by_speaker": by_speaker,
        "false_accepts": {
            group: _false_accepts(clips, threshold) for group, clips in others.items()
        },
    }


def figures(
    words: Known, others: Mapping[str, Heard], validation: Heard
) -> dict[str, dict[str, Any]]:
    """Figures without a threshold, at thresholds chosen on validation clips, and along the curve.

    Parameters
    ----------
    words, others
        Test clips, see `at`.
    validation
        Speech of the validation subset that is none of the words.

    Returns
    -------
    dict
        ``no_threshold``: threshold 0. ``at_<p>_percent``: at the threshold that accepts that
        share of `validation`. ``on_test``: of each group, the accuracy at each rate of the group
        itself, which nobody can choose beforehand.
    """
    found = {NO_THRESHOLD: at(0.0, words, others)}
    for rate in RATES:
        found[point(rate)] = at(threshold_for(validation.score, rate), words, others)
    found["on_test"] = {
        group: {
            point(rate): _share(
                accepted(words.heard.score, threshold_for(clips.score, rate)) & words.right
            )
            for rate in RATES
        }
        for group, clips in others.items()
    }
    return found


def point(rate: float) -> str:
    """Name of the operating point of a false-accept rate."""
    return f"at_{100 * rate:g}_percent"


def curve(words: Known, others: Mapping[str, Heard]) -> list[tuple[Any, ...]]:
    """Rows of `CURVE_COLUMNS` for each group of clips, thresholds rising from 0."""
    rows: list[tuple[Any, ...]] = []
    for group, clips in others.items():
        both = np.concatenate([clips.score, words.heard.score])
        steps = np.quantile(both, np.linspace(0, 1, _CURVE_POINTS), method="inverted_cdf")
        for threshold in np.unique([0.0, *steps.round(_DIGITS)]):
            good = accepted(words.heard.score, threshold) & words.right
            wrong = accepted(clips.score, threshold)
            rows.append((group, threshold, *_with_interval(wrong), *_with_interval(~good)))
    return rows


CURVE_COLUMNS = (
    "group",
    "threshold",
    "false_accepts",
    "false_accepts_low",
    "false_accepts_high",
    "misses",
    "misses_low",
    "misses_high",
)
"""`misses`: share of the words that are rejected or taken for another."""


def _with_interval(found: NDArray[np.bool_]) -> tuple[float, float, float]:
    """The share of clips found and its Wilson interval."""
    low, high = wilson_interval(int(found.sum()), len(found))
    return _share(found), round(low, _DIGITS), round(high, _DIGITS)


def _false_accepts(clips: Heard, threshold: float) -> dict[str, float | int]:
    taken = accepted(clips.score, threshold)
    rate, low, high = _with_interval(taken)
    found = {"rate": rate, "low": low, "high": high}
    if len(set(clips.speakers)) > 1:
        speakers_low, speakers_high = _over_speakers(taken, clips.speakers)
        found |= {"speakers_low": speakers_low, "speakers_high": speakers_high}
    return {**found, "n": len(taken)}


def _by_speaker(found: NDArray[np.bool_], speakers: NDArray[np.str_]) -> dict[str, float]:
    return {str(name): _share(found[speakers == name]) for name in np.unique(speakers)}


def _over_speakers(found: NDArray[np.bool_], speakers: NDArray[np.str_]) -> tuple[float, float]:
    """The cluster bootstrap's interval of the share of clips found."""
    names, of = np.unique(speakers, return_inverse=True)
    n_found = np.bincount(of, weights=found, minlength=len(names)).astype(np.float64)
    low, high = cluster_interval(n_found, np.bincount(of, minlength=len(names)).astype(np.int64))
    return round(low, _DIGITS), round(high, _DIGITS)


def _share(found: NDArray[np.bool_]) -> float:
    return round(float(found.mean()), _DIGITS)
