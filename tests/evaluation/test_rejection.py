"""Figures of rejection, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spoken_digits.evaluation import rejection, rejection_picture
from spoken_digits.evaluation.rejection import Heard, Known
from spoken_digits.rejection.labels import SILENCE, UNKNOWN

LABELS = ["ja", "nein", SILENCE, UNKNOWN]


def hearing(*scores: float, speakers: str = "") -> Heard:
    return Heard(
        score=np.array(scores),
        word=np.zeros(len(scores), np.int64),
        speakers=np.array(list(speakers or "a" * len(scores))),
    )


def test_the_score_is_the_words_probability_and_nothing_where_another_class_is_likelier():
    logits = np.log([[0.6, 0.2, 0.1, 0.1], [0.1, 0.3, 0.2, 0.4], [0.05, 0.15, 0.7, 0.1]])
    found = rejection.heard(logits, LABELS, ["a", "b", "c"])
    np.testing.assert_allclose(found.score, [0.6, 0.0, 0.0])
    np.testing.assert_array_equal(found.word, [0, 1, 1])
    closed = rejection.heard(np.log([[0.6, 0.4], [0.45, 0.55]]), LABELS[:2], ["a", "b"])
    np.testing.assert_allclose(closed.score, [0.6, 0.55])
    assert rejection.known(closed, np.array([0, 0])).right.tolist() == [True, False]


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.5, 1.0])
def test_a_threshold_is_the_lowest_that_keeps_the_rate(rate):
    score = np.round(np.random.default_rng(1).random(200) ** 2, 4)
    threshold = rejection.threshold_for(score, rate)
    assert rejection.accepted(score, threshold).mean() <= rate
    if rate < 1:
        assert rejection.accepted(score, threshold - 2e-6).mean() > rate


def test_a_threshold_is_0_where_the_classes_reject_enough_by_themselves():
    assert rejection.threshold_for(np.array([0.0] * 99 + [0.9]), 0.01) <= 1e-6


def test_figures_at_a_threshold():
    words = Known(
        heard=hearing(0.9, 0.8, 0.4, 0.95, 0.0, speakers="aabbb"),
        right=np.array([True, False, True, True, True]),
    )
    others = {"noise": hearing(0.2, 0.6, 0.9, 0.0)}
    found = rejection.at(0.5, words, others)
    assert found["accuracy"] == 0.4  # the first and the fourth
    assert found["rejected"] == 0.4
    assert found["confused"] == 0.2
    assert found["by_speaker"] == {"a": 0.5, "b": round(1 / 3, 6)}
    assert found["accuracy_ci_low"] < 0.4 < found["accuracy_ci_high"]
    assert found["false_accepts"]["noise"]["rate"] == 0.5
    assert found["false_accepts"]["noise"]["n"] == 4
    assert "speakers_low" not in found["false_accepts"]["noise"]
    without = rejection.at(0.0, words, others)
    assert without["accuracy"] == 0.6  # where no word is said, none is right
    assert without["false_accepts"]["noise"]["rate"] == 0.75


def test_thresholds_come_from_validation_and_rates_on_test_are_apart():
    words = Known(heard=hearing(0.9, 0.5), right=np.array([True, True]))
    others = {"noise": hearing(0.95, 0.1)}
    found = rejection.figures(words, others, validation=hearing(*[0.6] * 50))
    assert found["no_threshold"]["accuracy"] == 1.0
    assert found["at_5_percent"]["threshold"] == pytest.approx(0.6, abs=2e-6)
    assert found["at_5_percent"]["accuracy"] == 0.5
    assert found["on_test"]["noise"] == {f"at_{n}_percent": 0.0 for n in (1, 5, 10)}


def test_curves_fall_and_hold_their_intervals_and_are_drawn(tmp_path):
    rng = np.random.default_rng(3)
    words = Known(heard=hearing(*(0.5 + rng.random(50) / 2)), right=rng.random(50) < 0.9)
    rows = pd.DataFrame(
        rejection.curve(words, {"noise": hearing(*rng.random(40))}),
        columns=rejection.CURVE_COLUMNS,
    )
    assert rows["threshold"].is_monotonic_increasing
    assert rows["false_accepts"].is_monotonic_decreasing
    assert rows["misses"].is_monotonic_increasing
    assert rows["false_accepts"].iloc[0] == 1.0
    for name in ("false_accepts", "misses"):
        assert (rows[f"{name}_low"] <= rows[name] + 1e-9).all()
        assert (rows[f"{name}_high"] >= rows[name] - 1e-9).all()
    for draw in (rejection_picture.draw_roc, rejection_picture.draw_det):
        path = tmp_path / f"{draw.__name__}.png"
        draw(path, rows.assign(model="small"), "a title")
        assert path.read_bytes().startswith(b"\x89PNG")
