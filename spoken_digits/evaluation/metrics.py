"""Metrics of a classifier, with honest intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_Z_95 = 1.959963984540054


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a fraction.

    Unlike the normal approximation it stays within [0, 1] and is right near 1, where good
    recognisers are (Wilson, "Probable inference, the law of succession, and statistical
    inference", JASA 22, 1927).

    Raises
    ------
    ValueError
        `n` is less than 1.
    """
    if n < 1:
        raise ValueError("an interval needs at least one trial")
    p, z2 = n_right / n, _Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def cross_entropy(logits: NDArray[np.float64], actual: NDArray[np.int64]) -> float:
    """Mean cross-entropy, nats, of logits (n, n_classes) against class numbers (n,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sums - shifted[np.arange(len(actual)), actual]).mean())


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def accuracy_metrics(
    logits: NDArray[np.float64], actual: NDArray[np.int64]
) -> dict[str, float | int]:
    """`accuracy` with its interval, `macro_f1`, `loss`, `n_test`.

    Parameters
    ----------
    logits
        (n, n_classes).
    actual
        (n,) class numbers.
    """
    predicted = logits.argmax(axis=1)
    n, n_right = len(actual), int((predicted == actual).sum())
    low, high = wilson_interval(n_right, n)
    *_, f1, _ = _per_class(predicted, actual, logits.shape[1])
    heard = np.isin(np.arange(logits.shape[1]), actual)
    return {
        "accuracy": n_right / n,
        "accuracy_ci_low": low,
        "accuracy_ci_high": high,
        "macro_f1": float(f1[heard].mean()),
        "loss": cross_entropy(logits, actual),
        "n_test": n,
    }


def per_class_report(
    logits: NDArray[np.float64], actual: NDArray[np.int64], labels: list[str]
) -> pd.DataFrame:
    """A row a word: label, precision, recall, f1, support."""
    precision, recall, f1, support = _per_class(logits.argmax(axis=1), actual, len(labels))
    return pd.DataFrame(
        {"label": labels, "precision": precision, "recall": recall, "f1": f1, "support": support}
    )


def _per_class(
    predicted: NDArray[np.int64], actual: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Precision, recall, F1, support, each (n_classes,); 0 where nothing was said or heard."""
    hits = np.bincount(actual[predicted == actual], minlength=n_classes)
    said = np.bincount(predicted, minlength=n_classes)
    support = np.bincount(actual, minlength=n_classes)

    def share(of: NDArray[np.int64], parts: NDArray[np.int64] = hits) -> NDArray[np.float64]:
        return np.divide(parts, of, out=np.zeros(n_classes), where=of > 0)

    return share(said), share(support), share(said + support, 2 * hits), support


def rounded(metrics: dict[str, float | int]) -> dict[str, float | int]:
    """Metrics with six decimals: enough to compare, and the same text in every run."""
    return {
        # Adding zero turns -0.0 into 0.0.
        key: round(value, 6) + 0.0 if isinstance(value, float) else value
        for key, value in metrics.items()
    }
