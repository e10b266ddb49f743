"""Networks with fewer bits: a module a scheme."""

from __future__ import annotations

from torch import Tensor, nn

from spoken_digits.errors import UserError, printable
from spoken_digits.models.card import ModelCard, load_network
from spoken_digits.quantization import int8_dynamic, integer


def load_any(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The network of a model file of any scheme, ready to predict.

    Raises
    ------
    UserError
        The scheme is unknown, or the tensors are not those of the network that the card describes.
    """
    if card.scheme == "float32":
        return load_network(card, tensors)
    if card.scheme == int8_dynamic.SCHEME:
        return int8_dynamic.restore(card, tensors)
    if card.scheme in integer.SCHEMES:
        return integer.IntegerNetwork(card, tensors)
    raise UserError(
        f"model {printable(card.name)} is of the unknown scheme {printable(card.scheme)}: "
        f"known are float32, {int8_dynamic.SCHEME}, {', '.join(integer.SCHEMES)}; "
        "make the file again with `dvc repro quantize`"
    )
