"""Whether one model is better than another on the same clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS = 10_000
_SEED = 20_240_229
_LEVEL = 0.95
_SIGNIFICANT = 0.05
FEW_SPEAKERS = 20
"""With fewer clusters a percentile interval tends to be too narrow."""


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Clips that only one of two models recognises, and how likely such a split is by chance."""

    only_a: int
    only_b: int
    n: int
    """All clips."""
    p_value: float
    """Two-sided, exact."""


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test ("Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12, 1947).

    Parameters
    ----------
    right_a, right_b
        (n_clips,) whether each model recognises each clip.
    """
    from scipy.stats import binomtest

    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    n_discordant = only_a + only_b
    p_value = float(binomtest(only_a, n_discordant).pvalue) if n_discordant else 1.0
    return McNemar(only_a=only_a, only_b=only_b, n=len(right_a), p_value=p_value)


def by_speaker(clips: pd.DataFrame) -> pd.DataFrame:
    """One row a speaker: clips, a and b (accuracies), difference (a - b).

    Parameters
    ----------
    clips
        One row a clip: speaker, a and b, the shares of runs in which each model is right.
    """
    grouped = clips.groupby("speaker", sort=True)
    table = grouped[["a", "b"]].mean()
    table.insert(0, "clips", grouped.size())
    return table.assign(difference=table["a"] - table["b"])


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Accuracy of a less that of b over all clips."""

    difference: float
    low: float | None
    """95 % interval; None where a single speaker allows none."""
    high: float | None
    n_speakers: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def bootstrap(speakers: pd.DataFrame, draws: int = DRAWS) -> Difference:
    """Paired cluster bootstrap: speakers are drawn with replacement, all their clips with them.

    The clips of a speaker are much alike, so that clips drawn one by one would give an interval
    that is too narrow for people whom neither model has heard.

    Parameters
    ----------
    speakers
        From `by_speaker`.
    draws
        Number of draws; their seed is fixed.
    """
    from scipy import stats

    counts = speakers["clips"].to_numpy(np.float64)
    sums = counts * speakers["difference"].to_numpy(np.float64)

    def mean(
        sums: NDArray[np.float64], counts: NDArray[np.float64], axis: int
    ) -> NDArray[np.float64]:
        return np.asarray(sums.sum(axis) / counts.sum(axis))

    low = high = None
    if len(speakers) > 1:
        interval = stats.bootstrap(
            (sums, counts),
            mean,
            paired=True,
            vectorized=True,
            n_resamples=draws,
            method="percentile",
            confidence_level=_LEVEL,
            random_state=np.random.default_rng(_SEED),
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return Difference(
        difference=float(sums.sum() / counts.sum()), low=low, high=high, n_speakers=len(speakers)
    )


def verdict_of_bootstrap(a: str, b: str, found: Difference) -> str:
    """One sentence, in points of accuracy."""
    n = f"{found.n_speakers} speaker{'s' if found.n_speakers > 1 else ''}"
    if found.low is None or found.high is None:
        return f"{_said(a, b, found.difference, is_shown=False)} on {n}, too few for an interval"
    low, high = found.low, found.high
    if found.difference < 0:  # as seen from the better one
        low, high = -high, -low
    interval = f"95 % interval {_points(low)} to {_points(high)}, on {n}"
    if found.n_speakers < FEW_SPEAKERS:
        interval += " (rough: with so few speakers it tends to be too narrow)"
    return f"{_said(a, b, found.difference, is_shown=found.is_shown)}, {interval}"


def verdict_of_mcnemar(a: str, b: str, found: McNemar) -> str:
    """One sentence, in points of accuracy."""
    difference = (found.only_a - found.only_b) / found.n
    return (
        f"{_said(a, b, difference, is_shown=found.p_value < _SIGNIFICANT)}, "
        f"p = {found.p_value:.2g} by McNemar's exact test: of {found.n:,} clips only {a} has "
        f"{found.only_a} right, only {b} {found.only_b}"
    )


def _said(a: str, b: str, difference: float, *, is_shown: bool) -> str:
    if difference == 0:
        return f"no difference is shown: {a} and {b} are equal"
    better, worse = (a, b) if difference > 0 else (b, a)
    by = f"by {_points(abs(difference))} points"
    if is_shown:
        return f"{better} is better than {worse} {by}"
    return f"no difference is shown: {better} is ahead of {worse} {by}"


def _points(share: float) -> str:
    """Such as 4.2, never -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"
