"""Make a network from its description in a plan or a model file."""

from __future__ import annotations

from typing import Any

from torch import nn

from spoken_digits.models.architectures import architecture
from spoken_digits.models.base import BaseNetwork


def make_network(
    described: dict[str, Any], input_shape: tuple[int, int], n_classes: int
) -> BaseNetwork:
    """A freshly initialised network.

    Parameters
    ----------
    described
        ``name`` of the architecture and the keyword arguments of its `Network`.
    input_shape
        (n_frames, n_coefficients) of one clip.
    n_classes
        Number of words.
    """
    arguments = {key: value for key, value in described.items() if key != "name"}
    network = architecture(described["name"]).Network
    return network(input_shape=input_shape, n_classes=n_classes, **arguments)


def n_parameters(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def int8_bytes(network: nn.Module) -> int:
    """Bytes of the weights as int8 and one int32 bias an output, batch normalisation folded in."""
    weights = sum(parameter.numel() for parameter in network.parameters() if parameter.dim() > 1)
    outputs = 0
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            outputs += module.out_channels
        elif isinstance(module, nn.Linear):
            outputs += module.out_features
        elif isinstance(module, nn.LSTM):
            outputs += 4 * module.hidden_size * module.num_layers
    return weights + 4 * outputs
