"""The sections `model` and `variants.<name>` of params.yaml, by architecture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from spoken_digits.config import Bounds, ByCorpus, Config, Length
from spoken_digits.errors import UserError, shown
from spoken_digits.models.budget import BudgetParams

MAIN = "lstm"
"""The model whose section is `model`; every other one has a section under `variants`."""


@dataclass(frozen=True, kw_only=True)
class LstmParams:
    """An LSTM over the frames of a clip."""

    architecture: Literal["lstm"]
    features: Annotated[str, Length(1, 40, example="mfcc")]
    """Kind of features it takes."""
    hidden_dim: Annotated[int, Bounds(1, 4096, example=128)] | None
    """Hidden size of every layer; null: the largest that fits `budget`."""
    num_layers: Annotated[int, Bounds(1, 16, example=2)]
    dropout: Annotated[float, Bounds(0, below=1, example=0.2)]
    """Dropout probability at the output of every layer but the last."""
    pooling: Literal["mean", "last"]
    """What the linear layer gets: the mean over valid frames, or the last frame including padding
    (as in the reference)."""
    budget: BudgetParams | None
    """Memory to fit if hidden_dim is null."""
    train: dict[str, Any]
    """Keys of section `train` that this model overrides."""
    train_on: ByCorpus
    """Corpus name -> keys of `train` that this model overrides on that corpus."""

    def __post_init__(self) -> None:
        if self.hidden_dim is None and self.budget is None:
            raise ValueError("hidden_dim` is null: give a number, or a `budget` to solve it from")


@dataclass(frozen=True, kw_only=True)
class CnnParams:
    """Convolutions and a large perceptron over a whole spectrogram."""

    architecture: Literal["cnn"]
    features: Annotated[str, Length(1, 40, example="mfcc")]
    conv_channels: Annotated[
        tuple[Annotated[int, Bounds(1, 256, example=20)], ...], Length(1, 8, example=[10, 20])
    ]
    """Output channels of each convolution."""
    kernel_size: Annotated[int, Bounds(1, 31, example=5)]
    """Height and width of every kernel, in bins and frames; padding is 1."""
    linear_dims: Annotated[
        tuple[Annotated[int, Bounds(1, 16_384, example=256)], ...],
        Length(0, 8, example=[1024, 256]),
    ]
    """Output sizes of the hidden linear layers."""
    dropout: Annotated[float, Bounds(0, below=1, example=0.2)]
    """Dropout probability at the output of each hidden linear layer."""
    train: dict[str, Any]
    train_on: ByCorpus


@dataclass(frozen=True, kw_only=True)
class CnnLstmParams:
    """One convolution, cut along time into steps of an LSTM."""

    architecture: Literal["cnn_lstm"]
    features: Annotated[str, Length(1, 40, example="mfcc")]
    conv_channels: Annotated[int, Bounds(1, 256, example=20)]
    kernel_size: Annotated[int, Bounds(1, 31, example=5)]
    n_steps: Annotated[int, Bounds(1, 1000, example=4)]
    """Number of equal time steps the pooled frames are divided into."""
    hidden_dim: Annotated[int, Bounds(1, 2048, example=128)]
    input_init: Literal["fan_in", "pytorch"]
    """Range of the LSTM's initial input weights: +-1/sqrt(inputs), or PyTorch's
    +-1/sqrt(hidden_dim), which saturates the gates if a step has 40,960 inputs."""
    train: dict[str, Any]
    train_on: ByCorpus


ModelParams = LstmParams | CnnParams | CnnLstmParams
_SCHEMAS: dict[str, type[ModelParams]] = {
    "lstm": LstmParams,
    "cnn": CnnParams,
    "cnn_lstm": CnnLstmParams,
}


def section_name(model: str) -> str:
    """Where the parameters of `model` stand."""
    return "model" if model == MAIN else f"variants.{model}"


def names(config: Config) -> list[str]:
    """Every model there is, the main one first.

    Raises
    ------
    UserError
        A variant's name does not suit the files that are named after it.
    """
    variants = config.subsection("variants") if "variants" in config else {}
    for name in variants:
        if name == MAIN or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", str(name)):
            raise UserError(
                f"params.yaml: `variants` has a model named {shown(name)}: take another name, of "
                f"small letters, digits and _, such as {MAIN}_small"
            )
    return [MAIN, *variants]


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
    architecture = config.value(f"{name}.architecture", str, Literal[tuple(_SCHEMAS)])
    return config.section(name, _SCHEMAS[architecture])
