"""Rows: weights times a vector of integers, plus bias, in int32.

A weight is a byte (code ``int8``), or half a byte: 0 or +-1, 2, 4, ..., 64 (code ``pow2``), which
C multiplies by shifts and adds. Every operator with weights stands on them. Each row has an
exponent of its own: its real weights are ``weight / 2**shift``, so a result is
``accumulator >> shift``, rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.limits import (
    MAX_ROW_SHIFT,
    SCHEMES,
    Scheme,
    accumulator_bound,
    check_weights,
    stored_bytes,
)
from spoken_digits.integer.operators.base import Arrays, FloatOperator, Real, int_array
from spoken_digits.integer.quantize import quantize_rows

_CODE = "code"
_BIAS_BITS = 29
"""A bias takes a quarter of the accumulator at most."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Integer weights with their biases and exponents."""

    weight: NDArray[np.int8]
    """(n_rows, n_columns), range [-127, 127]."""
    bias: NDArray[np.int32]
    """(n_rows,), in the grid of the accumulator."""
    shift: NDArray[np.int64]
    """(n_rows,), range [0, 24]."""
    code: Scheme = "int8"
    """How the weights are stored and multiplied."""

    def check(self, where: str) -> None:
        """Refuse what C could not hold."""
        n_rows = len(self.weight)
        if self.weight.ndim != 2 or self.bias.shape != (n_rows,) or self.shift.shape != (n_rows,):
            raise ValueError(f"{where}: weight, bias and shift do not fit each other")
        check_weights(self.weight, self.code, where)
        if not ((self.shift >= 0) & (self.shift <= MAX_ROW_SHIFT)).all():
            raise ValueError(f"{where}: a row shift is out of range, must be 0 to {MAX_ROW_SHIFT}")

    def bound(self, reach: NDArray[np.int64]) -> NDArray[np.int64]:
        """Largest absolute accumulator of each row, in whatever order C adds.

        Parameters
        ----------
        reach
            (n_columns,) largest absolute value in each column of the vector.
        """
        return accumulator_bound(self.bias, self.shift, reach)

    @property
    def shared_shift(self) -> bool:
        """Whether all rows have one exponent, which is then stored once."""
        return bool((self.shift == self.shift[0]).all())

    def n_bytes(self) -> int:
        """Weights, int32 biases, a byte for each shift."""
        n_shifts = 1 if self.shared_shift else len(self.shift)
        weights = stored_bytes(self.weight.shape, self.code)
        return weights + 4 * len(self.bias) + n_shifts

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """For a model file; the code is named where it is not int8."""
        named: dict[str, NDArray[np.generic]] = {
            "weight": self.weight,
            "bias": self.bias,
            "shift": self.shift.astype(np.uint8),
        }
        if self.code != "int8":
            named[_CODE] = np.frombuffer(self.code.encode(), np.uint8)
        return named

    @classmethod
    def from_arrays(cls, named: Arrays) -> Rows:
        """Back from `arrays`."""
        return cls(
            weight=named["weight"].astype(np.int8),
            bias=named["bias"].astype(np.int32),
            shift=named["shift"].astype(np.int64),
            code=_read_code(named),
        )


def _read_code(named: Arrays) -> Scheme:
    if _CODE not in named:
        return "int8"
    text = named[_CODE].astype(np.uint8).tobytes().decode("ascii", "replace")
    for code in SCHEMES:
        if text == code:
            return code
    raise ValueError(f"weights of the unknown code {text!r}")


@dataclass(frozen=True, kw_only=True)
class FloatRows(FloatOperator):
    """An operator in floating point with weights, which can be trained."""

    weight: Real
    """(n_rows, n_columns)"""
    bias: Real
    """(n_rows,)"""


def quantised_rows(
    weight: Real, bias: Real, *, each: bool, where: str, code: Scheme = "int8"
) -> Rows:
    """Round rows whose real results are the integers to be written.

    Parameters
    ----------
    weight
        (n_rows, n_columns), with the scales of both sides folded in.
    bias
        (n_rows,), in units of the results.
    each
        Whether each row has an exponent of its own; otherwise they share one.
    code
        How to store the weights.
    """
    room = 2.0**_BIAS_BITS / np.maximum(np.abs(bias), 1e-9)
    ceiling = np.minimum(np.floor(np.log2(room)), MAX_ROW_SHIFT).astype(np.int64)
    if (ceiling < 0).any():
        raise ValueError(f"{where}: a bias of {np.abs(bias).max():.3g} is too large")
    if each:
        q, shift = quantize_rows(weight, code, ceiling)
    else:
        flat, shared = quantize_rows(weight.reshape(1, -1), code, ceiling.min(keepdims=True))
        q, shift = flat.reshape(weight.shape), np.repeat(shared, len(weight))
    scaled = int_array(bias * 2.0**shift).astype(np.int32)
    return Rows(weight=q, bias=scaled, shift=shift, code=code)
