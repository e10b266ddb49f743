"""Twin of `operators.pooling`."""

from __future__ import annotations

import torch
from torch import Tensor

from spoken_digits.integer.fake_quant.base import Step, rounded
from spoken_digits.integer.operators.pooling import FRACTION_BITS, Pooling


def twin(operator: Pooling, step: Step) -> Tensor:
    """Maxima, then means."""
    x = step.inputs[0] * (1 << FRACTION_BITS)
    n = x.shape[1] * x.shape[2]
    pooled = torch.cat([x.amax(dim=(1, 2)), rounded(x.sum(dim=(1, 2)) / n)], dim=1)
    return pooled[:, None, None]
