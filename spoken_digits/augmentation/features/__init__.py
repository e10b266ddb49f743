"""`features`: the stored features are varied."""

from __future__ import annotations

from spoken_digits.augmentation.base import Prepared
from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.data.dataset import Normalisation, fit_normalisation
from spoken_digits.data.loading import Dataset
from spoken_digits.training.recipe import Recipe


def prepare(dataset: Dataset, recipe: Recipe, seed: int) -> Prepared:
    """The train clips of a dataset, to be varied as the recipe says."""
    train = dataset.subset("train")
    normalisation = Normalisation(*fit_normalisation(train, recipe.normalisation))
    return Prepared(FeatureClips(train, normalisation, recipe), normalisation)
