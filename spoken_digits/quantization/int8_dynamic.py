"""Scheme `int8_dynamic`: PyTorch's dynamic quantization of LSTM and linear layers.

Weights are int8 with one scale a tensor; activations stay float and are quantized on the fly,
so this runs only where there is floating point. Convolutions stay float32.

https://docs.pytorch.org/docs/stable/quantization.html, "dynamic quantization".
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from spoken_digits.bounds import Length
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import predict
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import ModelCard, parameter_bytes
from spoken_digits.models.model_file import load_network, outline
from spoken_digits.models.tensors import TensorSpec, check_tensors
from spoken_digits.quantization.schemes import Quantized
from spoken_digits.validation import build

SCHEME = "int8_dynamic"
_KINDS: dict[str, type[nn.Module]] = {"lstm": nn.LSTM, "linear": nn.Linear}
_SCALE, _ZERO_POINT = ".scale", ".zero_point"


@dataclass(frozen=True, kw_only=True)
class Int8DynamicParams:
    """Section `quantize.int8_dynamic`."""

    layers: Annotated[
        tuple[Literal["lstm", "linear"], ...], Length(1, 2, example=["lstm", "linear"])
    ]
    """Kinds of layers to quantize to int8 weights."""


PARAMS = Int8DynamicParams


def quantized(
    card: ModelCard,
    tensors: dict[str, Tensor],
    dataset: Dataset,
    params: Int8DynamicParams,
    seed: int,
) -> Quantized:
    """See `schemes.SchemeModule`; nothing is drawn at random."""
    parent = load_network(dataclasses.replace(card, scheme="float32"), tensors)
    network = quantize(parent, params.layers)
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
            "this build of PyTorch has no int8 kernels for this machine: run "
            "`dvc repro --keep-going`, which leaves out the stages quantize_dynamic"
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
    float biases, and what stayed float, buffers included.
    """
    tensors: dict[str, Tensor] = {}
    for name, values in _packed(quantized).items():
        for key, value in values.items():
            _store(tensors, f"{name}.{key}", value)
    return tensors | _unpacked(quantized)


def network_of(card: ModelCard, tensors: dict[str, Tensor]) -> nn.Module:
    """The quantized network from what `stored_tensors` gave.

    Raises
    ------
    UserError
        The tensors are not those of the network that the card describes.
    """
    try:
        params = build(
            Int8DynamicParams, card.scheme_params, "scheme_params", f"model {card.name}", exact=True
        )
    except UserError as error:
        raise UserError(f"{error}: make the file again with `dvc repro quantize`") from None
    check_tensors(card.name, expected_tensors(outline(card), params.layers), tensors)
    quantized = quantize(card.make_network(), params.layers)
    load(quantized, tensors)
    return quantized.eval()


def load(quantized: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put what `stored_tensors` gave into a network that `quantize` made."""
    modules = dict(quantized.named_modules())
    for name, values in _packed(quantized).items():
        module: Any = modules[name]
        read = {key: _load(tensors, f"{name}.{key}") for key in values}
        if isinstance(module, torch.ao.nn.quantized.dynamic.Linear):
            module.set_weight_bias(read["weight"], read.get("bias"))
        else:
            module.set_weight_bias(read)
    for name, value in _unpacked(quantized).items():
        value.copy_(tensors[name])


def expected_tensors(network: nn.Module, layers: Sequence[str]) -> dict[str, TensorSpec]:
    """What `stored_tensors` gives for such a network, which may be without memory."""
    kinds = tuple(_KINDS[layer] for layer in layers)
    packed = tuple(f"{n}." for n, module in network.named_modules() if isinstance(module, kinds))
    expected = {}
    for name, tensor in network.state_dict().items():
        expected[name] = TensorSpec.like(tensor)
        if name.startswith(packed) and ".weight" in name:
            expected[name] = dataclasses.replace(expected[name], dtype=torch.int8)
            expected[name + _SCALE] = TensorSpec(
                shape=(), dtype=torch.float32, low=torch.finfo(torch.float32).tiny
            )
            expected[name + _ZERO_POINT] = TensorSpec(
                shape=(), dtype=torch.int32, low=-128, high=127
            )
    return expected


def _packed(quantized: nn.Module) -> dict[str, dict[str, Tensor]]:
    """Weights and biases of every layer that is quantized, by the layer's name."""
    modules = quantized.named_modules()
    found = {name: _weights_and_biases(module) for name, module in modules}
    return {name: values for name, values in found.items() if values is not None}


def _unpacked(quantized: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of the layers that stayed float; writing to them changes these."""
    packed = tuple(f"{name}." for name in _packed(quantized))
    state = quantized.state_dict()
    return {name: value for name, value in state.items() if not name.startswith(packed)}


def _weights_and_biases(module: Any) -> dict[str, Tensor] | None:
    """The tensors of a dynamically quantized layer; None for any other module."""
    if isinstance(module, torch.ao.nn.quantized.dynamic.LSTM):
        values: dict[str, Tensor] = {**module.get_weight(), **module.get_bias()}
        return values
    if isinstance(module, torch.ao.nn.quantized.dynamic.Linear):
        weight, bias = module.weight(), module.bias()
        return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
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
