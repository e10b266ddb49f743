"""Check the tensors of a model file: names, shapes, types and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from spoken_digits.errors import UserError, printable


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """A tensor that a network needs."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    low: float = -torch.inf
    """Least value allowed."""
    high: float = torch.inf
    """Largest value allowed."""

    @classmethod
    def like(cls, tensor: Tensor) -> TensorSpec:
        """Shape and type of `tensor`, which may have no memory (`device="meta"`)."""
        return cls(shape=tuple(tensor.shape), dtype=tensor.dtype)


def check_tensors(
    model: str, expected: Mapping[str, TensorSpec], tensors: Mapping[str, Tensor]
) -> None:
    """Refuse tensors that are not exactly those expected, or hold NaN or infinity.

    Parameters
    ----------
    model
        The model's name, for the error.
    expected
        What the network needs, by name.
    tensors
        What the file holds.

    Raises
    ------
    UserError
        Naming the first tensor that is missing, unknown, or wrong.
    """
    for name, fault in _faults(expected, tensors):
        raise UserError(
            f"model {printable(model)}: tensor {printable(name)} {fault}: "
            "make the file again with `dvc repro`"
        )


def _faults(
    expected: Mapping[str, TensorSpec], tensors: Mapping[str, Tensor]
) -> list[tuple[str, str]]:
    faults = [(name, "is missing") for name in expected if name not in tensors]
    faults += [(name, "is unknown") for name in tensors if name not in expected]
    return faults or [
        (name, fault) for name, spec in expected.items() if (fault := _fault(spec, tensors[name]))
    ]


def _fault(spec: TensorSpec, tensor: Tensor) -> str:
    """What is wrong with `tensor`; empty if nothing."""
    if tensor.dtype != spec.dtype:
        return f"is {tensor.dtype}, must be {spec.dtype}".replace("torch.", "")
    if tuple(tensor.shape) != spec.shape:
        return f"has shape {tuple(tensor.shape)}, must have {spec.shape}"
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        return "holds NaN or infinity"
    if tensor.numel() and not (tensor.min() >= spec.low and tensor.max() <= spec.high):
        return f"holds a value outside {spec.low:g} to {spec.high:g}"
    return ""
