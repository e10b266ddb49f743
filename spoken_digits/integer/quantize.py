"""Float LSTM -> integer LSTM: weights to integers, ranges from training clips.

Scales are powers of two throughout, one for each row of a layer's matrix and one for the whole
output matrix (its logits must share a grid). Each row tries the candidate exponents and keeps the
one with the smallest squared error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS
from spoken_digits.integer.convert import FloatLSTM, Real, run_float
from spoken_digits.integer.limits import (
    MAX_CELL_BITS,
    MAX_ROW_SHIFT,
    MIN_CELL_BITS,
    Scheme,
    accumulator_bound,
    operand_reach,
)
from spoken_digits.integer.network import IntegerLayer, IntegerLSTM

_LARGEST = {"int8": 127, "pow2": 64}
_CANDIDATES = {"int8": (0, 1), "pow2": (0, 1, 2)}
"""Exponents tried above the one at which nothing is clipped."""

_CELL_HEADROOM = 1.25
"""Clips not seen in calibration may reach a little further."""


def quantize(
    parent: FloatLSTM,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    scheme: Scheme,
) -> IntegerLSTM:
    """Post-training quantization.

    Parameters
    ----------
    features, n_frames
        Calibration clips, from the training set only: (n_clips, max_frames, n_inputs), (n_clips,).
        They set the range of the cell states.
    """
    return to_integers(parent, scheme, calibrate(parent, features, n_frames))


def calibrate(
    parent: FloatLSTM, features: NDArray[np.int8], n_frames: NDArray[np.integer]
) -> tuple[int, ...]:
    """Fraction bits of each layer's cell state: as many as its range over the clips leaves."""
    peaks = run_float(parent, features, n_frames).cell_peak
    bits = [15 - int(np.ceil(np.log2(max(_CELL_HEADROOM * peak, 1.0)))) for peak in peaks]
    return tuple(min(max(b, MIN_CELL_BITS), MAX_CELL_BITS) for b in bits)


def to_integers(parent: FloatLSTM, scheme: Scheme, cell_bits: tuple[int, ...]) -> IntegerLSTM:
    """Round weights and biases; `cell_bits` from :func:`calibrate`."""
    layers = []
    for number, bits in enumerate(cell_bits):
        weight, bias, shift = quantize_layer(parent, number, scheme)
        layers.append(
            IntegerLayer(weight=weight, bias=bias.astype(np.int32), shift=shift, cell_bits=bits)
        )
    output_weight, output_bias, output_shift = quantize_output(parent, scheme)
    return IntegerLSTM(
        scheme=scheme,
        layers=tuple(layers),
        output_weight=output_weight,
        output_bias=output_bias.astype(np.int32),
        output_shift=output_shift,
        input_shift=parent.input_shift,
    )


def quantize_layer(
    parent: FloatLSTM, number: int, scheme: Scheme
) -> tuple[NDArray[np.int8], Real, NDArray[np.int64]]:
    """One LSTM layer in integers.

    The features' mean, times the rounded weights, is folded into the bias: so the error of a
    weight is multiplied by a feature's deviation only, not by its mean.

    Returns
    -------
    weight : ndarray, shape (4 h, n_in + h), int8
    bias : ndarray, shape (4 h,), whole numbers within int32
    shift : ndarray, shape (4 h,), int64
    """
    layer = parent.layers[number]
    reach = operand_reach(parent.input_shift, [one.n_units for one in parent.layers], number)
    mean = np.zeros(layer.weight.shape[1])
    if number == 0:
        mean[: parent.n_inputs] = parent.input_mean
    # the largest shift at which the accumulator stays within int32, with room for rounding
    room = 2.0**31 - float(
        accumulator_bound(np.zeros(1, np.int64), np.zeros(1, np.int64), reach)[0]
    )
    offset = np.abs(layer.bias - layer.weight @ mean) + np.abs(mean).sum() + 1.0
    ceiling = np.floor(np.log2(room / offset)).astype(np.int64) - ACTIVATION_BITS - 1
    weight, shift = quantize_rows(layer.weight, scheme, np.minimum(ceiling, MAX_ROW_SHIFT))
    rounded = weight / 2.0 ** shift[:, None]
    bias = np.floor((layer.bias - rounded @ mean) * 2.0 ** (ACTIVATION_BITS + shift) + 0.5)
    return weight, bias, shift


def quantize_output(parent: FloatLSTM, scheme: Scheme) -> tuple[NDArray[np.int8], Real, int]:
    """The output matrix with one exponent: weight (n_classes, h), bias (n_classes,), shift."""
    largest_bias = float(np.abs(parent.output_bias).max()) + 1e-9
    ceiling = int(np.floor(np.log2(2.0**30 / largest_bias))) - ACTIVATION_BITS
    flat, shift = quantize_rows(
        parent.output_weight.reshape(1, -1), scheme, np.array([min(ceiling, MAX_ROW_SHIFT)])
    )
    bias = np.floor(parent.output_bias * 2.0 ** (ACTIVATION_BITS + shift[0]) + 0.5)
    return flat.reshape(parent.output_weight.shape), bias, int(shift[0])


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
