"""Where networks compute, and how the same parameters give the same bytes there."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from spoken_digits.errors import UserError
from spoken_digits.io.memory import keep_freed_memory


def set_up(device: str, threads: int) -> torch.device:
    """Fix threads and algorithms so that the same parameters give the same bytes."""
    # Needed by deterministic matrix products on cuda; no effect elsewhere.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Adam's moments of weights that get no gradient fade to denormal numbers, with which a step
    # takes twice the time; as zeros they change no weight. Threads take it over as they start.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.use_deterministic_algorithms(True)
    # Would fill every fresh tensor with NaN: half a gigabyte a step with 120 million weights.
    settings: Any = torch.utils.deterministic  # a property that PyTorch adds while running
    settings.fill_uninitialized_memory = False
    return pick_device(device)


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes the first of cuda, mps, cpu that is there.

    Raises
    ------
    UserError
        The named device is not on this machine.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((device for device, is_there in there.items() if is_there), "cpu")
    if not there.get(name, True):
        raise UserError(
            f"params.yaml: `train.device` is {name}, which this machine lacks: use auto"
        )
    return torch.device(name)


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether matrix products of `train.precision` are in bfloat16 on this device."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def send(x: Tensor, device: torch.device) -> Tensor:
    """To the device; to a GPU while it still computes the batch before."""
    if device.type == "cuda":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
