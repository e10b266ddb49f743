"""The graph of a trained LSTM, feature normalisation folded in.

The network is ``logits = W mean_t(h_L(t)) + b`` over the valid frames, h_L the hidden state of the
last of L stacked LSTM layers, reading features normalised to mean 0 and deviation 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from spoken_digits.integer.activation import ACTIVATION_BITS
from spoken_digits.integer.float_graph import FloatGraph
from spoken_digits.integer.graph import FEATURES, MAX_FRAMES, Node
from spoken_digits.integer.operators.base import FloatOperator
from spoken_digits.integer.operators.linear import FloatLinear
from spoken_digits.integer.operators.lstm import FloatLstm
from spoken_digits.integer.operators.mean import FloatMean
from spoken_digits.integer.operators.shift import MAX_SHIFT, FloatShift


def from_state(
    state: Mapping[str, ArrayLike],
    *,
    mean: ArrayLike,
    std: ArrayLike,
    lstm: str = "lstm",
    output: str = "output",
) -> FloatGraph:
    """Read a trained network by PyTorch's names.

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
    shift = np.clip(np.round(ACTIVATION_BITS - np.log2(std)), 0, MAX_SHIFT).astype(np.int64)
    step = 2.0 ** (shift - ACTIVATION_BITS)  # value of one int8 step after the shift
    nodes: list[Node[FloatOperator]] = [Node(FloatShift(shift=shift), (FEATURES,))]

    def add(operator: FloatOperator) -> None:
        nodes.append(Node(operator, (len(nodes) - 1,)))

    number = 0
    while f"{lstm}.weight_ih_l{number}" in real:
        from_input, from_hidden, *biases = (
            real[f"{lstm}.{name}_l{number}"]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        input_mean = np.zeros(from_input.shape[1])
        if number == 0:
            from_input, input_mean = from_input / (std * step), mean * step
        weight = np.hstack([from_input, from_hidden])
        add(FloatLstm(weight=weight, bias=biases[0] + biases[1], input_mean=input_mean))
        number += 1
    if number == 0:
        raise ValueError(f"no {lstm}.weight_ih_l0 among {', '.join(sorted(real))}")
    add(FloatMean())
    add(FloatLinear(weight=real[f"{output}.weight"], bias=real[f"{output}.bias"]))
    return FloatGraph(nodes=tuple(nodes), n_inputs=len(std), n_frames=MAX_FRAMES, any_length=True)
