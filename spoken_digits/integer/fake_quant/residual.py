"""Twin of `operators.residual`."""

from __future__ import annotations

from torch import Tensor

from spoken_digits.integer.fake_quant.base import Step, rounded
from spoken_digits.integer.operators.base import ACTIVATION_MAX
from spoken_digits.integer.operators.residual import SHIFT, Sum


def twin(operator: Sum, step: Step) -> Tensor:
    """Both tensors in the scale of the result."""
    first, second = step.inputs
    a, b = (int(factor) for factor in operator.factor)
    return rounded((first * a + second * b) / (1 << SHIFT)).clamp(max=ACTIVATION_MAX)
