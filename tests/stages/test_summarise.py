"""The studies' figures name their corpus, and no speaker is tested twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from recordings import REPOSITORY

STUDIES = {"models": ["small"], "seeds": [1, 2], "folds": [0, 1]}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Predictions of one model: right on both clips under seed 1, on one of them elsewhere."""
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"studies": STUDIES}))
    corpus = {"corpus": "espeak", "version": "1", "synthetic": True}
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/provenance.json").write_text(json.dumps(corpus))
    write(tmp_path, "random/small-0-1", "ann", "yes,no")
    write(tmp_path, "random/small-0-2", "ann", "yes,yes")
    write(tmp_path, "speaker/small-0-1", "ann", "yes,yes")
    write(tmp_path, "speaker/small-1-1", "bo", "yes,yes")
    return tmp_path


def write(folder: Path, name: str, speaker: str, predicted: str) -> None:
    path = folder / f"studies/predictions/{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    first, second = predicted.split(",")
    rows = [
        "utterance,speaker,actual,float32",
        f"a,{speaker},yes,{first}",
        f"b,{speaker},no,{second}",
    ]
    path.write_text("\n".join(rows) + "\n")


def summarise(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "stages/summarise.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_figures_name_their_corpus(folder):
    done = summarise(folder)
    assert done.returncode == 0, done.stderr
    seeds = json.loads((folder / "metrics/seeds.json").read_text())["small"]
    speakers = json.loads((folder / "metrics/speakers.json").read_text())["small"]
    assert seeds["values"] == [1.0, 0.5]
    assert seeds["seeds"] == [1, 2]
    assert speakers["speakers"] == ["ann", "bo"]
    assert seeds["corpus"] == speakers["corpus"] == "espeak 1, synthetic speech"


def test_a_speaker_tested_twice_is_refused(folder):
    write(folder, "speaker/small-1-1", "ann", "yes,yes")
    done = summarise(folder)
    assert done.returncode == 1
    assert "a speaker is tested in two folds" in done.stderr
