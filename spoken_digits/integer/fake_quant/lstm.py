"""Twin of `operators.lstm`."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS
from spoken_digits.integer.fake_quant.base import Step, bias_of, weight_of
from spoken_digits.integer.operators.lstm import FloatLstm, Lstm, cell_step

_ONE = 1 << ACTIVATION_BITS


class _CellStep(torch.autograd.Function):
    """Integer gates forward, the derivative of the LSTM cell at the integer values backward.

    All tensors are real values.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, cell: Tensor, cell_bits: int) -> tuple[Tensor, Tensor]:
        """(n_clips, 4 h) pre-activations and (n_clips, h) cell -> next cell and hidden state."""
        q = torch.floor(z * _ONE + 0.5).clamp(-(2**15), 2**15 - 1).to(torch.int32).numpy()
        old = torch.round(cell * 2**cell_bits).to(torch.int32).numpy()
        new, hidden, gates = cell_step(q, old, cell_bits)
        real = [torch.from_numpy(gate).to(z.dtype) / 2**GATE_BITS for gate in gates]
        ctx.save_for_backward(cell, *real)
        return (
            torch.from_numpy(new).to(z.dtype) / 2**cell_bits,
            torch.from_numpy(hidden).to(z.dtype) / _ONE,
        )

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, Tensor, None]:
        cell, i, f, g, o, squashed = ctx.saved_tensors
        d_cell, d_hidden = grad
        d_cell = d_cell + d_hidden * o * (1 - squashed * squashed)
        d_z = torch.cat(
            [
                d_cell * g * i * (1 - i),
                d_cell * cell * f * (1 - f),
                d_cell * i * (1 - g * g),
                d_hidden * squashed * o * (1 - o),
            ],
            dim=1,
        )
        return d_z, d_cell * f, None


def twin(operator: Lstm, step: Step) -> Tensor:
    """Hidden states of all frames."""
    weight, bias = step.trained
    x = step.inputs[0][:, :, 0] / _ONE  # (n_clips, n_frames, n_in)
    n_in, n_units = operator.n_in, operator.n_units
    weight = weight_of(operator.rows, weight)  # (4 h, n_in + h)
    mean = cast(FloatLstm, step.parent).input_mean
    if mean.any():  # folded into the integer bias
        bias = bias - weight[:, :n_in] @ torch.tensor(mean, dtype=weight.dtype)
    bias = bias_of(operator.rows, bias * _ONE) / _ONE
    fed = functional.linear(x, weight[:, :n_in], bias)  # (n_clips, n_frames, 4 h)
    cell = hidden = fed.new_zeros(len(fed), n_units)
    above = []
    for t in range(fed.shape[1]):
        z = torch.addmm(fed[:, t], hidden, weight[:, n_in:].T)
        cell, hidden = _CellStep.apply(z, cell, operator.cell_bits)
        above.append(hidden)
    return torch.stack(above, dim=1)[:, :, None] * _ONE
