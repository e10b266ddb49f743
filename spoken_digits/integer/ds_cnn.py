"""The graph of a trained `ds_cnn`, batch normalisation and feature normalisation folded in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoken_digits.integer.float_graph import FloatGraph
from spoken_digits.integer.graph import FEATURES, Node
from spoken_digits.integer.operators.base import FloatOperator, Real
from spoken_digits.integer.operators.centring import FloatCentring
from spoken_digits.integer.operators.convolution import FloatConvolution
from spoken_digits.integer.operators.depthwise import FloatDepthwise
from spoken_digits.integer.operators.linear import FloatLinear
from spoken_digits.integer.operators.pooling import FloatPooling
from spoken_digits.integer.operators.residual import FloatSum
from spoken_digits.integer.operators.window import Window

_EPSILON = 1e-5  # torch.nn.BatchNorm2d


def from_state(
    state: Mapping[str, ArrayLike],
    *,
    strides: Sequence[tuple[int, int]],
    mean: ArrayLike,
    std: float,
    n_frames: int,
) -> FloatGraph:
    """Read a trained network by PyTorch's names.

    Parameters
    ----------
    state
        ``state_dict`` as arrays: ``stem.0.weight``, ``blocks.0.depthwise.0.weight``, ...
    strides
        (bands, frames) of each block.
    mean, std
        Of the features over the training clips, in steps: (n_bands,) and one for all bands.
    n_frames
        Frames of a clip.
    """
    real = {name: np.asarray(value, np.float64) for name, value in state.items()}
    means = np.asarray(mean, np.float64)
    nodes: list[Node[FloatOperator]] = [Node(FloatCentring(mean=means, std=std), (FEATURES,))]

    def add(operator: FloatOperator, *inputs: int) -> int:
        nodes.append(Node(operator, inputs))
        return len(nodes) - 1

    stem = Window(kernel=(5, 5), stride=(2, 2), padding=(2, 2))
    weight, bias = _folded(real, "stem")
    last = add(FloatConvolution(weight=_columns(weight), bias=bias, window=stem), 0)
    for number, (bands, frames) in enumerate(strides):
        before = last
        weight, bias = _folded(real, f"blocks.{number}.depthwise")
        window = Window(kernel=(3, 3), stride=(frames, bands), padding=(1, 1))
        last = add(FloatDepthwise(weight=_columns(weight), bias=bias, window=window), last)
        weight, bias = _folded(real, f"blocks.{number}.pointwise")
        point = Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0))
        last = add(FloatConvolution(weight=_columns(weight), bias=bias, window=point), last)
        if (bands, frames) == (1, 1) and weight.shape[0] == weight.shape[1]:
            last = add(FloatSum(), before, last)
    last = add(FloatPooling(), last)
    add(FloatLinear(weight=real["linear.weight"], bias=real["linear.bias"]), last)
    return FloatGraph(nodes=tuple(nodes), n_inputs=len(means), n_frames=n_frames)


def _folded(real: Mapping[str, NDArray[np.float64]], name: str) -> tuple[Real, Real]:
    """Weight (n_out, n_in, bands, frames) and bias of a convolution with its normalisation."""
    gain = real[f"{name}.1.weight"] / np.sqrt(real[f"{name}.1.running_var"] + _EPSILON)
    bias = real[f"{name}.1.bias"] - real[f"{name}.1.running_mean"] * gain
    return real[f"{name}.0.weight"] * gain[:, None, None, None], bias


def _columns(weight: Real) -> Real:
    """(n_out, n_in, bands, frames) -> (n_out, frames * bands * n_in), input channel fastest."""
    return weight.transpose(0, 3, 2, 1).reshape(len(weight), -1)
