"""The model card, and model files: one .safetensors that is enough to predict.

The metadata carries, as JSON under the single key ``spoken_digits`` (a single key, because the
library writes several in no fixed order), the architecture, the labels, the feature parameters
and the normalisation. `spoken_digits.models.model_file` reads such files.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from spoken_digits.bounds import Bounds, Digest, Length
from spoken_digits.io.files import write_bytes
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.networks import make_network

METADATA_KEY = "spoken_digits"
_MOST = 2**16
MOST_NAMED = 100
"""Train speakers whom a card names; of more it gives the number alone."""

_Text = Annotated[str, Length(1, 200)]
_LONGEST_LABEL = 255
_Label = Annotated[str, Length(1, _LONGEST_LABEL, printable=False)]
_Size = Annotated[int, Bounds(1, 2**20)]
_Number = Annotated[float, Bounds(-1e30, 1e30)]
_Deviation = Annotated[float, Bounds(1e-30, 1e30)]


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model file says of itself; `read_model` holds a file to the bounds given here."""

    name: _Text
    architecture: dict[str, Any]
    """`name` of the network and its keyword arguments."""
    labels: Annotated[list[_Label], Length(1, _MOST)]
    """Class i is labels[i]."""
    features: dict[str, Any]
    """Kind and parameters of the features it reads."""
    input_shape: tuple[_Size, _Size]
    """(n_frames, n_coefficients) of one clip."""
    mean: Annotated[list[_Number], Length(1, _MOST)]
    """Subtracted from the features: one value, or one a coefficient. Fitted on train clips."""
    std: Annotated[list[_Deviation], Length(1, _MOST)]
    """The features are divided by it."""
    best_epoch: Annotated[int, Bounds(0, 1_000_000)]
    """Epoch whose weights these are, counted from 1."""
    corpus: dict[str, Any]
    """Name, version, fingerprint of the corpus, and whether it is synthetic."""
    split: Digest | None = None
    """Fingerprint of the train, validation and test clips; None in files older than this field."""
    heard: Annotated[list[_Label], Length(1, MOST_NAMED)] | None = None
    """Who speaks the train clips, sorted; None if that is not known or they are more than 100."""
    n_heard: Annotated[int, Bounds(1, 1_000_000)] | None = None
    """How many people speak the train clips; None if that is not known."""
    scheme: _Text = "float32"
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
    metadata = {METADATA_KEY: json.dumps(dataclasses.asdict(card), sort_keys=True)}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(contiguous, metadata))


def parameter_bytes(tensors: dict[str, Tensor]) -> int:
    """Bytes of everything that is stored to hold the network."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def as_floats(values: np.ndarray) -> list[float]:
    """Float32 values as JSON numbers that read back to the same float32."""
    return [float(value) for value in values.astype(np.float32).ravel()]


def who_was_heard(speakers: list[str] | None) -> dict[str, Any]:
    """The fields `heard` and `n_heard` of a card, from the names of the train speakers."""
    if speakers is None:
        return {}
    few = len(speakers) <= MOST_NAMED and max(map(len, speakers)) <= _LONGEST_LABEL
    return {"heard": speakers if few else None, "n_heard": len(speakers)}
