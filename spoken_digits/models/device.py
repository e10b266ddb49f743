"""Choose the device, and make computing on it deterministic."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from spoken_digits import arithmetic
from spoken_digits.errors import UserError
from spoken_digits.io.memory import keep_freed_memory


def set_up(device: str, threads: int) -> torch.device:
    """Fix threads and algorithms so that the same parameters give the same bytes."""
    # Needed by deterministic matrix products on cuda; no effect elsewhere.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Adam's moments of weights without gradient decay to denormal numbers, which double the time
    # of a step; flushed to zero they change no weight. New threads inherit the setting.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    keep_freed_memory()
    # Not `use_deterministic_algorithms`: that sets PyTorch's compiler too, which takes a second
    # of every stage to import.
    torch.set_deterministic_debug_mode("error")
    # Would fill every fresh tensor with NaN: half a gigabyte a step with 120 million weights.
    settings: Any = torch.utils.deterministic  # a property that PyTorch adds while running
    settings.fill_uninitialized_memory = False
    return pick_device(device)


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` picks the first available of cuda, mps and cpu. Portable
    arithmetic exists on the cpu only, so with it `auto` picks the cpu.

    Raises
    ------
    UserError
        This machine lacks the named device.
    """
    if name == "auto" and arithmetic.is_pinned():
        name = "cpu"
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((device for device, is_there in there.items() if is_there), "cpu")
    if not there.get(name, True):
        raise UserError(
            f"params.yaml: `train.device` is {name}, which this machine lacks: use auto"
        )
    return torch.device(name)


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether `train.precision` means bfloat16 on this device."""
    if precision != "auto":
        return precision == "bfloat16"
    if arithmetic.is_pinned():
        return False
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def send(x: Tensor, device: torch.device) -> Tensor:
    """Move to the device; copies to a GPU overlap with its computing."""
    if device.type == "cuda":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)
