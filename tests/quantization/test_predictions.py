"""Predictions of the studies where the archive of voices is not in reach."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from spoken_digits.config import Config
from spoken_digits.io.files import write_csv
from spoken_digits.quantization import expected
from spoken_digits.quantization.predictions import leave_predictions
from spoken_digits.training.plan import Plan
from spoken_digits.training.planned import training_digest

HEADER = "utterance,speaker,actual,training,float32\n"


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("same", "the recorded predictions stay"),
        ("older", "there are no predictions of this training"),
        (None, "there are no predictions of this training"),
    ],
)
def test_only_predictions_of_the_same_training_stay(recorded, said, tmp_path, capsys):
    path = tmp_path / "tiny-0-42.csv"
    if recorded:
        write_csv(path, HEADER.strip().split(","), [("0_sc01_0", "sc01", "0", recorded, "7")])
    before = path.read_text() if recorded else ""
    leave_predictions(path, "same", Path("data/voices/strangers"))
    assert path.read_text() == (before if recorded == "same" else HEADER)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_folds_are_those_that_the_authors_published():
    names = [f"{number:02}" for number in range(60)]
    dataset = SimpleNamespace(heard=lambda subset: names, speakers=names)
    assert expected.n_folds(dataset, [names[k::5] for k in range(5)]) == 5
    assert expected.n_folds(dataset, None) == expected.MOST_FOLDS


def test_how_a_network_is_quantized_decides_what_to_expect_of_it(default_params):
    made = expected.quantizations(Config(default_params), "lstm_36kb")
    assert set(made) == {"int8", "pow2"}
    default_params["quantize"]["pow2"]["epochs"] += 1
    again = expected.quantizations(Config(default_params), "lstm_36kb")
    assert again["int8"] == made["int8"]
    assert again["pow2"]["epochs"] == made["pow2"]["epochs"] + 1
    del default_params["quantize"]["networks"]["lstm_36kb-int8"]
    assert set(expected.quantizations(Config(default_params), "lstm_36kb")) == {"pow2"}


def test_the_digest_tells_trainings_apart():
    def digest(seed: int, voices: str | None, fingerprint: str) -> str:
        nothing = {field.name: None for field in dataclasses.fields(Plan)}
        plan = Plan(**{**nothing, "seed": seed, "voices": voices})
        corpus = type("Corpus", (), {"fingerprint": fingerprint})
        return training_digest(plan, corpus)

    others = [digest(43, None, "a"), digest(42, "v", "a"), digest(42, None, "b")]
    assert len({digest(42, None, "a"), *others}) == 4
    assert digest(42, None, "a") == digest(42, None, "a")
