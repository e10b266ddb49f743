"""The schemes, each looked up by name in the module that makes it.

A module defines `PARAMS`, `quantized` and `network_of`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from spoken_digits.errors import UserError
from spoken_digits.models.card import ModelCard

if TYPE_CHECKING:
    from spoken_digits.data.loading import Dataset

SCHEMES = {"int8_dynamic": "int8_dynamic", "int8": "integer", "pow2": "integer"}
"""Scheme -> module of this package."""


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A model with fewer bits."""

    card: ModelCard
    tensors: dict[str, Tensor]
    """What is stored."""
    n_bytes: int
    """All that must be in memory to hold the network."""
    logits: NDArray[np.float64]
    """(n_test, n_classes)."""
    metrics: dict[str, float | int] = field(default_factory=dict)
    """Figures that only this scheme has."""


class SchemeModule(Protocol):
    """What the module of a scheme defines."""

    PARAMS: type[Any]
    """The scheme's section of params.yaml."""

    def quantized(
        self, card: ModelCard, tensors: dict[str, Tensor], dataset: Dataset, params: Any, seed: int
    ) -> Quantized:
        """The model of `card` and `tensors` with fewer bits; `card.scheme` names the scheme."""
        ...

    def network_of(self, card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
        """The network of a model file, ready to predict; raises UserError if it is damaged."""
        ...


def scheme_module(scheme: str) -> SchemeModule:
    """The module that makes models of this scheme.

    Raises
    ------
    UserError
        No such scheme.
    """
    if scheme not in SCHEMES:
        raise UserError(f"no scheme {scheme!r}; there are {', '.join(SCHEMES)}")
    name = f"{__package__}.{SCHEMES[scheme]}"
    return cast(SchemeModule, importlib.import_module(name))
