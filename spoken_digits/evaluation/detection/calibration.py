"""Temperature and threshold of a detector, from validation words alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Real = NDArray[np.float64]

_COLDEST, _HOTTEST = 0.05, 20.0


def temperature(logits: Real, actual: NDArray[np.integer]) -> float:
    """The temperature at which the softmax of the logits is most likely to give the labels.

    Parameters
    ----------
    logits
        (n, n_classes), real.
    actual
        (n,) class numbers.

    Returns
    -------
    float
        Between 0.05 and 20, rounded to three digits.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        right = scaled[np.arange(len(actual)), actual]
        return float((np.log(np.exp(scaled).sum(axis=1)) - right).mean())

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(f"{np.exp(found.x):.3g}")


def threshold(confidences: NDArray[np.integer], most_lost: float) -> int:
    """The highest threshold that loses at most a share of the words.

    Parameters
    ----------
    confidences
        (n,) of validation words that were recognised rightly, at least one.
    most_lost
        Share of them that may fall below it.
    """
    in_order = np.sort(confidences)
    return int(in_order[min(len(in_order) - 1, int(most_lost * len(in_order)))])
