"""Kinds of augmentation, one package each, found by name.

A package defines `prepare`. It is imported only for models that name it, so that a stage depends
on no other kind's code.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from spoken_digits.augmentation.base import Prepared
    from spoken_digits.data.loading import Dataset
    from spoken_digits.training.recipe import Recipe

AugmentationName = Literal["features", "sound"]


class Augmentation(Protocol):
    """Interface of the packages in here."""

    def prepare(self, dataset: Dataset, recipe: Recipe, seed: int) -> Prepared:
        """The train clips of a dataset, to be varied as the recipe says."""
        ...


def augmentation(name: str) -> Augmentation:
    """The package of that name."""
    return cast(Augmentation, importlib.import_module(f"{__name__}.{name}"))
