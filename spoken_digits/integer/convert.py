"""The float LSTM that an integer network is made from; normalisation is folded in.

The parent is ``logits = W mean_t(h_L(t)) + b`` over the valid frames, h_L the hidden state of the
last of L stacked LSTM layers with PyTorch's gate order i, f, g, o (Hochreiter & Schmidhuber 1997,
forget gate by Gers et al. 2000), reading features normalised to mean 0 and deviation 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoken_digits.integer.activation import ACTIVATION_BITS
from spoken_digits.integer.limits import MAX_INPUT_SHIFT

Real = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FloatLayer:
    """One LSTM layer on the vector (input, hidden)."""

    weight: Real
    """(4 h, n_in + h): rows are gates i, f, g, o of h units each, columns input then hidden."""

    bias: Real
    """(4 h,): the sum of PyTorch's two bias vectors."""

    @property
    def n_units(self) -> int:
        """Hidden units h."""
        return len(self.bias) // 4


@dataclass(frozen=True, kw_only=True)
class FloatLSTM:
    """A float LSTM that reads int8 features as they are: the normalisation is in its weights.

    Feature k, an int8 step count x, enters the first layer as
    ``x * 2**(input_shift[k] - 12) - input_mean[k]``, close to mean 0 and deviation 1.
    """

    layers: tuple[FloatLayer, ...]
    """From the features upward."""

    output_weight: Real
    """(n_classes, h)"""

    output_bias: Real
    """(n_classes,)"""

    input_shift: NDArray[np.int64]
    """(n_inputs,), range [0, 8]: left shift that brings a feature to `ACTIVATION_BITS`."""

    input_mean: Real
    """(n_inputs,): mean of the shifted feature over the training clips."""

    @property
    def n_inputs(self) -> int:
        """Coefficients a frame."""
        return len(self.input_shift)

    @property
    def n_classes(self) -> int:
        """Classes."""
        return len(self.output_bias)


def from_state(
    state: Mapping[str, ArrayLike],
    *,
    mean: ArrayLike,
    std: ArrayLike,
    lstm: str = "lstm",
    output: str = "output",
) -> FloatLSTM:
    """Read a trained network by PyTorch's names and fold its normalisation in.

    Parameters
    ----------
    state
        ``state_dict`` as arrays: ``{lstm}.weight_ih_l0``, ..., ``{output}.weight``.
    mean, std
        (n_inputs,) of each coefficient over the training clips, in steps of the int8 features.
    lstm, output
        Names of the ``torch.nn.LSTM`` and of the last ``torch.nn.Linear`` in the module.

    Raises
    ------
    ValueError
        `std` holds a value that is not positive, or `state` holds no such LSTM.
    """
    real = {name: np.asarray(value, np.float64) for name, value in state.items()}
    mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    if not (np.isfinite(std).all() and (std > 0).all()):
        raise ValueError("std must be positive for every coefficient")
    layers: list[FloatLayer] = []
    while f"{lstm}.weight_ih_l{len(layers)}" in real:
        suffix = f"l{len(layers)}"
        layers.append(
            FloatLayer(
                weight=np.hstack(
                    [real[f"{lstm}.weight_ih_{suffix}"], real[f"{lstm}.weight_hh_{suffix}"]]
                ),
                bias=real[f"{lstm}.bias_ih_{suffix}"] + real[f"{lstm}.bias_hh_{suffix}"],
            )
        )
    if not layers:
        raise ValueError(f"no {lstm}.weight_ih_l0 among {', '.join(sorted(real))}")
    shift = np.clip(np.round(ACTIVATION_BITS - np.log2(std)), 0, MAX_INPUT_SHIFT).astype(np.int64)
    step = 2.0 ** (shift - ACTIVATION_BITS)  # value of one int8 step after the shift
    n_inputs = len(std)
    first = layers[0].weight.copy()
    first[:, :n_inputs] /= std * step
    layers[0] = FloatLayer(weight=first, bias=layers[0].bias)
    return FloatLSTM(
        layers=tuple(layers),
        output_weight=real[f"{output}.weight"],
        output_bias=real[f"{output}.bias"],
        input_shift=shift,
        input_mean=mean * step,
    )


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Results of a float run."""

    logits: Real
    """(n_clips, n_classes)"""

    cell_peak: tuple[float, ...]
    """Largest absolute cell state of each layer over valid frames."""


def run_float(
    parent: FloatLSTM, features: NDArray[np.int8], n_frames: NDArray[np.integer]
) -> Trace:
    """Run the float network on int8 features.

    Parameters
    ----------
    features
        (n_clips, max_frames, n_inputs)
    n_frames
        (n_clips,): valid frames of each clip.
    """
    step = 2.0 ** (parent.input_shift - ACTIVATION_BITS)
    below = features.astype(np.float64) * step - parent.input_mean  # (n_clips, max_frames, n_in)
    valid = np.arange(features.shape[1]) < np.asarray(n_frames)[:, None]  # (n_clips, max_frames)
    peaks = []
    for layer in parent.layers:
        hidden = np.zeros((len(features), layer.n_units))
        cell = np.zeros_like(hidden)
        above = np.zeros((*features.shape[:2], layer.n_units))
        peak = 0.0
        for t in range(features.shape[1]):
            z = np.hstack([below[:, t], hidden]) @ layer.weight.T + layer.bias  # (n_clips, 4 h)
            i, f, g, o = np.split(z, 4, axis=1)
            cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
            hidden = _sigmoid(o) * np.tanh(cell)
            above[:, t] = hidden
            peak = max(peak, float(np.abs(cell[valid[:, t]]).max(initial=0.0)))
        below = above
        peaks.append(peak)
    count = np.maximum(np.asarray(n_frames), 1)[:, None]  # a clip of no frames pools to zero
    pooled = (below * valid[..., None]).sum(axis=1) / count
    logits = pooled @ parent.output_weight.T + parent.output_bias
    return Trace(logits=logits, cell_peak=tuple(peaks))


def _sigmoid(z: Real) -> Real:
    return 0.5 + 0.5 * np.tanh(0.5 * z)
