"""Twin of `operators.mean`."""

from __future__ import annotations

import torch
from torch import Tensor

from spoken_digits.integer.fake_quant.base import Step, rounded
from spoken_digits.integer.operators.mean import Mean


def twin(operator: Mean, step: Step) -> Tensor:
    """Over the valid frames of each clip."""
    x, n_frames = step.inputs[0], step.n_frames
    valid = torch.arange(x.shape[1]) < n_frames[:, None]  # (n_clips, frames)
    total = (x * valid[:, :, None, None]).sum(dim=1, keepdim=True)
    return rounded(total / n_frames.clamp(min=1)[:, None, None, None])
