"""McNemar by hand, a bootstrap whose interval covers, and plain verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spoken_digits.evaluation.comparison import (
    Difference,
    McNemar,
    bootstrap,
    by_speaker,
    mcnemar,
    verdict_of_bootstrap,
    verdict_of_mcnemar,
)


def flags(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


def test_mcnemar_by_hand():
    # 6 clips only a has right, 1 only b: p = 2 (1 + 7) / 2^7.
    found = mcnemar(flags("1111110" + "1100"), flags("0000001" + "1100"))
    assert (found.only_a, found.only_b, found.n) == (6, 1, 11)
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)


def test_mcnemar_of_models_that_never_differ():
    assert mcnemar(flags("1010"), flags("1010")).p_value == 1.0


def clips(differences: dict[str, tuple[int, int, int]]) -> pd.DataFrame:
    """Speaker -> clips, how many a has right, how many b has."""
    rows = [
        {"speaker": speaker, "a": float(i < right_a), "b": float(i < right_b)}
        for speaker, (n, right_a, right_b) in differences.items()
        for i in range(n)
    ]
    return pd.DataFrame(rows)


def test_each_speaker_has_a_row():
    table = by_speaker(clips({"bo": (4, 4, 2), "ann": (10, 5, 6)}))
    assert list(table.index) == ["ann", "bo"]
    assert table["clips"].tolist() == [10, 4]
    assert table["difference"].tolist() == pytest.approx([-0.1, 0.5])


def test_the_difference_is_over_clips_and_the_interval_by_hand():
    table = by_speaker(clips({"ann": (30, 30, 24), "bo": (10, 10, 6)}))
    found = bootstrap(table)
    assert found.difference == pytest.approx(10 / 40)
    # A quarter of all draws is ann twice, another quarter bo twice.
    assert (found.low, found.high) == (pytest.approx(6 / 30), pytest.approx(4 / 10))
    assert found.n_speakers == 2
    assert found.is_shown
    assert not bootstrap(by_speaker(clips({"ann": (9, 9, 9), "bo": (9, 9, 5)}))).is_shown


def test_equal_draws_every_time():
    table = by_speaker(clips({f"s{i}": (20, 10 + i, 8 + i % 3) for i in range(8)}))
    assert bootstrap(table) == bootstrap(table)


def test_order_of_models_turns_the_interval_around():
    table = clips({f"s{i}": (20, 10 + i, 8 + i % 3) for i in range(8)})
    one = bootstrap(by_speaker(table))
    other = bootstrap(by_speaker(table.rename(columns={"a": "b", "b": "a"})))
    assert other.difference == -one.difference
    assert (other.low, other.high) == (pytest.approx(-one.high), pytest.approx(-one.low))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth, spread, n_trials = 0.05, 0.06, 200
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(n_trials):
        differences = rng.normal(truth, spread, 40)
        table = pd.DataFrame({"clips": 50, "difference": differences})
        found = bootstrap(table, draws=1000)
        covered += found.low <= truth <= found.high
    assert 0.88 <= covered / n_trials <= 0.98


def test_clips_of_one_speaker_do_not_count_as_people():
    """Speakers who differ make the interval wide, however many clips each has."""
    few = bootstrap(by_speaker(clips({f"s{i}": (10, 5 + 5 * (i % 2), 5) for i in range(6)})))
    many = bootstrap(by_speaker(clips({f"s{i}": (100, 50 + 50 * (i % 2), 50) for i in range(6)})))
    assert (many.low, many.high) == pytest.approx((few.low, few.high))


def found(difference: float, low: float | None, high: float | None, n: int = 6) -> Difference:
    return Difference(difference=difference, low=low, high=high, n_speakers=n)


def test_verdicts_of_the_bootstrap():
    rough = " (rough: with so few speakers it tends to be too narrow)"
    assert verdict_of_bootstrap("x", "y", found(0.042, 0.011, 0.07)) == (
        "x is better than y by 4.2 points, 95 % interval 1.1 to 7.0, on 6 speakers" + rough
    )
    assert verdict_of_bootstrap("x", "y", found(-0.042, -0.07, -0.011, 60)) == (
        "y is better than x by 4.2 points, 95 % interval 1.1 to 7.0, on 60 speakers"
    )
    assert verdict_of_bootstrap("x", "y", found(0.01, -0.02, 0.03, 60)) == (
        "no difference is shown: x is ahead of y by 1.0 points, "
        "95 % interval -2.0 to 3.0, on 60 speakers"
    )
    assert verdict_of_bootstrap("x", "y", found(0.01, None, None, 1)) == (
        "no difference is shown: x is ahead of y by 1.0 points on 1 speaker, "
        "too few for an interval"
    )


def test_one_speaker_allows_no_interval():
    table = by_speaker(clips({"ann": (10, 9, 5)}))
    assert bootstrap(table) == found(pytest.approx(0.4), None, None, 1)


def test_verdicts_of_mcnemar():
    shown = McNemar(only_a=0, only_b=6, n=600, p_value=0.03125)
    assert verdict_of_mcnemar("x", "y", shown).startswith("y is better than x by 1.0 points, p")
    unsure = McNemar(only_a=3, only_b=2, n=600, p_value=1.0)
    assert verdict_of_mcnemar("x", "y", unsure).startswith(
        "no difference is shown: x is ahead of y by 0.2 points, p = 1"
    )
    equal = McNemar(only_a=2, only_b=2, n=600, p_value=1.0)
    assert "x and y are equal" in verdict_of_mcnemar("x", "y", equal)
