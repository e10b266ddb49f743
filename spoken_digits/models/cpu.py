"""Faster dropout and wide linear layers on a CPU; equal to PyTorch's up to rounding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def dropout(x: Tensor, p: float) -> Tensor:
    """`functional.dropout` in training; its mask is drawn four values at a time, 16 bits each.

    PyTorch draws one value at a time, which between two LSTM layers takes longer than a layer.
    """
    threshold = round(p * 2**16)
    drawn = torch.randint(-(2**63), 2**63 - 1, (-(-x.numel() // 4),), device=x.device)
    kept = drawn.view(torch.int16)[: x.numel()].view(x.shape) >= threshold - 2**15
    return x * (kept.to(x.dtype) * (2**16 / (2**16 - threshold)))


def wide_linear(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply `layer` to x (batch, n_inputs); for layers with very many weights.

    Under autocast PyTorch computes the weights' gradient in bfloat16 and converts it: three passes
    through memory, with 117 million weights an eighth of a training step. This takes one pass.
    In evaluation `layer` may be of another type, such as a quantized one.
    """
    low = x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if low and layer.training and isinstance(layer, nn.Linear):
        out: Tensor = _Float32Gradient.apply(x, layer.weight, layer.bias)
    else:
        out = layer(x)
    return out


class _Float32Gradient(torch.autograd.Function):
    """A linear layer in bfloat16 whose weights get a float32 gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x, low = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, low)
        return functional.linear(x, low, bias.bfloat16())

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, ...]:
        x, low = ctx.saved_tensors
        wide = grad[0].float()
        return grad[0] @ low, wide.t() @ x.float(), wide.sum(0)
