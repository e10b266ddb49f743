"""Model files: one .safetensors that is enough to predict.

The metadata carries, as JSON under the single key ``spoken_digits`` (a single key, because the
library writes several in no fixed order), the architecture, the labels, the feature parameters
and the normalisation.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from spoken_digits.errors import UserError
from spoken_digits.io.files import write_bytes
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.networks import make_network

_KEY = "spoken_digits"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model file says of itself."""

    name: str
    architecture: dict[str, Any]
    """`name` of the network and its keyword arguments."""
    labels: list[str]
    """Class i is labels[i]."""
    features: dict[str, Any]
    """Kind and parameters of the features it reads."""
    input_shape: tuple[int, int]
    """(n_frames, n_coefficients) of one clip."""
    mean: list[float]
    """Subtracted from the features: one value, or one a coefficient. Fitted on train clips."""
    std: list[float]
    """The features are divided by it."""
    best_epoch: int
    """Epoch whose weights these are, counted from 1."""
    corpus: dict[str, Any]
    """Name, version, fingerprint of the corpus, and whether it is synthetic."""
    scheme: str = "float32"
    """How the weights are stored."""
    scheme_params: dict[str, Any] = field(default_factory=dict)
    """Parameters of the scheme."""

    def make_network(self) -> BaseNetwork:
        """The network with fresh weights."""
        return make_network(self.architecture, self.input_shape, len(self.labels))

    def normalise(self, x: Tensor) -> Tensor:
        """Features (batch, n_frames, n_coefficients) as the network expects them, float32."""
        mean = torch.tensor(self.mean, device=x.device)
        std = torch.tensor(self.std, device=x.device)
        return (x.float() - mean) / std


def write_model(path: Path, card: ModelCard, tensors: dict[str, Tensor]) -> None:
    """Write weights and card, whole or not at all, the same bytes for the same content."""
    metadata = {_KEY: json.dumps(dataclasses.asdict(card), sort_keys=True)}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(contiguous, metadata))


def read_model(path: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    """Read a model file.

    Raises
    ------
    UserError
        The file is missing, damaged, or was not written by this project.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path} is missing: train it with `dvc repro train`") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a whole .safetensors file ({error})") from None
    try:
        content = json.loads(metadata[_KEY])
        content["input_shape"] = tuple(content["input_shape"])
        return ModelCard(**content), tensors
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{path} carries no model card of this project: give a file made by `dvc repro train`"
        ) from None


def load_network(card: ModelCard, tensors: dict[str, Tensor]) -> BaseNetwork:
    """The float network with its trained weights, ready to predict."""
    network = card.make_network()
    network.load_state_dict(tensors)
    return network.eval()


def parameter_bytes(tensors: dict[str, Tensor]) -> int:
    """Bytes of everything that is stored to hold the network."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def as_floats(values: np.ndarray) -> list[float]:
    """Float32 values as JSON numbers that read back to the same float32."""
    return [float(value) for value in values.astype(np.float32).ravel()]
