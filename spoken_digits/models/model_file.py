"""Model files read: the card is checked against its types, the tensors against the network."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import safetensors
import torch
from torch import Tensor

from spoken_digits import validation
from spoken_digits.bounds import Digest, Length
from spoken_digits.errors import UserError, printable
from spoken_digits.features.registry import extractor_from
from spoken_digits.models import architectures
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import METADATA_KEY, ModelCard
from spoken_digits.models.tensors import TensorSpec, check_tensors

_LARGEST_FILE_BYTES = 2**31  # the largest network here takes 0.5 GB


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
    if METADATA_KEY not in metadata:
        raise UserError(
            f"{path} carries no model card of this project: give a file made by `dvc repro train`"
        )
    try:
        return parse_card(metadata[METADATA_KEY], f"{path}: its model card is damaged"), tensors
    except UserError as error:
        raise UserError(f"{error}: make the file again with `dvc repro`") from None


def _check_file(path: Path) -> None:
    """Refuse what would block (a pipe) or fill the memory."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if status.st_size > _LARGEST_FILE_BYTES:
        raise OSError(f"{status.st_size:,} bytes; the largest allowed is {_LARGEST_FILE_BYTES:,}")


def parse_card(text: str, source: str) -> ModelCard:
    """The card from its JSON.

    Parameters
    ----------
    text
        JSON as `write_model` writes it.
    source
        Where it stands, for errors.

    Raises
    ------
    UserError
        A field is missing, unknown, of the wrong type or out of bounds, or does not go with
        another one; one line that names it.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source}: it is not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise UserError(f"{source}: it is no JSON object")
    card = validation.build(ModelCard, content, "", source, exact=True)
    validation.build(_Corpus, card.corpus, "corpus", source, exact=True)
    _check_architecture(card.architecture, source)
    if len(set(card.labels)) < len(card.labels):
        raise UserError(f"{source}: `labels` holds a word twice")
    _check_shapes(card, source)
    return card


@dataclass(frozen=True, kw_only=True)
class _Corpus:
    """The key `corpus` of a card."""

    corpus: Annotated[str, Length(1, 40)]
    version: Annotated[str, Length(0, 200)]
    fingerprint: Digest
    synthetic: bool


def _check_architecture(architecture: dict[str, Any], source: str) -> None:
    """Hold the arguments to the types that params.yaml gives them."""
    names: Any = Literal[tuple(architectures.names())]
    name = validation.convert(architecture.get("name"), names, "architecture.name", source)
    params: Any = architectures.architecture(name).Params
    hints = validation.field_hints(params)
    arguments = {key: hints[key] for key in params.argument_names()}
    validation.convert_all(
        {"name": names, **arguments}, architecture, "architecture", source, exact=True
    )


def _check_shapes(card: ModelCard, source: str) -> None:
    shape = extractor_from(card.features, source).shape
    if shape != card.input_shape:
        raise UserError(
            f"{source}: `features` give clips of {shape}, but `input_shape` is {card.input_shape}"
        )
    for key, values in (("mean", card.mean), ("std", card.std)):
        if len(values) not in (1, shape[1]):
            raise UserError(
                f"{source}: `{key}` holds {len(values)} values, must hold 1 or {shape[1]}"
            )


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
    state = outline(card).state_dict()
    check_tensors(card.name, {name: TensorSpec.like(t) for name, t in state.items()}, tensors)
    network = card.make_network()
    network.load_state_dict(tensors)
    return network.eval()


def outline(card: ModelCard) -> BaseNetwork:
    """The network without memory for its weights: names, shapes and types of all tensors.

    Raises
    ------
    UserError
        The architecture's arguments describe no network.
    """
    try:
        with torch.device("meta"):
            return card.make_network()
    # Torch says RuntimeError of a size that is too large.
    except (UserError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        fault = str(error).partition("\n")[0][:200]
        raise UserError(
            f"model {printable(card.name)}: its architecture is damaged, {printable(fault)}: "
            "make the file again with `dvc repro train`"
        ) from None
