"""Twin of `operators.linear`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from spoken_digits.integer.fake_quant.base import Step, bias_of, weight_of
from spoken_digits.integer.operators.linear import Linear


def twin(operator: Linear, step: Step) -> Tensor:
    """Logits of a clip."""
    weight, bias = step.trained
    x = step.inputs[0]
    logits = functional.linear(
        x.reshape(x.shape[0] * x.shape[1], -1),
        weight_of(operator.rows, weight),
        bias_of(operator.rows, bias * step.input_scale),
    )
    return (logits * 2.0**operator.shift).reshape(*x.shape[:2], 1, -1)
