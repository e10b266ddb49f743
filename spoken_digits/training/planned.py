"""The clips that a plan trains on: those of the corpus, and extra voices where it says so."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.roles import FINGERPRINTS
from spoken_digits.data.voices import is_there, made_by, with_voices
from spoken_digits.evaluation import columns
from spoken_digits.features.registry import extractor_from
from spoken_digits.io import files
from spoken_digits.training.plan import Plan

VOICES = Path("voices", "train")
SPOKEN = Path("voices", "spoken")
_NOT_THERE = "synthesised voices that are not there"


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
    return with_voices(dataset, data / store_of(plan), extractor, plan.voices)


def store_of(plan: Plan) -> Path:
    """The store below data/ that the voices of a plan lie in: recorded ones, or synthesised."""
    return VOICES if plan.voices == FINGERPRINTS["train"] else SPOKEN


def choose_voices(plan: Plan, chosen: bool | None) -> Plan:
    """The plan with extra voices or without, whatever params.yaml says; None leaves it alone."""
    if chosen is None:
        return plan
    return dataclasses.replace(plan, voices=FINGERPRINTS["train"] if chosen else None)


def with_spoken(plan: Plan, data: Path, epochs: int) -> Plan:
    """The plan with the synthesised voices that are in their store now, for so many epochs.

    Their sound depends on the processor in its last bits, so no fingerprint of them is published.
    """
    plan = dataclasses.replace(plan, recipe=dataclasses.replace(plan.recipe, epochs=epochs))
    if not is_there(data / SPOKEN):
        return dataclasses.replace(plan, voices=_NOT_THERE)
    provenance = files.read_json(data / SPOKEN / "provenance.json", made_by(data / SPOKEN))
    return dataclasses.replace(plan, voices=str(provenance.get("fingerprint")))


def row_name(plan: Plan) -> str:
    """The model as the studies name it: with extra voices it is a row of its own."""
    if plan.voices is None:
        return plan.model
    return plan.model + (columns.VOICES if store_of(plan) == VOICES else columns.SPOKEN)


def training_digest(plan: Plan, corpus: Dataset, *more: object) -> str:
    """What was trained: the plan, which names the extra voices, the clips of the corpus, and what
    else decides.
    """
    decides = [dataclasses.asdict(plan), corpus.fingerprint, *more]
    return files.sha256(json.dumps(decides, sort_keys=True).encode())[:16]
