"""What a processor trains faster than PyTorch does by itself, results but for rounding the same."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def dropout(x: Tensor, p: float) -> Tensor:
    """`functional.dropout` in training, its mask drawn four values at a time, 16 bits each.

    PyTorch's own draws each value by itself: between two layers of an LSTM it takes longer than
    one of the layers.
    """
    threshold = round(p * 2**16)
    drawn = torch.randint(-(2**63), 2**63 - 1, (-(-x.numel() // 4),), device=x.device)
    kept = drawn.view(torch.int16)[: x.numel()].view(x.shape) >= threshold - 2**15
    return x * (kept.to(x.dtype) * (2**16 / (2**16 - threshold)))


def wide_linear(layer: nn.Module, x: Tensor) -> Tensor:
    """`layer` of x (batch, n_inputs), where it has far more weights than the batch has clips.

    Under autocast PyTorch would make the gradient of the weights in bfloat16 and convert it: with
    117 million weights three passes through memory, an eighth of a training step. Here it is one.
    In evaluation `layer` may be of another kind, such as a quantized one.
    """
    low = x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if low and layer.training and isinstance(layer, nn.Linear):
        out: Tensor = _Float32Gradient.apply(x, layer.weight, layer.bias)
    else:
        out = layer(x)
    return out


class _Float32Gradient(torch.autograd.Function):
    """A linear layer in bfloat16 that hands its weights a float32 gradient."""

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
