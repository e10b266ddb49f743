"""`sound`: every clip is spoken, recorded and disturbed anew in every epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spoken_digits.augmentation.base import Prepared
    from spoken_digits.data.loading import Dataset
    from spoken_digits.training.recipe import Recipe


def prepare(dataset: Dataset, recipe: Recipe, seed: int) -> Prepared:
    """The train clips of a dataset, to be varied as `recipe.sound` says.

    Raises
    ------
    UserError
        The features are of a kind that is not made of mel bands, or a recording is missing.
    """
    # Here, since recipes import the parameters of this package.
    from spoken_digits.augmentation.sound import recordings

    return recordings.prepare(dataset, recipe, seed)
