"""The arithmetic that NumPy and C share: the one rounding rule, and saturation.

The C twin is ``firmware/sd_fixed.h``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.signedinteger[Any]]


def round_shift(x: IntArray, shift: int | IntArray) -> IntArray:
    """Divide by ``2**shift``, rounding half up: ``(x + 2**(shift - 1)) >> shift``.

    Parameters
    ----------
    x
        Signed integers; ``x + 2**(shift - 1)`` must fit their type.
    shift
        From 0 (identity) to 30: one for all, or an array that broadcasts against `x` and has
        its type.
    """
    one = x.dtype.type(1)
    half = (one << np.asarray(shift, dtype=x.dtype)) >> one
    return (x + half) >> np.asarray(shift, dtype=x.dtype)


def saturate(x: IntArray, bits: int) -> IntArray:
    """Clamp to a signed integer of `bits` bits: ``[-2**(bits - 1), 2**(bits - 1) - 1]``."""
    limit = 1 << (bits - 1)
    return np.clip(x, -limit, limit - 1)


def bit_length(x: npt.NDArray[Any]) -> IntArray:
    """Position of the highest set bit plus one, 0 for 0; `x` in ``[0, 2**63)``."""
    rest = x.astype(np.int64)
    length = np.zeros(rest.shape, dtype=np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        high = rest >= (1 << step)
        length += step * high
        rest = np.where(high, rest >> step, rest)
    return length + (rest > 0)
