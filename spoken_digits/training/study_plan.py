"""What a study trains: a model's plan, under a seed, with the voices named on the command line."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from spoken_digits.config import read_config
from spoken_digits.data.loading import Dataset
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.guests import NOBODY, Guests
from spoken_digits.training.plan import Plan, read_plan
from spoken_digits.training.planned import (
    add_voices,
    choose_voices,
    row_name,
    training_digest,
    with_spoken,
)


def add_voices_options(parser: argparse.ArgumentParser) -> None:
    """Options --voices, --no-voices and --spoken, which `study_plan` reads."""
    voices = parser.add_mutually_exclusive_group()
    voices.add_argument(
        "--voices",
        action=argparse.BooleanOptionalAction,
        help="train on extra voices too, or not; default: as params.yaml says",
    )
    voices.add_argument(
        "--spoken", action="store_true", help="train on synthesised voices too (spoken_voices)"
    )


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """A training of a study."""

    plan: Plan
    guests_until: int | None
    """The last epoch in which extra voices train; None: all of them."""

    @property
    def name(self) -> str:
        """The row that it makes: with extra voices it is one of its own."""
        return row_name(self.plan)

    def digest(self, corpus: Dataset) -> str:
        """What is trained: the plan, which names the extra voices, and the clips of the corpus."""
        more = [] if self.guests_until is None else [self.guests_until]
        return training_digest(self.plan, corpus, *more)

    def train(self, corpus: Dataset, data: Path) -> tuple[Dataset, TrainedModel]:
        """The clips with extra voices among them, and the model that was trained on them."""
        grown = add_voices(corpus, data, self.plan)
        guests = NOBODY
        if self.guests_until is not None:
            n_guests = len(grown.rows["train"]) - len(corpus.rows["train"])
            guests = Guests(n=n_guests, until=self.guests_until)
        return grown, train_model(grown, self.plan, guests=guests)


def study_plan(arguments: argparse.Namespace, data: Path, params: Path) -> StudyPlan:
    """The plan of a model, with the seed and the voices that the command line names.

    Parameters
    ----------
    arguments
        Has model and seed, and the options of `add_voices_options`.
    data
        Folder with plans/ and voices/ as the stages make them.
    params
        params.yaml.
    """
    plan = read_plan(data / "plans", arguments.model, params)
    plan = dataclasses.replace(plan, seed=arguments.seed)
    if not arguments.spoken:
        return StudyPlan(plan=choose_voices(plan, arguments.voices), guests_until=None)
    spoken = read_config(params).section("studies", StudyParams).with_spoken
    return StudyPlan(
        plan=with_spoken(plan, data, spoken.epochs),
        guests_until=spoken.epochs - spoken.recordings_alone,
    )
