"""Accuracy over folds, seeds and speakers, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spoken_digits.errors import UserError
from spoken_digits.evaluation import folds, folds_picture
from spoken_digits.evaluation.metrics import cluster_interval, wilson_interval


def run(speaker: str, n_right: int, n: int = 10, **others: int) -> pd.DataFrame:
    """Clips of one speaker of which the first so many are right."""
    columns = {"float32": n_right, **others}
    said = {name: ["yes"] * right + ["no"] * (n - right) for name, right in columns.items()}
    return pd.DataFrame({"speaker": [speaker] * n, "actual": "yes", "chosen_by": "zoe", **said})


RUNS = {
    (0, 1): run("ann", 9, int8=8),
    (0, 2): run("ann", 7, int8=7),
    (1, 1): run("bo", 4, int8=4),
    (1, 2): run("bo", 8, int8=6),
    (2, 1): run("cy", 10, int8=10),
    (2, 2): run("cy", 10, int8=10),
}


def test_every_speaker_counts_the_same_and_is_the_mean_of_its_seeds():
    figures, dots = folds.over_speakers("small", RUNS)
    small = figures["small"]
    assert small["mean"] == pytest.approx((0.8 + 0.6 + 1.0) / 3, abs=1e-6)
    assert small["std_speakers"] == pytest.approx(0.2)
    assert (small["worst"], small["worst_speaker"]) == (0.6, "bo")
    bo = {"mean": 0.6, "min": 0.4, "max": 0.8, "n": 10, "chosen_by": "zoe"}
    assert small["per_speaker"]["bo"] == bo
    assert small["adapted_mean"] is None
    assert 0.6 <= small["accuracy_ci_low"] < 0.8 < small["accuracy_ci_high"] <= 1.0
    assert ("small", "bo", 2, 0.8) in dots
    assert len(dots) == 12


def test_speakers_of_few_clips_count_as_much_as_those_of_many():
    runs = {(0, 1): run("ann", 10, n=10), (1, 1): run("bo", 0, n=90)}
    assert folds.over_speakers("small", runs)[0]["small"]["mean"] == 0.5


def test_an_integer_network_is_compared_with_the_float_one():
    integer = folds.over_speakers("small", RUNS)[0]["small.int8"]
    assert integer["accuracy_drop"] == pytest.approx((1 + 0 + 0 + 2 + 0 + 0) / 60, abs=1e-6)
    assert integer["agreement"] == pytest.approx(57 / 60)


def test_predictions_that_adapt_are_not_a_scheme_of_their_own():
    runs = {key: table.assign(**{"float32+adapted": "yes"}) for key, table in RUNS.items()}
    figures, _ = folds.over_speakers("small", runs)
    assert list(figures) == ["small", "small.int8"]
    assert figures["small"]["adapted_mean"] == 1.0
    assert figures["small.int8"]["adapted_mean"] is None


def test_who_chose_the_epoch_is_unknown_if_the_run_does_not_say():
    runs = {key: table.drop(columns="chosen_by") for key, table in RUNS.items()}
    figures, _ = folds.over_speakers("small", runs)
    assert figures["small"]["per_speaker"]["ann"]["chosen_by"] is None


def test_a_speaker_in_two_folds_is_named():
    with pytest.raises(UserError, match=r"speaker ann is tested in two folds, 0 and 1 \(seed 2\)"):
        folds.over_speakers("small", {**RUNS, (1, 2): run("ann", 3)})


def test_strangers_count_by_clip_with_an_interval_for_each_seed():
    runs = {
        seed: pd.concat([run("ann", right), run("bo", 5, n=30)]) for seed, right in ((1, 9), (2, 7))
    }
    figures = folds.over_strangers("small", runs)["small"]
    assert (figures["accuracy"], figures["n"]) == (13 / 40, 40)
    low, high = wilson_interval(14, 40)
    assert figures["by_seed"]["1"] == {
        "accuracy": 0.35,
        "accuracy_ci_low": pytest.approx(low, abs=1e-6),
        "accuracy_ci_high": pytest.approx(high, abs=1e-6),
    }
    assert figures["per_speaker"]["ann"]["mean"] == 0.8


def test_the_interval_of_clusters_draws_speakers_and_not_clips():
    # All right or all wrong: 20 x 500 clips tell no more than 20 coins.
    right = np.array([500.0] * 10 + [0.0] * 10)
    low, high = cluster_interval(right, np.full(20, 500))
    assert low == pytest.approx(0.3, abs=0.051)
    assert high == pytest.approx(0.7, abs=0.051)
    assert cluster_interval(right, np.full(20, 500)) == (low, high)
    assert cluster_interval(np.array([0.9]), np.ones(1)) == (0.0, 1.0)
    assert cluster_interval(np.full(6, 0.9), np.ones(6)) == pytest.approx((0.9, 0.9))


def test_clusters_of_many_clips_weigh_more():
    right = np.array([100.0] * 4 + [0.0])
    assert cluster_interval(right, np.full(5, 100))[0] < 0.7
    assert cluster_interval(right, np.array([100] * 4 + [1]))[0] > 0.9


@pytest.mark.parametrize("n_speakers", [1, 3, 60])
def test_the_picture_takes_any_number_of_speakers(n_speakers, tmp_path):
    runs = {(n, 1): run(f"s{n:02}", n % 10) for n in range(n_speakers)}
    figures, dots = folds.over_speakers("small", runs)
    figures = {name: {**row, "corpus": "words"} for name, row in figures.items()}
    folds_picture.draw(tmp_path / "a.png", figures, dots)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
