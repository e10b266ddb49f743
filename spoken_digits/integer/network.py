"""Integer-only LSTM: the NumPy twin of ``firmware/sd_network.c``, equal bit for bit.

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

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS, sigmoid, tanh
from spoken_digits.integer.fixed import round_shift, saturate
from spoken_digits.integer.limits import (
    MAX_CELL_BITS,
    MAX_HIDDEN,
    MAX_INPUT_SHIFT,
    MAX_ROW_SHIFT,
    MIN_CELL_BITS,
    Scheme,
    accumulator_bound,
    check_weights,
    lstm_bytes,
    operand_reach,
)

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
        return int(self.weight.shape[1]) - self.n_units


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
    """Fraction bits of the output weights, range [0, 24]; logits have 12 more."""

    input_shift: NDArray[np.int64]
    """(n_inputs,), range [0, 8]: left shift of each int8 feature."""

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a network needs at least one layer")
        if not _all_within(self.input_shift, 0, MAX_INPUT_SHIFT):
            raise ValueError(f"an input shift is out of range, must be 0 to {MAX_INPUT_SHIFT}")
        if not 0 <= self.output_shift <= MAX_ROW_SHIFT:
            raise ValueError(
                f"output_shift {self.output_shift} is out of range, must be 0 to {MAX_ROW_SHIFT}"
            )
        n_units = [layer.n_units for layer in self.layers]
        for number, layer in enumerate(self.layers):
            _check_layer(
                layer,
                self.scheme,
                operand_reach(self.input_shift, n_units, number),
                where=f"layer {number}",
            )
        if self.output_weight.shape != (self.n_classes, n_units[-1]):
            raise ValueError("output: weight has the wrong shape")
        check_weights(self.output_weight, self.scheme, "output")
        reach = np.full(n_units[-1], MAX_HIDDEN)
        if (accumulator_bound(self.output_bias, np.zeros(1, np.int64), reach) >= 2**31).any():
            raise ValueError("output: an accumulator could leave int32")

    @property
    def n_inputs(self) -> int:
        """Coefficients a frame."""
        return len(self.input_shift)

    @property
    def n_classes(self) -> int:
        """Classes."""
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
        n_steps = int(n_frames.max())
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
        products: NDArray[np.int64] = pooled @ self.output_weight.T.astype(np.int64)
        return (products + self.output_bias).astype(np.int32)

    def parameter_bytes(self) -> int:
        """Bytes that hold the network: see :func:`lstm_bytes`."""
        units = tuple(layer.n_units for layer in self.layers)
        return lstm_bytes(units, self.scheme, n_inputs=self.n_inputs, n_classes=self.n_classes)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything but the scheme as named arrays, for a file; back with :func:`from_arrays`."""
        named: dict[str, NDArray[np.generic]] = {
            "input_shift": self.input_shift.astype(np.uint8),
            "output.weight": self.output_weight,
            "output.bias": self.output_bias,
            "output.shift": np.array([self.output_shift], np.uint8),
        }
        for number, layer in enumerate(self.layers):
            named[f"layer_{number}.weight"] = layer.weight
            named[f"layer_{number}.bias"] = layer.bias
            named[f"layer_{number}.shift"] = layer.shift.astype(np.uint8)
            named[f"layer_{number}.cell_bits"] = np.array([layer.cell_bits], np.uint8)
        return named


def _check_layer(
    layer: IntegerLayer, scheme: Scheme, reach: NDArray[np.int64], *, where: str
) -> None:
    """Refuse a layer that C could not run; `reach` as from :func:`operand_reach`."""
    n_rows = 4 * layer.n_units
    if layer.weight.shape != (n_rows, len(reach)):
        raise ValueError(f"{where}: weight has the wrong shape")
    if layer.bias.shape != (n_rows,) or layer.shift.shape != (n_rows,):
        raise ValueError(f"{where}: bias and shift must have one value for each of {n_rows} rows")
    check_weights(layer.weight, scheme, where)
    if not MIN_CELL_BITS <= layer.cell_bits <= MAX_CELL_BITS:
        raise ValueError(
            f"{where}: cell_bits {layer.cell_bits} is out of range, "
            f"must be {MIN_CELL_BITS} to {MAX_CELL_BITS}"
        )
    if not _all_within(layer.shift, 0, MAX_ROW_SHIFT):
        raise ValueError(f"{where}: a row shift is out of range, must be 0 to {MAX_ROW_SHIFT}")
    if (accumulator_bound(layer.bias, layer.shift, reach) >= 2**31).any():
        raise ValueError(f"{where}: an accumulator could leave int32")


def _all_within(values: NDArray[np.int64], lowest: int, highest: int) -> bool:
    return bool(((values >= lowest) & (values <= highest)).all())


def from_arrays(named: Mapping[str, NDArray[np.generic]], scheme: Scheme) -> IntegerLSTM:
    """The network that :meth:`IntegerLSTM.arrays` describes."""
    layers: list[IntegerLayer] = []
    while f"layer_{len(layers)}.weight" in named:
        prefix = f"layer_{len(layers)}"
        layers.append(
            IntegerLayer(
                weight=named[f"{prefix}.weight"].astype(np.int8),
                bias=named[f"{prefix}.bias"].astype(np.int32),
                shift=named[f"{prefix}.shift"].astype(np.int64),
                cell_bits=int(named[f"{prefix}.cell_bits"].item()),
            )
        )
    return IntegerLSTM(
        scheme=scheme,
        layers=tuple(layers),
        output_weight=named["output.weight"].astype(np.int8),
        output_bias=named["output.bias"].astype(np.int32),
        output_shift=int(named["output.shift"].item()),
        input_shift=named["input_shift"].astype(np.int64),
    )


def predict(logits: NDArray[np.int32]) -> NDArray[np.int64]:
    """Winning class of each clip: the largest logit, the lowest index among equals.

    Parameters
    ----------
    logits
        (n_clips, n_classes)
    """
    winners: NDArray[np.int64] = logits.argmax(axis=1)
    return winners


def _run_layer(layer: IntegerLayer, below: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_steps, n_clips, n_in) -> (n_steps, n_clips, h), integers held in float64."""
    n_steps, n_clips, n_in = below.shape
    n_units = layer.n_units
    weight = layer.weight.T.astype(np.float64)  # (n_in + h, 4 h)
    fed = below.reshape(-1, n_in) @ weight[:n_in] + layer.bias  # all frames at once
    fed = fed.reshape(n_steps, n_clips, 4 * n_units)
    hidden = np.zeros((n_clips, n_units))
    cell = np.zeros((n_clips, n_units), np.int32)
    above = np.empty((n_steps, n_clips, n_units))
    for t in range(n_steps):
        accumulator = (fed[t] + hidden @ weight[n_in:]).astype(np.int32)
        z = saturate(round_shift(accumulator, layer.shift), 16)  # (n_clips, 4 h)
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
