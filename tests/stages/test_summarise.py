"""The figures of the studies name their corpus, and what has no predictions stays as recorded."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest
import warm_python
import yaml
from recordings import REPOSITORY

EMPTY = "utterance,speaker,actual,training,float32\n"
STUDIES = {
    "models": ["small"],
    "validation": {"small": "held_out"},
    "seeds": [1, 2],
    "official": {"models": ["small"], "seeds": [1, 2]},
    "folds": [0, 1],
    "speaker_seeds": [1],
    "again": {"models": ["small"], "seeds": [2]},
    "with_voices": {"models": ["small"], "seeds": [1, 2]},
    "with_spoken": {"models": ["small"], "seeds": [1, 2], "epochs": 3, "recordings_alone": 1},
    "strangers": {"models": ["small"], "seeds": [1, 2]},
    "detection": {"models": [], "seeds": [1]},
    "ablation": {
        "model": "small",
        "folds": [{"tested": 0, "without": 1}],
        "seeds": [1],
        "steps": {"nothing": {}, "noise": {"noise_snr_db": [100, 100]}},
    },
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Predictions of one model: right on both clips, but on one of bo's under seed 2."""
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"studies": STUDIES}))
    corpus = {"corpus": "espeak", "version": "1", "synthetic": True}
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/provenance.json").write_text(json.dumps(corpus))
    write(tmp_path, "random/small-0-1", "ann", "yes,no")
    write(tmp_path, "random/small-0-2", "ann", "yes,yes")
    write(tmp_path, "official/small-0-1", "ann", "yes,no")
    write(tmp_path, "official/small-0-2", "ann", "no,yes")
    write_speakers(tmp_path, "small")
    return tmp_path


def write(folder: Path, name: str, speaker: str, predicted: str, chooser: str = "") -> None:
    path = folder / f"studies/predictions/{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    first, second = predicted.split(",")
    rows = [
        "utterance,speaker,actual,chosen_by,float32",
        f"a,{speaker},yes,{chooser},{first}",
        f"b,{speaker},no,{chooser},{second}",
    ]
    path.write_text("\n".join(rows) + "\n")


def write_speakers(folder: Path, model: str) -> None:
    for seed in (1, 2):
        write(folder, f"speaker/{model}-0-{seed}", "ann", "yes,no", chooser="bo")
        write(folder, f"speaker/{model}-1-{seed}", "bo", "yes,no" if seed == 1 else "yes,yes")


def summarise(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [warm_python.python(), str(REPOSITORY / "stages/summarise.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def made(folder: Path, name: str) -> dict:
    done = summarise(folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"metrics/{name}.json").read_text())


def test_figures_name_their_corpus(folder):
    seeds = made(folder, "seeds")["small"]
    unseen = json.loads((folder / "metrics/crossval.json").read_text())["small"]
    shown = json.loads((folder / "metrics/unheard/small.json").read_text())
    assert shown["accuracy"] == round(unseen["mean"], 4)
    assert shown["low"] == round(unseen["accuracy_ci_low"], 4)
    assert seeds["values"] == [1.0, 0.5]
    assert seeds["seeds"] == unseen["seeds"] == [1, 2]
    assert (unseen["mean"], unseen["worst"], unseen["worst_speaker"]) == (0.875, 0.75, "bo")
    assert unseen["per_speaker"]["ann"]["chosen_by"] == "bo"
    assert unseen["per_speaker"]["bo"]["chosen_by"] == ""
    official = json.loads((folder / "metrics/official.json").read_text())["small"]
    assert (official["values"], official["seeds"]) == ([1.0, 0.0], [1, 2])
    assert seeds["corpus"] == unseen["corpus"] == official["corpus"] == "espeak 1, synthetic speech"


def test_a_dot_is_drawn_for_every_speaker_and_seed(folder):
    made(folder, "crossval")
    with (folder / "plots/crossval/speakers.csv").open() as file:
        rows = [(r["model"], r["speaker"], r["seed"], r["accuracy"]) for r in csv.DictReader(file)]
    assert rows == [
        ("small", "ann", "1", "1.0"),
        ("small", "ann", "2", "1.0"),
        ("small", "bo", "1", "1.0"),
        ("small", "bo", "2", "0.5"),
    ]
    picture = (folder / "plots/crossval/speakers.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    made(folder, "crossval")
    assert (folder / "plots/crossval/speakers.png").read_bytes() == picture


def test_a_speaker_tested_twice_is_refused(folder):
    write(folder, "speaker/small-1-2", "ann", "yes,yes")
    done = summarise(folder)
    assert done.returncode == 1
    assert "speaker ann is tested in two folds, 0 and 1 (seed 2)" in done.stderr


def test_models_trained_with_extra_voices_are_rows_of_their_own(folder):
    write_speakers(folder, "small+voices")
    unseen = made(folder, "crossval")
    assert list(unseen) == ["small", "small+voices"]
    assert list(made(folder, "seeds")) == ["small"]
    (folder / "studies/predictions/speaker/small+voices-1-2.csv").unlink()
    done = summarise(folder)
    assert done.returncode == 1
    assert "small+voices-1-2.csv is missing: make it with `make crossval`" in done.stderr


def test_extra_voices_that_were_not_at_hand_leave_the_recorded_row(folder):
    write_speakers(folder, "small+voices")
    recorded = made(folder, "crossval")
    for path in (folder / "studies/predictions/speaker").glob("small+voices-*.csv"):
        path.write_text(EMPTY)
    assert made(folder, "crossval") == recorded
    assert "small+voices: trained without the archive of voices" in summarise(folder).stdout


@pytest.mark.parametrize("model", ["small", "small+voices"])
def test_one_run_without_predictions_among_others_is_refused(folder, model):
    write_speakers(folder, model)
    (folder / f"studies/predictions/speaker/{model}-1-2.csv").write_text(EMPTY)
    done = summarise(folder)
    assert done.returncode == 1
    assert f"{model}-1-2.csv holds no predictions, others of {model} do" in done.stderr
    assert not (folder / "metrics/crossval.json").exists()


def test_strangers_are_summarised_under_the_seeds_there_are(folder):
    for seed in (1, 7):
        write(folder, f"strangers/small-0-{seed}", "cy", "yes,no" if seed == 1 else "yes,yes")
    strangers = made(folder, "strangers")["small"]
    assert (strangers["accuracy"], strangers["n"], strangers["seeds"]) == (0.75, 2, [1, 7])
    assert {seed: f["accuracy"] for seed, f in strangers["by_seed"].items()} == {"1": 1, "7": 0.5}


def test_rows_without_predictions_stay_as_recorded_and_this_is_said(folder):
    recorded = {"small.int8": {"accuracy": 0.5}, "small+voices": {}, "gone": {}}
    (folder / "metrics").mkdir()
    (folder / "metrics/strangers.json").write_text(json.dumps(recorded))
    done = summarise(folder)
    assert "no predictions for strangers" in done.stdout
    assert "keeps 2 recorded rows" in done.stdout
    kept = json.loads((folder / "metrics/strangers.json").read_text())
    assert kept == {"small.int8": {"accuracy": 0.5}, "small+voices": {}}


def test_strangers_without_predictions_of_this_training_have_no_row(folder):
    """Stage `strangers` leaves the header alone where the archive is not in reach."""
    path = folder / "studies/predictions/strangers/small-0-1.csv"
    path.parent.mkdir()
    path.write_text("utterance,speaker,actual,training,float32\n")
    done = summarise(folder)
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "metrics/strangers.json").read_text()) == {}
