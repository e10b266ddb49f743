"""params.yaml -> the plan of a model."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Annotated, Any

from spoken_digits import validation
from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.bounds import Bounds
from spoken_digits.config import Config, build, convert_part
from spoken_digits.errors import UserError
from spoken_digits.features.registry import make_extractor
from spoken_digits.models import budget
from spoken_digits.models.base import ModelParams
from spoken_digits.models.params import read_model_params, section_name
from spoken_digits.training.plan import Plan
from spoken_digits.training.recipe import Recipe


def make_plan(
    config: Config, model: str, corpus: str, n_classes: int, voices: str | None = None
) -> Plan:
    """The plan of `model` on a corpus.

    Parameters
    ----------
    config
        params.yaml.
    model
        Name of the model.
    corpus
        Name of the corpus; `train_on` may hold a recipe for it.
    n_classes
        Words of the corpus.
    voices
        Fingerprint of the extra voices to train on too; None for the corpus alone.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    params = read_model_params(config, model)
    extractor = make_extractor(params.features, config)
    return Plan(
        model=model,
        architecture=describe_network(params, extractor.shape[1], n_classes),
        features=params.features,
        augmentation=params.augmentation,
        corpus=corpus,
        n_classes=n_classes,
        seed=config.value("seed", int),
        recipe=read_recipe(config, model, params, corpus),
        voices=voices,
    )


def describe_network(params: ModelParams, n_coefficients: int, n_classes: int) -> dict[str, Any]:
    """`name` and keyword arguments of the network; a null hidden size is solved from the budget.

    Raises
    ------
    UserError
        The budget holds no network, or one larger than a model may be.
    """
    arguments = params.arguments()
    memory = getattr(params, "budget", None)
    if memory is not None and arguments["hidden_dim"] is None:
        solved = budget.largest_hidden_dim(
            memory, arguments["num_layers"], n_coefficients, n_classes
        )
        # A model file will be held to these bounds.
        bounds = validation.field_hints(typing.cast(Any, type(params)))["hidden_dim"]
        arguments["hidden_dim"] = validation.convert(
            solved, bounds, "hidden_dim", "params.yaml, solved from `budget`"
        )
    return {"name": params.architecture, **arguments}


@dataclass(frozen=True, kw_only=True)
class TrainParams(Recipe):
    """Section `train`: the recipe, and settings that change no result."""

    checkpoint_seconds: Annotated[float, Bounds(0, 86_400, example=60)]
    """Shortest time between two checkpoints to resume from, in seconds. It changes no result and
    trains nothing again."""


def read_recipe(config: Config, model: str, model_params: ModelParams, corpus: str) -> Recipe:
    """The section `train`, overridden by the model's `train` and its `train_on.<corpus>`.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    common = config.section("train", TrainParams)
    where = section_name(model)
    changes = convert_part(TrainParams, model_params.train, f"{where}.train")
    # Recipes for other corpora are checked now, not when the corpus is changed.
    by_corpus = {
        name: convert_part(TrainParams, values, f"{where}.train_on.{name}")
        for name, values in model_params.train_on.items()
    }
    merged = {**dataclasses.asdict(common), **changes, **by_corpus.get(corpus, {})}
    del merged["checkpoint_seconds"]
    if isinstance(merged["sound"], SoundParams):
        merged["sound"] = dataclasses.asdict(merged["sound"])
    recipe = build(Recipe, merged, f"{where}.train")
    if (recipe.sound is not None) != (model_params.augmentation == "sound"):
        raise UserError(
            f"params.yaml: `{where}.train.sound` is {'a section' if recipe.sound else 'null'}, but "
            f"`augmentation` is {model_params.augmentation}: they must agree"
        )
    return recipe
