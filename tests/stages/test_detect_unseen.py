"""Stage `detect_unseen` where the archives that it needs are not in reach."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import warm_python
from recordings import REPOSITORY

STORES = ("voices/train", "other_speech/train", "other_speech/test")


def run(folder: Path) -> str:
    script = str(REPOSITORY / "stages/detect_unseen.py")
    command = [warm_python.python(), script, "tiny_open", "int8", "--fold", "0", "--seed", "42"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def checkout(folder: Path, missing: str) -> Path:
    """Where one of the stores is empty; returns the path of the run."""
    for store in STORES:
        (folder / "data" / store).mkdir(parents=True)
        if store != missing:
            (folder / "data" / store / "provenance.json").write_text("{}")
    return folder / "studies/detection/tiny_open.int8-0-42.json"


def test_without_voices_there_is_no_run(tmp_path):
    path = checkout(tmp_path, "voices/train")
    assert "data/voices/train is empty, what is recorded stays" in run(tmp_path)
    assert json.loads(path.read_text()) == {}


def test_without_other_speech_what_is_recorded_stays(tmp_path):
    path = checkout(tmp_path, "other_speech/test")
    path.parent.mkdir(parents=True)
    path.write_text('{"threshold": 0.5}\n')
    assert "data/other_speech/test is empty, what is recorded stays" in run(tmp_path)
    assert path.read_text() == '{"threshold": 0.5}\n'
