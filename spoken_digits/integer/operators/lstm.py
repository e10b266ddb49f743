"""A layer of LSTM units (Hochreiter & Schmidhuber 1997; forget gate by Gers et al. 2000).

Arithmetic of a frame (every quantity an integer; ``>>r`` rounds half up):

    v    = (input, hidden)                     int16, 12 fraction bits
    acc  = bias + W v                          int32, 12 + shift[row] fraction bits
    z    = saturate16(acc >>r shift[row])      int16, 12 fraction bits
    i, f, o = sigmoid(z);  g = tanh(z)         int16, 15 fraction bits
    cell = saturate16((f cell >>r 15) + (i g >>r (30 - cell_bits)))
    hidden = (o tanh(cell)) >>r 18             int16, 12 fraction bits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS, TABLE, sigmoid, tanh
from spoken_digits.integer.fixed import IntArray, round_shift, saturate
from spoken_digits.integer.limits import (
    MAX_ROW_SHIFT,
    Scheme,
    accumulator_bound,
    stored_bytes,
)
from spoken_digits.integer.operators.base import (
    Arrays,
    Counts,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)
from spoken_digits.integer.operators.rows import FloatRows, Rows
from spoken_digits.integer.quantize import quantize_rows

MAX_HIDDEN = 4092
"""Largest absolute hidden state, with `ACTIVATION_BITS` fraction bits."""

MIN_CELL_BITS, MAX_CELL_BITS = 8, 12

_MAX_INPUT = 2**15
_CELL_HEADROOM = 1.25
"""Clips not seen in calibration may reach a little further."""


@dataclass(frozen=True, kw_only=True)
class Lstm(IntegerOperator):
    """The next hidden state of each unit, from a frame and all hidden states."""

    kind = "lstm"
    any_length = True

    rows: Rows
    """(4 h, n_in + h): gates i, f, g, o of h rows each; columns input, then hidden."""
    cell_bits: int
    """Fraction bits of the int16 cell state, range [8, 12]."""

    def __post_init__(self) -> None:
        self.rows.check("lstm")
        n_rows, n_columns = self.rows.weight.shape
        if n_rows == 0 or n_rows % 4 or n_columns <= n_rows // 4:
            raise ValueError(f"lstm: a weight of {n_rows} x {n_columns} has the wrong shape")
        if not MIN_CELL_BITS <= self.cell_bits <= MAX_CELL_BITS:
            raise ValueError(
                f"lstm: cell_bits {self.cell_bits} is out of range, "
                f"must be {MIN_CELL_BITS} to {MAX_CELL_BITS}"
            )

    @property
    def code(self) -> Scheme:
        """As `IntegerOperator.code`."""
        return self.rows.code

    @property
    def n_units(self) -> int:
        """Hidden units h."""
        return len(self.rows.bias) // 4

    @property
    def n_in(self) -> int:
        """Values of a frame of its input."""
        return int(self.rows.weight.shape[1]) - self.n_units

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """As `IntegerOperator.shape`."""
        if inputs[0] != Shape(1, self.n_in):
            raise ValueError(f"lstm: reads {self.n_in} values, its input has {inputs[0].size}")
        return Shape(1, self.n_units)

    def n_frames(self, n_inputs: int) -> int:
        """As many as it reads."""
        return n_inputs

    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """As `IntegerOperator.run`."""
        # Time first, so that one frame of all clips is contiguous. float64 holds every integer
        # below 2**53, so matrix products of these integers are exact.
        below = inputs[0][:, :, 0].transpose(1, 0, 2).astype(np.float64)
        n_steps, n_clips, n_in = below.shape
        weight = self.rows.weight.T.astype(np.float64)  # (n_in + h, 4 h)
        fed = below.reshape(-1, n_in) @ weight[:n_in] + self.rows.bias  # all frames at once
        fed = fed.reshape(n_steps, n_clips, 4 * self.n_units)
        shift = self.rows.shift.astype(np.int32)
        hidden = np.zeros((n_clips, self.n_units), np.int32)
        cell = np.zeros_like(hidden)
        above = np.empty((n_clips, n_steps, 1, self.n_units), np.int32)
        for t in range(n_steps):
            accumulator = (fed[t] + hidden @ weight[n_in:]).astype(np.int32)
            z = saturate(round_shift(accumulator, shift), 16)  # (n_clips, 4 h)
            cell, hidden, _ = cell_step(z, cell, self.cell_bits)
            above[:, t, 0] = hidden
        return above

    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """As `IntegerOperator.reach`."""
        if int(inputs[0].max()) > _MAX_INPUT:
            raise ValueError("lstm: its input can leave int16")
        hidden = np.full(self.n_units, MAX_HIDDEN)
        if (self.rows.bound(np.concatenate([inputs[0], hidden])) >= 2**31).any():
            raise ValueError("lstm: an accumulator could leave int32")
        return hidden

    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """As `IntegerOperator.multiply_accumulates`."""
        return self.rows.weight.size * n_frames

    def n_bytes(self) -> int:
        """Weights, int32 biases, a shift for each row, the cell's fraction bits."""
        n_rows = len(self.rows.bias)
        return stored_bytes(self.rows.weight.shape, self.code) + 4 * n_rows + n_rows + 1

    def tables(self) -> dict[str, int]:
        """That of sigmoid and tanh."""
        return {"half_tanh": TABLE.nbytes}

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As `IntegerOperator.arrays`."""
        return {**self.rows.arrays(), "cell_bits": np.array([self.cell_bits], np.uint8)}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Lstm:
        """As `IntegerOperator.from_arrays`."""
        return cls(rows=Rows.from_arrays(named), cell_bits=int(named["cell_bits"].item()))


def cell_step(
    z: NDArray[np.int32], cell: NDArray[np.int32], cell_bits: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], tuple[NDArray[np.int32], ...]]:
    """Gates to the next cell and hidden state.

    Parameters
    ----------
    z
        (n_clips, 4 h) int16 pre-activations of i, f, g, o.
    cell
        (n_clips, h) int16 cell state with `cell_bits` fraction bits.

    Returns
    -------
    cell, hidden
        (n_clips, h) each.
    gates
        i, f, g, o and tanh of the next cell, (n_clips, h) each, `GATE_BITS` fraction bits.
    """
    n_units = cell.shape[1]
    i, f = sigmoid(z[:, :n_units]), sigmoid(z[:, n_units : 2 * n_units])
    g, o = tanh(z[:, 2 * n_units : 3 * n_units]), sigmoid(z[:, 3 * n_units :])
    kept = round_shift(f * cell, GATE_BITS)
    added = round_shift(i * g, 2 * GATE_BITS - cell_bits)
    cell = saturate(kept + added, 16)
    squashed = tanh(cell, cell_bits)
    hidden = round_shift(o * squashed, 2 * GATE_BITS - ACTIVATION_BITS)
    return cell, hidden, (i, f, g, o, squashed)


@dataclass(frozen=True, kw_only=True)
class FloatLstm(FloatRows):
    """PyTorch's LSTM layer, on inputs less their mean.

    Rows are gates i, f, g, o of h units each, columns input then hidden: (4 h, n_in + h). The bias
    is the sum of PyTorch's two.
    """

    input_mean: Real
    """(n_in,): what the layer subtracts from its input; folded into the bias of the integers."""
    cell_bits: int = MAX_CELL_BITS
    """As `Lstm.cell_bits`; set by `calibrated`."""

    @property
    def n_units(self) -> int:
        """Hidden units h."""
        return len(self.bias) // 4

    def run(self, inputs: Sequence[Real]) -> Real:
        """As `FloatOperator.run`."""
        return self._states(inputs[0])[0][:, :, None]

    def _states(self, x: Real) -> tuple[Real, Real]:
        """Hidden and cell states of all frames, (n_clips, n_frames, h) each."""
        below = x[:, :, 0] - self.input_mean
        hidden = np.zeros((len(below), self.n_units))
        cell = np.zeros_like(hidden)
        hiddens, cells = np.zeros((2, *below.shape[:2], self.n_units))
        for t in range(below.shape[1]):
            z = np.hstack([below[:, t], hidden]) @ self.weight.T + self.bias  # (n_clips, 4 h)
            i, f, g, o = np.split(z, 4, axis=1)
            cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
            hidden = _sigmoid(o) * np.tanh(cell)
            hiddens[:, t], cells[:, t] = hidden, cell
        return hiddens, cells

    def calibrated(self, inputs: Sequence[Real], n_frames: Counts) -> FloatLstm:
        """With as many fraction bits of the cell as its range over the clips leaves."""
        cells = self._states(inputs[0])[1]
        valid = np.arange(cells.shape[1]) < np.asarray(n_frames)[:, None]
        peak = float(np.abs(cells[valid]).max(initial=0.0))
        bits = 15 - int(np.ceil(np.log2(max(_CELL_HEADROOM * peak, 1.0))))
        return replace(self, cell_bits=min(max(bits, MIN_CELL_BITS), MAX_CELL_BITS))

    def scale(self, output: Real) -> float:
        """That of hidden states, whatever the clips."""
        return 2.0**ACTIVATION_BITS

    def quantised(self, scales: Scales) -> Lstm:
        """As `FloatOperator.quantised`.

        The inputs' mean, times the rounded weights, is folded into the bias: so the error of a
        weight is multiplied by an input's deviation only, not by its mean.
        """
        if scales.reach is None or scales.inputs != (2.0**ACTIVATION_BITS,):
            raise ValueError(f"lstm: its input must have {ACTIVATION_BITS} fraction bits")
        reach = np.concatenate([scales.reach, np.full(self.n_units, MAX_HIDDEN)])
        mean = np.concatenate([self.input_mean, np.zeros(self.n_units)])
        # the largest shift at which the accumulator stays within int32, with room for rounding
        nothing = np.zeros(1, np.int64)
        room = 2.0**31 - float(accumulator_bound(nothing, nothing, reach)[0])
        offset = np.abs(self.bias - self.weight @ mean) + np.abs(mean).sum() + 1.0
        ceiling = np.floor(np.log2(room / offset)).astype(np.int64) - ACTIVATION_BITS - 1
        weight, shift = quantize_rows(self.weight, scales.code, np.minimum(ceiling, MAX_ROW_SHIFT))
        rounded = weight / 2.0 ** shift[:, None]
        bias = np.floor((self.bias - rounded @ mean) * 2.0 ** (ACTIVATION_BITS + shift) + 0.5)
        rows = Rows(weight=weight, bias=bias.astype(np.int32), shift=shift, code=scales.code)
        return Lstm(rows=rows, cell_bits=self.cell_bits)


def _sigmoid(z: Real) -> Real:
    return 0.5 + 0.5 * np.tanh(0.5 * z)
