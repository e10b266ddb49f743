"""Schemes `int8` and `pow2`: networks that run on integers only, from PCM to word.

The arithmetic is specified in `spoken_digits.integer`; here it meets the trained models. Each
architecture that can become integer has a module of its own.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError, printable
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization.schemes import Quantized

SCHEMES = ("int8", "pow2")
PARAMS = QatParams
ARCHITECTURES = {"lstm": "integer_lstm", "ds_cnn": "integer_graph"}
"""Architecture -> module of this package."""


class IntegerModel(Protocol):
    """An integer network, in NumPy."""

    @property
    def n_inputs(self) -> int:
        """Coefficients a frame."""
        ...

    @property
    def n_classes(self) -> int:
        """Classes."""
        ...

    @property
    def logit_step(self) -> float:
        """Real value of one logit step."""
        ...

    def logits(
        self, features: NDArray[np.int8], n_frames: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """(n_clips, n_classes) of features (n_clips, max_frames, n_inputs)."""
        ...

    def parameter_bytes(self) -> int:
        """Bytes that hold the network."""
        ...


class _Module(Protocol):
    """What the module of an architecture defines."""

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

    def restore(self, card: ModelCard, tensors: dict[str, Tensor]) -> IntegerModel:
        """The integer network of a model file; raises UserError if it is damaged."""
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


def restore(card: ModelCard, tensors: dict[str, Tensor]) -> IntegerModel:
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
    return _module(card).restore(card, tensors)


class IntegerNetwork(nn.Module):
    """An integer network behind the interface of the float ones, for predicting."""

    def __init__(self, card: ModelCard, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.integers = restore(card, tensors)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        """Real logits (batch, n_classes) of int8 features, not normalised."""
        logits = self.integers.logits(x.numpy().astype(np.int8), n_frames.numpy())
        return torch.from_numpy(logits * self.integers.logit_step)
