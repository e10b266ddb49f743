"""Networks with fewer bits: a module a scheme."""

from __future__ import annotations

from torch import Tensor, nn

from spoken_digits.errors import UserError
from spoken_digits.models.card import ModelCard, load_network
from spoken_digits.quantization import int8_dynamic, integer


def load_any(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The network of a model file of any scheme, ready to predict.

    Raises
    ------
    UserError
        A scheme that cannot be run from here.
    """
    if card.scheme == "float32":
        return load_network(card, tensors)
    if card.scheme == int8_dynamic.SCHEME:
        return int8_dynamic.restore(card, tensors)
    if card.scheme in integer.SCHEMES:
        return integer.IntegerNetwork(card, tensors)
    raise UserError(f"models of scheme {card.scheme} cannot be run from here")
