"""Model files: one .safetensors that is enough to predict.

The metadata carries, as JSON under the single key ``spoken_digits`` (a single key, because the
library writes several in no fixed order), the architecture, the labels, the feature parameters
and the normalisation.
"""

from __future__ import annotations

import dataclasses
import json
import stat
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from pydantic import Field
from torch import Tensor

from spoken_digits.errors import UserError, printable
from spoken_digits.features.description import described_shape
from spoken_digits.io.files import write_bytes
from spoken_digits.models import architectures
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.networks import make_network
from spoken_digits.models.tensors import TensorSpec, check_tensors
from spoken_digits.validation import parse, parse_json

_KEY = "spoken_digits"
_LARGEST_FILE_BYTES = 2**31  # the largest network here takes 0.5 GB
_LARGEST_CLIP_VALUES = 2**24
_MOST_LAYERS = 64
_CORPUS_KEYS = {"corpus": str, "version": str, "fingerprint": str, "synthetic": bool}

_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Size = Annotated[int, Field(ge=1, le=2**20)]
_Number = Annotated[float, Field(gt=-1e30, lt=1e30)]
_Deviation = Annotated[float, Field(gt=1e-30, lt=1e30)]
_MOST = 2**14


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model file says of itself; `read_model` holds a file to the bounds given here."""

    name: _Text
    architecture: Annotated[dict[_Text, Any], Field(max_length=_MOST_LAYERS)]
    """`name` of the network and its keyword arguments."""
    labels: Annotated[list[_Text], Field(min_length=1, max_length=_MOST)]
    """Class i is labels[i]."""
    features: Annotated[dict[_Text, Any], Field(max_length=_MOST_LAYERS)]
    """Kind and parameters of the features it reads."""
    input_shape: tuple[_Size, _Size]
    """(n_frames, n_coefficients) of one clip."""
    mean: Annotated[list[_Number], Field(min_length=1, max_length=_MOST)]
    """Subtracted from the features: one value, or one a coefficient. Fitted on train clips."""
    std: Annotated[list[_Deviation], Field(min_length=1, max_length=_MOST)]
    """The features are divided by it."""
    best_epoch: Annotated[int, Field(ge=0)]
    """Epoch whose weights these are, counted from 1."""
    corpus: dict[_Text, Any]
    """Name, version, fingerprint of the corpus, and whether it is synthetic."""
    split: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Fingerprint of the train, validation and test clips; None in files older than this field."""
    scheme: _Text = "float32"
    """How the weights are stored."""
    scheme_params: dict[_Text, Any] = field(default_factory=dict)
    """Parameters of the scheme."""

    def make_network(self) -> BaseNetwork:
        """The network with fresh weights."""
        return make_network(self.architecture, self.input_shape, len(self.labels))

    def outline(self) -> BaseNetwork:
        """The network without memory for its weights: names, shapes and types of all tensors.

        Raises
        ------
        UserError
            The architecture's name or arguments describe no network.
        """
        try:
            with torch.device("meta"):
                return self.make_network()
        except KeyError as error:
            self._refuse(f"{error} is missing or unknown")
        # Torch says RuntimeError of a negative or a too large size.
        except (UserError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
            self._refuse(str(error).partition("\n")[0][:200])

    def _refuse(self, fault: str) -> typing.NoReturn:
        raise UserError(
            f"model {printable(self.name)}: its architecture is damaged, {printable(fault)}: "
            "make the file again with `dvc repro train`"
        ) from None

    def normalise(self, x: Tensor) -> Tensor:
        """Features (batch, n_frames, n_coefficients) as the network expects them, float32."""
        mean = torch.tensor(self.mean, device=x.device)
        std = torch.tensor(self.std, device=x.device)
        return (x.float() - mean) / std


def write_model(path: Path, card: ModelCard, tensors: dict[str, Tensor]) -> None:
    """Write weights and card, whole or not at all, the same bytes for the same content."""
    metadata = {_KEY: _as_json(card)}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(contiguous, metadata))


def read_model(path: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    """Read a model file and check its card; the tensors are checked when they meet a network.

    Raises
    ------
    UserError
        The file is missing, damaged, or was not written by this project.
    """
    try:
        _check_file(path)
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path} is missing: train it with `dvc repro train`") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a whole .safetensors file ({error})") from None
    if _KEY not in metadata:
        raise UserError(
            f"{path} carries no model card of this project: give a file made by `dvc repro train`"
        )
    try:
        return parse_card(metadata[_KEY]), tensors
    except UserError as error:
        raise UserError(
            f"{path}: its model card is damaged, {error}: make the file again with `dvc repro`"
        ) from None


def _check_file(path: Path) -> None:
    """Refuse what would block (a pipe) or fill the memory."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if status.st_size > _LARGEST_FILE_BYTES:
        raise OSError(f"{status.st_size:,} bytes; the largest allowed is {_LARGEST_FILE_BYTES:,}")


def parse_card(text: str) -> ModelCard:
    """The card from its JSON.

    Raises
    ------
    UserError
        A field is missing, unknown, of the wrong type or out of bounds, or does not go with
        another one; the text names it.
    """
    card = parse_json(ModelCard, text)
    _check_architecture(card.architecture)
    if len(set(card.labels)) < len(card.labels):
        raise UserError("labels: a word is listed twice")
    for key, kind in _CORPUS_KEYS.items():
        if not isinstance(card.corpus.get(key), kind):
            raise UserError(f"corpus.{key} is missing or of the wrong type")
    _check_shapes(card)
    return card


def check_card(card: ModelCard) -> None:
    """Refuse a card that `read_model` would refuse; raises UserError as `parse_card` does."""
    parse_card(_as_json(card))


def _as_json(card: ModelCard) -> str:
    return json.dumps(dataclasses.asdict(card), sort_keys=True)


def _check_shapes(card: ModelCard) -> None:
    n_frames, n_coefficients = card.input_shape
    if n_frames * n_coefficients > _LARGEST_CLIP_VALUES:
        raise UserError(
            f"input_shape: {n_frames} x {n_coefficients} must not exceed {_LARGEST_CLIP_VALUES:,}"
        )
    for key in ("mean", "std"):
        n_values = len(getattr(card, key))
        if n_values not in (1, n_coefficients):
            raise UserError(f"{key} holds {n_values} values, must hold 1 or {n_coefficients}")
    shape = described_shape(card.features)
    if shape != card.input_shape:
        raise UserError(f"features give clips of {shape}, but input_shape is {card.input_shape}")


def _check_architecture(architecture: Mapping[str, Any]) -> None:
    """Hold the arguments to the types that params.yaml gives them."""
    name = architecture.get("name")
    if name not in architectures.names():
        raise UserError(f"architecture.name: must be one of {', '.join(architectures.names())}")
    hints = typing.get_type_hints(architectures.architecture(name).Params)
    for key, value in architecture.items():
        if key not in hints and key != "name":
            raise UserError(f"architecture.{key} is unknown")
        if isinstance(value, list) and len(value) > _MOST_LAYERS:
            raise UserError(f"architecture.{key} must hold at most {_MOST_LAYERS} values")
        if key == "num_layers" and isinstance(value, int) and value > _MOST_LAYERS:
            raise UserError(f"architecture.{key} is {value}, must not exceed {_MOST_LAYERS}")
        if key != "name":
            parse(hints[key], value, f"architecture.{key}")


def load_network(card: ModelCard, tensors: dict[str, Tensor]) -> BaseNetwork:
    """The float network with its trained weights, ready to predict.

    Raises
    ------
    UserError
        The tensors are not those of the network that the card describes.
    """
    if card.scheme != "float32":
        raise UserError(
            f"model {printable(card.name)} is stored as {printable(card.scheme)}, "
            "not as float32: give the file that `dvc repro train` makes"
        )
    state = card.outline().state_dict()
    check_tensors(card.name, {name: TensorSpec.like(t) for name, t in state.items()}, tensors)
    network = card.make_network()
    network.load_state_dict(tensors)
    return network.eval()


def parameter_bytes(tensors: dict[str, Tensor]) -> int:
    """Bytes of everything that is stored to hold the network."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def as_floats(values: np.ndarray) -> list[float]:
    """Float32 values as JSON numbers that read back to the same float32."""
    return [float(value) for value in values.astype(np.float32).ravel()]
