"""What a fake-quantised twin is given and what it shares with the others.

Between twins lie the very integers that lie between the operators, as floating point numbers of
the same shape, (n_clips, n_frames, n_bands, n_channels). float64 holds all of them and every
accumulator; float32 those below 2**24, which are all but some accumulators of an LSTM and the
logits.

Every rounding is treated as the identity by the backward pass (straight-through estimator, Bengio,
Leonard & Courville 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.integer.operators.base import FloatOperator
from spoken_digits.integer.operators.rows import Rows


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a twin works on."""

    inputs: tuple[Tensor, ...]
    """Integers of each tensor that the operator reads."""
    n_frames: Tensor
    """(n_clips,) valid frames of each clip."""
    parent: FloatOperator
    """What the operator was rounded from."""
    trained: tuple[Tensor, ...]
    """Weight and bias of `parent`, with their gradients; empty where it has none."""
    input_scale: float
    """Integers per unit of the first input."""
    output_scale: float
    """Integers per unit of the result."""


class Twin(Protocol):
    """The integers that an operator gives, with gradients."""

    def __call__(self, operator: Any, step: Step) -> Tensor:
        """(n_clips, frames, bands, channels) of the result of `operator`."""
        ...


class _Rounded(torch.autograd.Function):
    """`value` forward, the gradient of `smooth` backward."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, value: Tensor) -> Tensor:
        return value

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        return grad[0], None


def rounded(smooth: Tensor) -> Tensor:
    """Nearest integers, halves up, with the gradient of `smooth`."""
    value: Tensor = _Rounded.apply(smooth, torch.floor(smooth.detach() + 0.5))
    return value


def rounded_as(smooth: Tensor, value: NDArray[np.float64]) -> Tensor:
    """`value` with the gradient of `smooth`."""
    fixed: Tensor = _Rounded.apply(smooth, torch.from_numpy(value).to(smooth.dtype))
    return fixed


def weight_of(rows: Rows, smooth: Tensor) -> Tensor:
    """Real weights of `rows` in units of the result, (n_rows, n_columns), with the gradient of the
    weights that they were rounded from.
    """
    return rounded_as(smooth, rows.weight / 2.0 ** rows.shift[:, None])


def bias_of(rows: Rows, smooth: Tensor) -> Tensor:
    """Biases of `rows` in units of the result, (n_rows,), as `weight_of`."""
    return rounded_as(smooth, rows.bias / 2.0**rows.shift)
