"""Schemes `int8` and `pow2`: networks that run on integers only, from PCM to word.

The arithmetic is specified in `spoken_digits.integer`; here it meets the trained models. Each
architecture that can become integer has a module of its own.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError, printable
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization import restoring
from spoken_digits.quantization.schemes import Quantized

__all__ = ["PARAMS", "SCHEMES", "network_of", "quantized", "restore", "stored_tensors"]

PARAMS = QatParams
ARCHITECTURES = {"lstm": "integer_lstm", "ds_cnn": "integer_ds_cnn"}
"""Architecture -> module of this package."""


class _Module(Protocol):
    """What the module of an architecture defines."""

    FEATURES: str
    """Kind of the features that its integer networks read."""

    def quantized(
        self,
        card: ModelCard,
        tensors: dict[str, Tensor],
        dataset: Dataset,
        params: QatParams,
        seed: int,
    ) -> Quantized:
        """See `schemes.SchemeModule`."""
        ...


def _module(card: ModelCard) -> _Module:
    name = card.architecture["name"]
    if name not in ARCHITECTURES:
        raise UserError(
            f"model {printable(card.name)} is a {printable(name)}: only "
            f"{' and '.join(ARCHITECTURES)} become integer networks"
        )
    return cast(_Module, importlib.import_module(f"{__package__}.{ARCHITECTURES[name]}"))


def quantized(
    card: ModelCard, tensors: dict[str, Tensor], dataset: Dataset, params: QatParams, seed: int
) -> Quantized:
    """See `schemes.SchemeModule`."""
    return _module(card).quantized(card, tensors, dataset, params, seed)


def network_of(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """See `schemes.SchemeModule`."""
    return IntegerNetwork(card, tensors)


def stored_tensors(network: IntegerGraph) -> dict[str, Tensor]:
    """Everything that the integer network is, for a model file."""
    return {name: torch.from_numpy(np.array(a)) for name, a in network.arrays().items()}


def restore(card: ModelCard, tensors: dict[str, Tensor]) -> IntegerGraph:
    """The integer network of a model file.

    Raises
    ------
    UserError
        The tensors are not those of the network that the card describes, or its arithmetic could
        overflow.
    """
    try:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    except TypeError as error:  # a number type that NumPy does not have
        raise UserError(
            f"model {printable(card.name)} holds no integers ({error}): "
            "make the file again with `dvc repro quantize`"
        ) from None
    return restoring.restore(card, arrays)


class IntegerNetwork(nn.Module):
    """An integer network behind the interface of the float ones, for predicting."""

    def __init__(self, card: ModelCard, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.integers = restore(card, tensors)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        """Real logits (batch, n_classes) of int8 features, not normalised."""
        logits = self.integers.logits(x.numpy().astype(np.int8), n_frames.numpy())
        return torch.from_numpy(logits * self.integers.logit_step)
