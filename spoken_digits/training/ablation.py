"""A recipe without one step of its augmentation of sound: what is that step worth?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.config import build
from spoken_digits.errors import UserError
from spoken_digits.training.recipe import Recipe


def without_step(recipe: Recipe, changes: Mapping[str, Any], name: str) -> Recipe:
    """The recipe with other values in its section `sound`.

    Parameters
    ----------
    recipe
        With a section `sound`.
    changes
        Keys of that section and the values that leave a step out. They hold in the last epochs
        too, which have values of their own for some of the keys.
    name
        Where the changes stand in params.yaml, for errors.

    Raises
    ------
    UserError
        There is no section `sound`, a key is unknown or a value out of bounds.
    """
    if recipe.sound is None:
        raise UserError(
            "params.yaml: `studies.ablation.model` is trained without `train.sound`, so there is "
            "no step to leave out: name another model, such as micro"
        )
    values = dataclasses.asdict(recipe.sound) | dict(changes)
    if (last := values["last_epochs"]) is not None and "last_epochs" not in changes:
        values["last_epochs"] = last | {key: changes[key] for key in changes if key in last}
    return dataclasses.replace(recipe, sound=build(SoundParams, values, name))
