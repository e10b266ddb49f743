"""Networks of model files of any scheme."""

from __future__ import annotations

from torch import Tensor, nn

from spoken_digits.models.card import ModelCard, load_network
from spoken_digits.quantization.schemes import scheme_module


def load_any(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The network of a model file, ready to predict.

    Raises
    ------
    UserError
        A scheme that is not known here.
    """
    if card.scheme == "float32":
        return load_network(card, tensors)
    return scheme_module(card.scheme).load(card, tensors)
