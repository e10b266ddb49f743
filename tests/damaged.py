"""Good model files of every scheme, and ways to damage them."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from frontend_spec import committed_spec
from networks import random_features, random_parent
from torch import Tensor

from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams
from spoken_digits.integer.float_graph import quantise
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization import int8_dynamic

Model = tuple[ModelCard, dict[str, Tensor]]
"""Card and tensors."""
LSTM = {"name": "lstm", "hidden_dim": 4, "num_layers": 1, "dropout": 0.0, "pooling": "mean"}
CNN = {
    "name": "cnn",
    "conv_channels": [2, 3],
    "kernel_size": 5,
    "linear_dims": [16, 8],
    "dropout": 0.0,
}


def card_of(architecture: dict[str, Any], features, **changes: Any) -> ModelCard:
    """The card of a model of three words."""
    return ModelCard(
        name="tiny",
        architecture=architecture,
        labels=["ja", "nein", "halt"],
        features=features.describe(),
        input_shape=features.shape,
        best_epoch=1,
        corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
        split="1" * 64,
        **{"mean": [0.0], "std": [1.0], **changes},
    )


def float_model(architecture: dict[str, Any] = LSTM) -> Model:
    """A float network with random weights: the LSTM over MFCCs, the CNN over spectrograms."""
    torch.manual_seed(0)
    if architecture["name"] == "lstm":
        params = MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36)
        card = card_of(architecture, Mfcc(params, 8000))
    else:
        small = SpectrogramParams(sample_rate=8000, n_samples=8000, n_fft=128, hop_length=256)
        card = card_of(architecture, Spectrogram(small))
    return card, card.make_network().state_dict()


def dynamic_model() -> Model:
    """The LSTM in int8_dynamic."""
    card, tensors = float_model()
    network = card.make_network()
    network.load_state_dict(tensors)
    quantized = int8_dynamic.quantize(network, ("lstm", "linear"))
    card = dataclasses.replace(
        card, scheme=int8_dynamic.SCHEME, scheme_params={"layers": ["lstm", "linear"]}
    )
    return card, int8_dynamic.stored_tensors(quantized)


def integer_model(scheme: str) -> Model:
    """The LSTM as an integer network."""
    parent = random_parent(5, h=4, n_layers=1, n_classes=3)
    network = quantise(parent, *random_features(5), code=scheme)
    card = card_of(LSTM, MfccInt(committed_spec()), scheme=scheme)
    return card, {name: torch.from_numpy(np.array(a)) for name, a in network.arrays().items()}


MODELS: dict[str, Callable[[], Model]] = {
    "float32": float_model,
    "cnn": lambda: float_model(CNN),
    "int8_dynamic": dynamic_model,
    "int8": lambda: integer_model("int8"),
    "pow2": lambda: integer_model("pow2"),
}


def write_damaged(path: Path, model: Model, damage: Callable[[Any, Any], Any]) -> None:
    """Write the model after `damage(card as a dictionary, tensors)`.

    What `damage` returns, if it is a text, is the card's text.
    """
    card, tensors = copy.deepcopy(model)
    content = json.loads(json.dumps(dataclasses.asdict(card)))
    text = damage(content, tensors)
    if not isinstance(text, str):
        text = json.dumps(content)
    path.write_bytes(safetensors.torch.save(tensors, {"spoken_digits": text}))


def put(*keys: str | int, to: Any) -> Callable[[Any, Any], None]:
    """Damage: change a value of the card, at any depth."""

    def damage(card: Any, _: Any) -> None:
        for key in keys[:-1]:
            card = card[key]
        card[keys[-1]] = to

    return damage


def drop(*keys: str) -> Callable[[Any, Any], None]:
    """Damage: remove a value of the card."""

    def damage(card: Any, _: Any) -> None:
        for key in keys[:-1]:
            card = card[key]
        del card[keys[-1]]

    return damage


def tensor(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Any, Any], None]:
    """Damage: change a tensor."""

    def damage(_: Any, tensors: Any) -> None:
        tensors[name] = change(tensors[name])

    return damage


def fill(name: str, value: float) -> Callable[[Any, Any], None]:
    """Damage: make the first value of a tensor `value`."""

    def change(tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return tensor(name, change)


def lose(name: str) -> Callable[[Any, Any], None]:
    """Damage: remove a tensor."""
    return lambda _, tensors: tensors.pop(name)


def add(name: str) -> Callable[[Any, Any], None]:
    """Damage: add an unused tensor."""
    return lambda _, tensors: tensors.update({name: torch.ones(2)})
