from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.special import softmax

from spoken_digits.evaluation import metrics
from spoken_digits.evaluation.rounding import rounded


@pytest.mark.parametrize(
    ("n_right", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_as_published(n_right, n, low, high):
    assert metrics.wilson_interval(n_right, n) == pytest.approx((low, high), abs=5e-5)


def test_a_perfect_score_is_not_certain():
    low, high = metrics.wilson_interval(600, 600)
    assert 0.99 < low < 1
    assert high == 1
    with pytest.raises(ValueError, match="at least one"):
        metrics.wilson_interval(0, 0)


def test_cross_entropy_is_that_of_torch():
    logits = np.random.default_rng(0).normal(0, 30, (50, 7))
    actual = np.arange(50) % 7
    expected = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(actual))
    assert metrics.cross_entropy(logits, actual) == pytest.approx(float(expected))


def test_probabilities_are_those_of_torch_and_scipy_over_the_last_axis():
    logits = np.random.default_rng(0).normal(0, 3, (4, 5, 6))
    expected = torch.softmax(torch.tensor(logits), -1).numpy()
    np.testing.assert_allclose(metrics.probabilities(logits), expected)
    np.testing.assert_array_equal(metrics.probabilities(logits), softmax(logits, axis=-1))


LOGITS = np.array([[2.0, 0, 0], [0, 2, 0], [0, 2, 0], [1, 0, 3]])
ACTUAL = np.array([0, 1, 0, 2])


def test_metrics_by_hand():
    scores = metrics.accuracy_metrics(LOGITS, ACTUAL)
    assert scores["accuracy"] == 0.75
    assert scores["n_test"] == 4
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert (scores["accuracy_ci_low"], scores["accuracy_ci_high"]) == metrics.wilson_interval(3, 4)
    assert scores["loss"] == metrics.cross_entropy(LOGITS, ACTUAL)
    assert list(scores) == [
        "accuracy",
        "accuracy_ci_low",
        "accuracy_ci_high",
        "macro_f1",
        "loss",
        "n_test",
    ]
    report = metrics.per_class_report(LOGITS, ACTUAL, ["a", "b", "c"])
    assert list(report) == ["label", "precision", "recall", "f1", "support"]
    assert report["label"].tolist() == ["a", "b", "c"]
    assert report["precision"].tolist() == [1, 0.5, 1]
    assert report["recall"].tolist() == [0.5, 1, 1]
    assert report["support"].tolist() == [2, 1, 1]


def test_metrics_are_rounded_to_six_decimals_and_zero_has_no_sign():
    figures = {"loss": 0.12345678, "drop": -1e-9, "gain": -0.25, "n": 12345678}
    nested = rounded({"words": figures, "name": "a"})
    assert nested == {"words": rounded(figures), "name": "a"}
    assert {key: str(value) for key, value in nested["words"].items()} == {
        "loss": "0.123457",
        "drop": "0.0",
        "gain": "-0.25",
        "n": "12345678",
    }


def test_words_without_test_clips_do_not_count_in_macro_f1():
    scores = metrics.accuracy_metrics(np.eye(4)[[0, 1]], np.array([0, 1]))
    assert scores["macro_f1"] == 1


def test_a_loss_is_exact_where_a_probability_is_none():
    assert metrics.cross_entropy(np.array([[0.0, 1000.0]]), np.array([0])) == pytest.approx(1000)


@pytest.mark.filterwarnings("error")  # scikit-learn warns of 0 / 0 unless told what it is
@pytest.mark.parametrize("n", [1, 12, 500])
def test_every_word_has_the_figures_that_counting_gives(n):
    # Of seven words the last is never spoken and the first never recognised.
    rng = np.random.default_rng(n)
    actual, predicted = rng.integers(0, 6, n), rng.integers(1, 7, n)
    report = metrics.per_class_report(np.eye(7)[predicted], actual, list("abcdefg"))
    for word, row in report.iterrows():
        said, spoken = predicted == word, actual == word
        hits = (said & spoken).sum()
        assert row["support"] == spoken.sum()
        assert row["precision"] == pytest.approx(hits / max(1, said.sum()))
        assert row["recall"] == pytest.approx(hits / max(1, spoken.sum()))
        assert row["f1"] == pytest.approx(2 * hits / max(1, said.sum() + spoken.sum()))
    scores = metrics.accuracy_metrics(np.eye(7)[predicted], actual)
    assert scores["macro_f1"] == pytest.approx(report["f1"][report["support"] > 0].mean())


def test_other_commands_do_not_wait_for_the_libraries_of_metrics():
    code = "import sys, spoken_digits.evaluation.metrics, spoken_digits.data.splits as s\n"
    code += "print({'sklearn', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
