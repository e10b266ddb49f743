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
from spoken_digits.integer import graph
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.card import ModelCard
from spoken_digits.models.tensors import TensorSpec, check_tensors
from spoken_digits.quantization.schemes import Quantized

__all__ = ["PARAMS", "SCHEMES", "network_of", "quantized", "restore", "stored_tensors"]

PARAMS = QatParams
ARCHITECTURES = {"lstm": "integer_lstm", "ds_cnn": "integer_ds_cnn"}
"""Architecture -> module of this package."""

_AGAIN = "make the file again with `dvc repro quantize`"
_OF_OLD = "layer_0.weight"
"""In the files of LSTMs that were no graphs yet."""


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

    def like(self, card: ModelCard) -> IntegerGraph:
        """A graph with the operators of such a model, whatever its weights."""
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
    if card.scheme not in SCHEMES:
        raise UserError(
            f"model {printable(card.name)} is of scheme {printable(card.scheme)}, "
            f"not of {' or '.join(SCHEMES)}"
        )
    module, name = _module(card), printable(card.name)
    if card.features["kind"] != module.FEATURES or card.mean != [0.0] or card.std != [1.0]:
        raise UserError(
            f"model {name} is an integer network, so its card must name {module.FEATURES} features "
            f"that are not normalised: {_AGAIN}"
        )
    if _OF_OLD in tensors:
        raise UserError(f"model {name} is an integer LSTM of before there were graphs: {_AGAIN}")
    like = stored_tensors(module.like(card))
    check_tensors(
        card.name, {name: TensorSpec.like(tensor) for name, tensor in like.items()}, tensors
    )
    try:
        network = graph.from_arrays({name: tensor.numpy() for name, tensor in tensors.items()})
    except ValueError as error:
        raise UserError(f"model {name}: {error}: {_AGAIN}") from None
    _check(network, card)
    return network


def _check(network: IntegerGraph, card: ModelCard) -> None:
    """Refuse a graph that is not the one of the card."""
    n_frames, n_inputs = card.input_shape
    reads = network.n_inputs == n_inputs and (
        network.n_frames >= n_frames if network.any_length else network.n_frames == n_frames
    )
    if not reads or network.scheme != card.scheme:
        raise UserError(
            f"model {printable(card.name)}: its graph is not what its card says: {_AGAIN}"
        )


class IntegerNetwork(nn.Module):
    """An integer network behind the interface of the float ones, for predicting."""

    def __init__(self, card: ModelCard, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.integers = restore(card, tensors)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        """Real logits (batch, n_classes) of int8 features, not normalised."""
        logits = self.integers.logits(x.numpy().astype(np.int8), n_frames.numpy())
        return torch.from_numpy(logits * self.integers.logit_step)
