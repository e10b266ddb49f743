"""Scheme `int8_dynamic`: PyTorch's dynamic quantization of LSTM and linear layers.

Weights are int8 with one scale a tensor; activations stay float and are quantized on the fly,
so this runs only where there is floating point. Convolutions stay float32.

https://docs.pytorch.org/docs/stable/quantization.html, "dynamic quantization".
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import predict
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import ModelCard, load_network, parameter_bytes
from spoken_digits.quantization.schemes import Quantized

SCHEME = "int8_dynamic"
_KINDS: dict[str, type[nn.Module]] = {"lstm": nn.LSTM, "linear": nn.Linear}
_SCALE, _ZERO_POINT = ".scale", ".zero_point"


@dataclass(frozen=True, kw_only=True)
class Int8DynamicParams:
    """Section `quantize.int8_dynamic`."""

    layers: tuple[Literal["lstm", "linear"], ...]
    """Kinds of layers whose weights become int8."""


PARAMS = Int8DynamicParams


def quantized(
    card: ModelCard,
    tensors: dict[str, Tensor],
    dataset: Dataset,
    params: Int8DynamicParams,
    seed: int,
) -> Quantized:
    """See `schemes.SchemeModule`; nothing is drawn at random."""
    network = quantize(load_network(card, tensors), params.layers)
    stored = stored_tensors(network)
    # One clip at a time, as a device would hear them: the scale of the activations is taken
    # over a whole batch, so a clip's result depends on its neighbours.
    test = dataset.subset("test")
    logits = predict(network, card.normalise, test, torch.device("cpu"), batch_size=1)
    return Quantized(
        card=card,
        tensors=stored,
        n_bytes=parameter_bytes(stored),
        logits=logits.numpy().astype(np.float64),
    )


def quantize(network: BaseNetwork, layers: Sequence[str]) -> nn.Module:
    """A copy of the trained network whose `layers` hold int8 weights.

    Raises
    ------
    UserError
        This build of PyTorch has no int8 kernels for this machine.
    """
    engines = [
        e for e in ("x86", "fbgemm", "qnnpack") if e in torch.backends.quantized.supported_engines
    ]
    if not engines:
        raise UserError(
            "this build of PyTorch has no int8 kernels for this machine: "
            "take int8_dynamic out of `quantize.schemes`"
        )
    torch.backends.quantized.engine = engines[0]
    with warnings.catch_warnings():
        # Announced to move to torchao, which has no dynamic LSTM.
        warnings.simplefilter("ignore")
        quantized: nn.Module = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(network).cpu().eval(),
            {_KINDS[layer] for layer in layers},
            dtype=torch.qint8,
        )
    return quantized


def stored_tensors(quantized: nn.Module) -> dict[str, Tensor]:
    """Everything that must be stored to hold the network: int8 weights, scales, zero points,
    float biases, and what stayed float.
    """
    tensors: dict[str, Tensor] = {}
    packed = set()
    for name, module in quantized.named_modules():
        values = _weights_and_biases(module)
        if values is not None:
            packed.add(name)
            for key, value in values.items():
                _store(tensors, f"{name}.{key}", value)
    for name, parameter in quantized.named_parameters():
        if name.rsplit(".", 1)[0] not in packed:
            tensors[name] = parameter.detach()
    return tensors


def load(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The quantized network from what `stored_tensors` gave."""
    quantized = quantize(card.make_network(), card.scheme_params["layers"])
    for name, module in quantized.named_modules():
        values = _weights_and_biases(module)
        if values is not None:
            read = {key: _load(tensors, f"{name}.{key}") for key in values}
            if set(read) == {"weight", "bias"}:
                module.set_weight_bias(read["weight"], read["bias"])
            else:
                module.set_weight_bias(read)
    own = dict(quantized.named_parameters())
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(tensors[name])
    return quantized.eval()


def _weights_and_biases(module: Any) -> dict[str, Tensor] | None:
    """The tensors of a dynamically quantized layer; None for any other module."""
    if isinstance(module, torch.ao.nn.quantized.dynamic.LSTM):
        values: dict[str, Tensor] = {**module.get_weight(), **module.get_bias()}
        return values
    if isinstance(module, torch.ao.nn.quantized.dynamic.Linear):
        return {"weight": module.weight(), "bias": module.bias()}
    return None


def _store(tensors: dict[str, Tensor], name: str, value: Tensor) -> None:
    if not value.is_quantized:
        tensors[name] = value.detach()
        return
    tensors[name] = value.int_repr()
    tensors[name + _SCALE] = torch.tensor(value.q_scale(), dtype=torch.float32)
    tensors[name + _ZERO_POINT] = torch.tensor(value.q_zero_point(), dtype=torch.int32)


def _load(tensors: dict[str, Tensor], name: str) -> Tensor:
    value = tensors[name]
    if name + _SCALE not in tensors:
        return value
    scale, zero_point = tensors[name + _SCALE], tensors[name + _ZERO_POINT]
    return torch._make_per_tensor_quantized_tensor(value, float(scale), int(zero_point))
