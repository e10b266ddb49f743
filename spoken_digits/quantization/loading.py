"""Networks of model files of any scheme."""

from __future__ import annotations

from torch import Tensor, nn

from spoken_digits.errors import UserError, printable
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import load_network
from spoken_digits.quantization.schemes import SCHEMES, scheme_module


def load_any(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The network of a model file, ready to predict.

    Raises
    ------
    UserError
        The scheme is unknown, or the tensors are not those of the network that the card
        describes.
    """
    if card.scheme == "float32":
        return load_network(card, tensors)
    if card.scheme not in SCHEMES:
        raise UserError(
            f"model {printable(card.name)} is of the unknown scheme {printable(card.scheme)}: "
            f"known are float32, {', '.join(SCHEMES)}; make the file again with "
            "`dvc repro quantize`"
        )
    return scheme_module(card.scheme).network_of(card, tensors)
