"""Twin of `operators.centring`."""

from __future__ import annotations

import torch
from torch import Tensor

from spoken_digits.integer.fake_quant.base import Step
from spoken_digits.integer.operators.centring import FRACTION_BITS, Centring


def twin(operator: Centring, step: Step) -> Tensor:
    """Features less their mean."""
    x = step.inputs[0]
    return x * (1 << FRACTION_BITS) - torch.from_numpy(operator.mean[:, None]).to(x.dtype)
