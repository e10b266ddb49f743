"""The sections of params.yaml that describe models.

The main LSTM, `lstm`, has its shape in the section `model` and the rest under `variants.lstm`;
every other model is one section under `variants`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from spoken_digits.config import Config, build
from spoken_digits.errors import UserError, shown
from spoken_digits.models import architectures

if TYPE_CHECKING:
    from spoken_digits.models.base import ModelParams

# Architectures import PyTorch: they are loaded when a section is read, not to list the names.

MAIN = "lstm"
"""The model whose shape is the section `model`."""


def names(config: Config) -> list[str]:
    """Names of all models, in the order of params.yaml.

    Raises
    ------
    UserError
        A variant's name cannot be part of a file name.
    """
    variants = config.subsection("variants")
    for name in variants:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", str(name)):
            raise UserError(
                f"params.yaml: `variants` has a model named {shown(name)}: use another name, of "
                f"small letters, digits and _, such as {MAIN}_small"
            )
    return list(variants)


def read_model_params(config: Config, model: str) -> ModelParams:
    """The parameters of one model.

    Raises
    ------
    UserError
        No such model, or a wrong key or value in its section.
    """
    if model not in names(config):
        raise UserError(f"no model {model!r} in params.yaml; there are {', '.join(names(config))}")
    where = section_name(model)
    values = _section(config, model)
    kind = config.value(
        f"variants.{model}.architecture", str, Literal[tuple(architectures.names())]
    )
    return build(architectures.architecture(kind).Params, values, where)


def section_name(model: str) -> str:
    """Section of params.yaml with the shape and recipe of `model`."""
    return "model" if model == MAIN else f"variants.{model}"


def _section(config: Config, model: str) -> Mapping[str, Any]:
    """The keys of one model; those of the main one are merged from two sections."""
    section = config.subsection(f"variants.{model}")
    if model != MAIN:
        return section
    shape = config.subsection("model")
    twice = sorted(set(shape) & set(section))
    if twice:
        raise UserError(
            f"params.yaml: `{twice[0]}` stands in `model` and in `variants.{MAIN}`: "
            "keep it in one of them"
        )
    return {**section, **shape}
