"""Integer-only LSTM: the NumPy twin of ``firmware/sd_network.c``, equal to the bit.

Arithmetic, a layer and frame (every quantity an integer; ``>>r`` rounds half up):

    v    = (input, hidden)                     int16, 12 fraction bits
    acc  = bias + W v                          int32, 12 + shift[row] fraction bits, W int8
    z    = saturate16(acc >>r shift[row])      int16, 12 fraction bits
    i, f, o = sigmoid(z);  g = tanh(z)         int16, 15 fraction bits
    cell = saturate16((f cell >>r 15) + (i g >>r (30 - cell_bits)))
    hidden = (o tanh(cell)) >>r 18             int16, 12 fraction bits

and at the end, over n valid frames (floor of the quotient plus one half):

    pooled = (2 sum(hidden) + n) // (2 n)      int16, 12 fraction bits
    logits = output_bias + output_weight pooled    int32, 12 + output_shift fraction bits

In the scheme ``pow2`` every weight of W is 0 or plus or minus 1, 2, 4, ..., 64: the same
arithmetic, done with shifts and adds. The largest logit wins, the lowest index among equals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS, TABLE, sigmoid, tanh
from spoken_digits.integer.fixed import round_shift, saturate

Scheme = Literal["int8", "pow2"]
SCHEMES: tuple[Scheme, ...] = ("int8", "pow2")

WEIGHT_OFFSET = 128
"""C stores int8 weights plus 128: unsigned bytes load in one instruction on a Cortex-M0."""

MAX_HIDDEN = 4092
"""Largest absolute hidden state, with `ACTIVATION_BITS` fraction bits."""

MIN_CELL_BITS, MAX_CELL_BITS = 8, 12
MAX_ROW_SHIFT = 24

_CHUNK = 256  # clips at once: keeps the working set in the cache


@dataclass(frozen=True, kw_only=True)
class IntegerLayer:
    """One LSTM layer."""

    weight: NDArray[np.int8]
    """(4 h, n_in + h), range [-127, 127]: gates i, f, g, o of h rows each."""

    bias: NDArray[np.int32]
    """(4 h,), in the accumulator's grid of each row."""

    shift: NDArray[np.int64]
    """(4 h,), range [0, 24]: right shift from accumulator to pre-activation."""

    cell_bits: int
    """Fraction bits of the int16 cell state, range [8, 12]."""

    @property
    def n_units(self) -> int:
        """Hidden units h."""
        return len(self.bias) // 4

    @property
    def n_inputs(self) -> int:
        """Inputs from below."""
        return self.weight.shape[1] - self.n_units


@dataclass(frozen=True, kw_only=True)
class IntegerLSTM:
    """A whole integer network; checked on construction, so that C can rely on it."""

    scheme: Scheme
    """How the weights are stored and multiplied."""

    layers: tuple[IntegerLayer, ...]
    """From the features upward."""

    output_weight: NDArray[np.int8]
    """(n_classes, h), range [-127, 127]."""

    output_bias: NDArray[np.int32]
    """(n_classes,), in the grid of the logits."""

    output_shift: int
    """Fraction bits of the output weights; logits have 12 more."""

    input_shift: NDArray[np.int64]
    """(n_inputs,), range [0, 8]: left shift of each int8 feature."""

    def __post_init__(self) -> None:
        for number, layer in enumerate(self.layers):
            reach = operand_reach(self.input_shift, [one.n_units for one in self.layers], number)
            if layer.weight.shape != (4 * layer.n_units, len(reach)):
                raise ValueError(f"layer {number}: weight has the wrong shape")
            _check_weights(layer.weight, self.scheme, f"layer {number}")
            if not MIN_CELL_BITS <= layer.cell_bits <= MAX_CELL_BITS:
                raise ValueError(f"layer {number}: cell_bits {layer.cell_bits} out of range")
            if layer.shift.min() < 0 or layer.shift.max() > MAX_ROW_SHIFT:
                raise ValueError(f"layer {number}: a row shift is out of range")
            if (accumulator_bound(layer.bias, layer.shift, reach) >= 2**31).any():
                raise ValueError(f"layer {number}: an accumulator could leave int32")
        _check_weights(self.output_weight, self.scheme, "output")
        reach = np.full(self.output_weight.shape[1], MAX_HIDDEN)
        if (accumulator_bound(self.output_bias, np.zeros(1, np.int64), reach) >= 2**31).any():
            raise ValueError("output: an accumulator could leave int32")

    @property
    def n_inputs(self) -> int:
        """Coefficients a frame."""
        return len(self.input_shift)

    @property
    def n_classes(self) -> int:
        """Words told apart."""
        return len(self.output_bias)

    @property
    def logit_step(self) -> float:
        """Real value of one logit step."""
        return 2.0 ** -(ACTIVATION_BITS + self.output_shift)

    def logits(
        self, features: NDArray[np.int8], n_frames: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """Run clips through the network.

        Parameters
        ----------
        features
            (n_clips, max_frames, n_inputs) int8; frames past a clip's length are not looked at.
        n_frames
            (n_clips,): valid frames; a clip of none pools to zero.

        Returns
        -------
        ndarray, shape (n_clips, n_classes), int32
            In steps of `logit_step`.
        """
        features = np.asarray(features)
        counts: NDArray[np.int64] = np.asarray(n_frames).astype(np.int64)
        if features.dtype != np.int8 or features.shape[2:] != (self.n_inputs,):
            raise ValueError(f"features must be int8 of shape (clips, frames, {self.n_inputs})")
        parts = [
            self._logits_of_chunk(features[i : i + _CHUNK], counts[i : i + _CHUNK])
            for i in range(0, len(features), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.n_classes), np.int32)

    def _logits_of_chunk(
        self, features: NDArray[np.int8], n_frames: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        n_steps = int(n_frames.max(initial=0))
        # time first, so that one frame of all clips is contiguous; float64 holds every integer
        # below 2**53, so matrix products of these integers are exact
        frames = features[:, :n_steps].transpose(1, 0, 2).astype(np.int32) << self.input_shift
        below = frames.astype(np.float64)  # (n_steps, n_clips, n_in)
        for layer in self.layers:
            below = _run_layer(layer, below)
        valid = np.arange(n_steps)[:, None] < n_frames  # (n_steps, n_clips)
        total = (below * valid[..., None]).sum(axis=0).astype(np.int64)  # (n_clips, h)
        n = np.maximum(n_frames, 1)[:, None]
        pooled = (2 * total + n) // (2 * n)
        return (pooled @ self.output_weight.T.astype(np.int64) + self.output_bias).astype(np.int32)

    def parameter_bytes(self) -> int:
        """Bytes that hold the network: weights, biases, shifts and the activation table."""
        weights = [layer.weight for layer in self.layers] + [self.output_weight]
        n_bias = sum(len(layer.bias) for layer in self.layers) + self.n_classes
        n_shift = sum(len(layer.shift) + 1 for layer in self.layers) + 1 + self.n_inputs
        return (
            sum(stored_bytes(weight.shape, self.scheme) for weight in weights)
            + 4 * n_bias
            + n_shift
            + TABLE.nbytes
        )


def predict(logits: NDArray[np.int32]) -> NDArray[np.int64]:
    """Winning class of each clip: the largest logit, the lowest index among equals.

    Parameters
    ----------
    logits
        (n_clips, n_classes)
    """
    return logits.argmax(axis=1)


def stored_bytes(shape: tuple[int, ...], scheme: Scheme) -> int:
    """Bytes of one weight matrix: a byte a weight, or half a byte with rows of even length."""
    rows, columns = shape
    return rows * columns if scheme == "int8" else rows * ((columns + 1) // 2)


def operand_reach(
    input_shift: NDArray[np.int64], n_units: list[int], number: int
) -> NDArray[np.int64]:
    """Largest absolute value in each column of a layer's operand vector: (n_in + h,)."""
    below = 128 << input_shift if number == 0 else np.full(n_units[number - 1], MAX_HIDDEN)
    return np.concatenate([below, np.full(n_units[number], MAX_HIDDEN)])


def accumulator_bound(
    bias: NDArray[np.integer], shift: NDArray[np.int64], reach: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bound of every partial sum of each row in C, whatever the weights and the order.

    C starts from ``bias - 128 sum(v)`` and adds ``(weight + 128) v``, then half a step.
    """
    worst = (WEIGHT_OFFSET + 2 * WEIGHT_OFFSET - 1) * int(reach.sum())
    return np.abs(bias.astype(np.int64)) + worst + (1 << shift >> 1)


def _check_weights(weight: NDArray[np.int8], scheme: Scheme, where: str) -> None:
    magnitude = np.abs(weight.astype(np.int64))
    if scheme == "pow2" and ((magnitude & (magnitude - 1)) != 0).any():
        raise ValueError(f"{where}: a weight is no power of two")
    if magnitude.max(initial=0) > (127 if scheme == "int8" else 64):
        raise ValueError(f"{where}: a weight is out of range")


def _run_layer(layer: IntegerLayer, below: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_steps, n_clips, n_in) -> (n_steps, n_clips, h), integers held in float64."""
    n_steps, n_clips, n_in = below.shape
    n_units = layer.n_units
    weight = layer.weight.T.astype(np.float64)  # (n_in + h, 4 h)
    fed = below.reshape(-1, n_in) @ weight[:n_in] + layer.bias  # all frames at once
    fed = fed.reshape(n_steps, n_clips, 4 * n_units)
    shift = layer.shift.astype(np.int32)
    hidden = np.zeros((n_clips, n_units))
    cell = np.zeros((n_clips, n_units), np.int32)
    above = np.empty((n_steps, n_clips, n_units))
    for t in range(n_steps):
        accumulator = (fed[t] + hidden @ weight[n_in:]).astype(np.int32)
        z = saturate(round_shift(accumulator, shift), 16)  # (n_clips, 4 h)
        cell, new, _ = cell_step(z, cell, layer.cell_bits)
        hidden = new.astype(np.float64)
        above[t] = hidden
    return above


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
