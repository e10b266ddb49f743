"""params.yaml -> the plan of a model."""

from __future__ import annotations

from typing import Any

from spoken_digits.config import Config, build
from spoken_digits.errors import UserError
from spoken_digits.features.registry import FeatureParams, make_extractor
from spoken_digits.models import budget
from spoken_digits.models.base import ModelParams
from spoken_digits.models.params import read_model_params, section_name
from spoken_digits.training.plan import Plan
from spoken_digits.training.recipe import Recipe


def make_plan(config: Config, model: str, corpus: str, n_classes: int) -> Plan:
    """The plan of `model` on a corpus.

    Parameters
    ----------
    config
        params.yaml.
    model
        Name of the model.
    corpus
        Name of the corpus, whose recipe counts.
    n_classes
        Words of the corpus.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    params = read_model_params(config, model)
    extractor = make_extractor(params.features, config.section("features", FeatureParams))
    return Plan(
        model=model,
        architecture=describe_network(params, extractor.shape[1], n_classes),
        features=params.features,
        seed=config.value("seed", int),
        recipe=read_recipe(config, model, params, corpus),
    )


def describe_network(params: ModelParams, n_coefficients: int, n_classes: int) -> dict[str, Any]:
    """`name` and keyword arguments of the network, a null hidden size solved from its budget."""
    arguments = params.arguments()
    memory = getattr(params, "budget", None)
    if memory is not None and arguments["hidden_dim"] is None:
        arguments["hidden_dim"] = budget.largest_hidden_dim(
            memory, arguments["num_layers"], n_coefficients, n_classes
        )
    return {"name": params.architecture, **arguments}


def read_recipe(config: Config, model: str, model_params: ModelParams, corpus: str) -> Recipe:
    """The section `train`, overridden by the model's `train` and its `train_on.<corpus>`.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    merged = _merged(config, model, model_params, corpus)
    merged.pop("checkpoint_seconds", None)  # changes no result
    return build(Recipe, merged, "train")


def _merged(config: Config, model: str, model_params: ModelParams, corpus: str) -> dict[str, Any]:
    merged = dict(config.subsection("train"))
    where = section_name(model)
    layers = [(f"{where}.train", model_params.train)]
    if corpus in model_params.train_on:
        layers.append((f"{where}.train_on.{corpus}", model_params.train_on[corpus]))
    for name, changes in layers:
        for key in changes:
            if key not in merged:
                raise UserError(f"params.yaml: unknown key `{name}.{key}`: not a key of `train`")
        merged.update(changes)
    return merged
