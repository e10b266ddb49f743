"""What C can hold of weights in each code: ranges, overflow bounds, bytes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import TABLE

Scheme = Literal["int8", "pow2"]
SCHEMES: tuple[Scheme, ...] = ("int8", "pow2")

WEIGHT_OFFSET = 128
"""C stores int8 weights plus 128: unsigned bytes load in one instruction on a Cortex-M0."""

MAX_ROW_SHIFT = 24
"""Largest exponent of a row of weights."""


def lstm_bytes(n_units: Sequence[int], scheme: Scheme, *, n_inputs: int, n_classes: int) -> int:
    """Bytes that hold a graph of LSTM layers, before there is one: weights, int32 biases, shifts
    and the activation table.

    Parameters
    ----------
    n_units
        Hidden units of each layer.
    scheme
        A byte a weight (``int8``) or half a byte (``pow2``).
    n_inputs, n_classes
        Coefficients a frame, classes.
    """
    shapes = [(4 * h, below + h) for below, h in itertools.pairwise((n_inputs, *n_units))]
    weights = sum(stored_bytes(shape, scheme) for shape in [*shapes, (n_classes, n_units[-1])])
    n_rows = 4 * sum(n_units)
    # a shift for each row and input, the cell's fraction bits, the shift of the output matrix
    n_shift = n_rows + n_inputs + len(n_units) + 1
    return weights + 4 * (n_rows + n_classes) + n_shift + TABLE.nbytes


def stored_bytes(shape: tuple[int, ...], scheme: Scheme) -> int:
    """Bytes of one weight matrix: a byte a weight, or half a byte with rows of even length."""
    rows, columns = shape
    return rows * columns if scheme == "int8" else rows * ((columns + 1) // 2)


def accumulator_bound(
    bias: NDArray[np.integer], shift: NDArray[np.int64], reach: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bound of every partial sum of each row in C, whatever the weights and the order.

    C starts from ``bias - 128 sum(v)`` and adds ``(weight + 128) v``, then half a step.
    """
    worst = (WEIGHT_OFFSET + 2 * WEIGHT_OFFSET - 1) * int(reach.sum())
    bound: NDArray[np.int64] = np.abs(bias.astype(np.int64)) + worst + (1 << shift >> 1)
    return bound


def check_weights(weight: NDArray[np.int8], scheme: Scheme, where: str) -> None:
    """Refuse weights that the scheme cannot store; `where` names the matrix in the error."""
    magnitude = np.abs(weight.astype(np.int64))  # in int8 the magnitude of -128 is -128
    if scheme == "pow2" and ((magnitude & (magnitude - 1)) != 0).any():
        raise ValueError(f"{where}: a weight is no power of two")
    if (magnitude > (127 if scheme == "int8" else 64)).any():
        raise ValueError(f"{where}: a weight is out of range")
