"""The clips that a plan trains on, for open models those that are none of the words too."""

from __future__ import annotations

from pathlib import Path

from spoken_digits.data.loading import Dataset
from spoken_digits.features.registry import extractor_from
from spoken_digits.rejection.dataset import with_rejects
from spoken_digits.rejection.labels import OPEN
from spoken_digits.training.plan import Plan
from spoken_digits.training.planned import load_planned

REJECTS = Path("rejects")


def load(data: Path, plan: Plan) -> Dataset:
    """The dataset of a plan: `load_planned`, and for an open model what is none of the words.

    Parameters
    ----------
    data
        Folder with what `load_planned` reads and rejects/train/.
    plan
        Of any model.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another corpus.
    """
    dataset = load_planned(data, plan)
    if plan.augmentation != OPEN:
        return dataset
    extractor = extractor_from(dataset.description, "features.json")
    return with_rejects(dataset, data / REJECTS / "train", extractor)
