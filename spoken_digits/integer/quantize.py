"""Real weights to integers: a power of two as scale of each row.

Each row tries the candidate exponents and keeps the one with the smallest squared error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.limits import Scheme

Real = NDArray[np.float64]

_LARGEST = {"int8": 127, "pow2": 64}
_CANDIDATES = {"int8": (0, 1), "pow2": (0, 1, 2)}
"""Exponents tried above the one at which nothing is clipped."""


def quantize_rows(
    weight: Real, scheme: Scheme, ceiling: NDArray[np.int64]
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Integers q and exponents e with ``weight ~ q / 2**e``, e for each row.

    Parameters
    ----------
    weight
        (n_rows, n_columns)
    ceiling
        (n_rows,): largest exponent allowed.

    Raises
    ------
    ValueError
        A weight so large that even exponent 0 cannot hold it.
    """
    peak = np.abs(weight).max(axis=1, initial=1e-9)
    base = np.floor(np.log2((_LARGEST[scheme] + 0.49) / peak)).astype(np.int64)
    if (np.minimum(base, ceiling) < 0).any():
        raise ValueError(f"a weight of {peak.max():.3g} or its bias is too large for {scheme}")
    best = np.zeros(weight.shape, np.int8)
    shift = np.zeros(len(weight), np.int64)
    error = np.full(len(weight), np.inf)
    for step in _CANDIDATES[scheme]:
        exponent = np.minimum(base + step, ceiling)
        scale = 2.0 ** exponent[:, None]
        rounded = _round(weight * scale, scheme)
        squared = ((rounded / scale - weight) ** 2).sum(axis=1)
        better = squared < error
        best[better], shift[better], error[better] = (
            rounded[better],
            exponent[better],
            squared[better],
        )
    return best, shift


def _round(scaled: Real, scheme: Scheme) -> Real:
    """Nearest value the scheme can hold."""
    if scheme == "int8":
        return np.clip(np.floor(scaled + 0.5), -127, 127)
    # between 2**k and 2**(k+1) the nearer one: the border is 1.5 * 2**k; below 0.5 it is zero
    magnitude = np.abs(scaled)
    exponent = np.floor(np.log2(np.maximum(magnitude, 0.5) / 0.75))
    power = np.where(magnitude < 0.5, 0.0, 2.0 ** np.clip(exponent, 0, 6))
    return np.sign(scaled) * power
