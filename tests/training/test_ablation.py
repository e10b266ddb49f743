"""Recipes without a step of their augmentation of sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.training.ablation import without_step
from spoken_digits.training.planning import make_plan

CONFIG = read_config(Path(REPOSITORY / "params.yaml"))
STEPS = CONFIG.section("studies", StudyParams).ablation.steps


def recipe(model: str):
    return make_plan(CONFIG, model, "fsdd", 10, None).recipe


def test_a_step_is_left_out_of_the_last_epochs_too():
    whole = recipe("micro")
    left = without_step(whole, {"tempo": 0.0, "equaliser_db": 0.0}, "steps.x")
    assert (left.sound.tempo, left.sound.equaliser_db) == (0.0, 0.0)
    assert left.sound.last_epochs == dataclasses.replace(whole.sound.last_epochs, tempo=0.0)
    back = {"tempo": whole.sound.tempo, "last_epochs": dataclasses.asdict(whole.sound.last_epochs)}
    again = without_step(left, back | {"equaliser_db": whole.sound.equaliser_db}, "steps.x")
    assert again == whole


def test_every_recorded_step_changes_the_recipe_but_one():
    whole = recipe("micro")
    made = {name: without_step(whole, changes, name) for name, changes in STEPS.items()}
    assert made.pop("nothing") == whole
    assert whole not in made.values()
    assert len({repr(one) for one in made.values()}) == len(made)
    # Between them they leave out every step that a recipe draws.
    fixed = {"resampling", "drive", "room", "level_db", "mel_banks", "babble_snr_db"}
    changed = {key for changes in STEPS.values() for key in changes}
    assert changed == {field.name for field in dataclasses.fields(whole.sound)} - fixed


def test_a_recipe_without_varied_sound_has_no_step_to_leave_out():
    with pytest.raises(UserError, match=r"`studies.ablation.model` is trained without"):
        without_step(recipe("cnn"), {"tempo": 0.0}, "steps.x")
