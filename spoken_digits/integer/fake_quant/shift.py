"""Twin of `operators.shift`."""

from __future__ import annotations

import torch
from torch import Tensor

from spoken_digits.integer.fake_quant.base import Step
from spoken_digits.integer.operators.shift import Shift


def twin(operator: Shift, step: Step) -> Tensor:
    """Bands become channels, each multiplied by its power of two."""
    x = step.inputs[0]
    return x.transpose(2, 3) * torch.tensor(2.0**operator.shift, dtype=x.dtype)
