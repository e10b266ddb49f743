"""The clips that a plan trains on: those of the corpus, and extra voices where it says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.roles import FINGERPRINTS
from spoken_digits.data.voices import with_voices
from spoken_digits.features.registry import extractor_from
from spoken_digits.training.plan import Plan

VOICES = Path("voices", "train")


def load_planned(data: Path, plan: Plan) -> Dataset:
    """The corpus with its split, the features of the plan, and extra voices if it has them.

    Parameters
    ----------
    data
        Folder with raw/, features/, split.csv and voices/train/ as the stages make them.
    plan
        Says which features, and which voices.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another corpus.
    """
    return add_voices(load_dataset(data, plan.features), data, plan)


def add_voices(dataset: Dataset, data: Path, plan: Plan) -> Dataset:
    """The dataset, with extra voices among its train clips if the plan has them."""
    if plan.voices is None:
        return dataset
    extractor = extractor_from(dataset.description, "features.json")
    return with_voices(dataset, data / VOICES, extractor, plan.voices)


def choose_voices(plan: Plan, chosen: bool | None) -> Plan:
    """The plan with extra voices or without, whatever params.yaml says; None leaves it alone."""
    if chosen is None:
        return plan
    return dataclasses.replace(plan, voices=FINGERPRINTS["train"] if chosen else None)


def row_name(plan: Plan) -> str:
    """The model as the studies name it: with extra voices it is a row of its own."""
    return plan.model if plan.voices is None else f"{plan.model}+voices"
