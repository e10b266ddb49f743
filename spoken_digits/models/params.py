"""The sections `model` and `variants.<name>` of params.yaml, by architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spoken_digits.config import Config
from spoken_digits.errors import UserError
from spoken_digits.models.budget import BudgetParams

MAIN = "lstm"
"""The model whose section is `model`; every other one has a section under `variants`."""


@dataclass(frozen=True, kw_only=True)
class LstmParams:
    """An LSTM over the frames of a clip."""

    architecture: Literal["lstm"]
    features: str
    """Kind of features it reads."""
    hidden_dim: int | None
    """Hidden size of every layer; null: the largest that fits `budget`."""
    num_layers: int
    dropout: float
    """Probability of dropping an output of a layer, all but the last."""
    pooling: Literal["mean", "last"]
    """What the linear layer sees: the mean over valid frames, or the last frame, padding included
    (the reference's way)."""
    budget: BudgetParams | None
    """Memory to fit when hidden_dim is null."""
    train: dict[str, Any]
    """Keys of the section `train` that differ for this model."""
    train_on: dict[str, Any]
    """Corpus name -> keys of `train` that differ for this model on that corpus."""

    def __post_init__(self) -> None:
        _check_dropout(self.dropout)
        if self.num_layers < 1:
            raise ValueError(f"num_layers` is {self.num_layers}, must be 1 or more")
        if self.hidden_dim is None and self.budget is None:
            raise ValueError("hidden_dim` is null: give a number, or a `budget` to solve it from")
        if self.hidden_dim is not None and self.hidden_dim < 1:
            raise ValueError(f"hidden_dim` is {self.hidden_dim}, must be 1 or more")


@dataclass(frozen=True, kw_only=True)
class CnnParams:
    """Convolutions and a large perceptron over a whole spectrogram."""

    architecture: Literal["cnn"]
    features: str
    conv_channels: tuple[int, ...]
    """Output channels of each convolution."""
    kernel_size: int
    """Of every convolution, bins by frames; padding is 1."""
    linear_dims: tuple[int, ...]
    """Output sizes of the hidden linear layers."""
    dropout: float
    """Probability of dropping an output of a hidden linear layer."""
    train: dict[str, Any]
    train_on: dict[str, Any]

    def __post_init__(self) -> None:
        _check_dropout(self.dropout)


@dataclass(frozen=True, kw_only=True)
class CnnLstmParams:
    """One convolution, cut along time into steps of an LSTM."""

    architecture: Literal["cnn_lstm"]
    features: str
    conv_channels: int
    kernel_size: int
    n_steps: int
    """Steps that the pooled frames are cut into."""
    hidden_dim: int
    input_init: Literal["fan_in", "pytorch"]
    """How the LSTM's input weights are drawn: +-1/sqrt(inputs), or PyTorch's +-1/sqrt(hidden_dim),
    which saturates the gates when a step has 40,960 inputs."""
    train: dict[str, Any]
    train_on: dict[str, Any]


ModelParams = LstmParams | CnnParams | CnnLstmParams
SCHEMAS: dict[str, type[ModelParams]] = {
    "lstm": LstmParams,
    "cnn": CnnParams,
    "cnn_lstm": CnnLstmParams,
}


def _check_dropout(dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout` is {dropout}, must be 0 or more and less than 1")


def section_name(model: str) -> str:
    """Where the parameters of `model` stand."""
    return "model" if model == MAIN else f"variants.{model}"


def names(config: Config) -> list[str]:
    """Every model there is, the main one first."""
    return [MAIN, *config.get("variants", {})]


def read_model_params(config: Config, model: str) -> ModelParams:
    """The parameters of one model.

    Raises
    ------
    UserError
        No such model, or a wrong key or value in its section.
    """
    name = section_name(model)
    if model not in names(config):
        raise UserError(f"no model {model!r} in params.yaml; there are {', '.join(names(config))}")
    node: Any = config
    for key in name.split("."):
        node = node[key] if isinstance(node, Mapping) and key in node else {}
    architecture = node.get("architecture") if isinstance(node, Mapping) else None
    if architecture not in SCHEMAS:
        raise UserError(
            f"params.yaml: `{name}.architecture` is {architecture!r}, "
            f"must be one of {', '.join(SCHEMAS)}"
        )
    return config.section(name, SCHEMAS[architecture])
