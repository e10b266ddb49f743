"""Sigmoid and tanh on integers: one table, straight lines between its entries.

Both come from the odd function ``u(t) = tanh(t / 2) / 2``, since ``sigmoid(t) = 1/2 + u(t)``
and ``tanh(t) = 2 u(2 t)``. ``u`` is tabulated on [0, 8] in steps of 1/16 and interpolated
linearly; the negative half is the one's complement of the positive half. The largest error
against the true functions is 9e-5 for sigmoid, 3.2e-4 for tanh inside the table, and 6.8e-4
where tanh stays at ``tanh(4)`` (over every input; a test holds it to that).

The same arithmetic in C: ``firmware/sd_activation.h``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ACTIVATION_BITS = 12
"""Fraction bits of features, hidden states and gate pre-activations: int16, real = q / 4096."""

GATE_BITS = 15
"""Fraction bits of what sigmoid and tanh give: int16, real = q / 32768."""

STEP_BITS = 8
"""One table step is 2**8 pre-activation steps, that is 1/16."""

GATE_MAX = 2**15 - 1
"""Largest pre-activation: int16."""


def half_tanh_table() -> NDArray[np.int16]:
    """``round(2**15 * tanh(t / 2) / 2)`` at t = 0, 1/16, ..., 8.

    Returns
    -------
    ndarray, shape (129,), int16, range [0, 16373]
    """
    t = np.arange((1 << (15 - STEP_BITS)) + 1) / (1 << (ACTIVATION_BITS - STEP_BITS))
    return np.floor(2.0**GATE_BITS * np.tanh(t / 2) / 2 + 0.5).astype(np.int16)


TABLE = half_tanh_table()
_LOW = TABLE[:-1].astype(np.int32)
_RISE = np.diff(TABLE).astype(np.int32)


def _half_tanh(t: NDArray[np.int32]) -> NDArray[np.int32]:
    """``u(t)`` for t in [0, 2**15 - 1] with `ACTIVATION_BITS` fraction bits."""
    index = t >> STEP_BITS
    fraction = t & ((1 << STEP_BITS) - 1)
    rise: NDArray[np.int32] = _RISE[index] * fraction
    low: NDArray[np.int32] = _LOW[index]
    return low + ((rise + (1 << (STEP_BITS - 1))) >> STEP_BITS)


def sigmoid(z: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sigmoid of int16 pre-activations.

    Parameters
    ----------
    z
        Any shape, range [-2**15, 2**15 - 1], `ACTIVATION_BITS` fraction bits.

    Returns
    -------
    ndarray
        Same shape, range [10, 32757], `GATE_BITS` fraction bits.
    """
    sign = z >> 31
    return (1 << (GATE_BITS - 1)) + (_half_tanh(z ^ sign) ^ sign)


def tanh(z: NDArray[np.int32], fraction_bits: int = ACTIVATION_BITS) -> NDArray[np.int32]:
    """Hyperbolic tangent of int16 values.

    Parameters
    ----------
    z
        Any shape, range [-2**15, 2**15 - 1].
    fraction_bits
        Fraction bits of `z`, at most `ACTIVATION_BITS`.

    Returns
    -------
    ndarray
        Same shape, range [-32747, 32746], `GATE_BITS` fraction bits.
    """
    sign = z >> 31
    doubled = (z ^ sign) << (ACTIVATION_BITS + 1 - fraction_bits)
    return (2 * _half_tanh(np.minimum(doubled, GATE_MAX))) ^ sign
