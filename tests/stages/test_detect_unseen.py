"""Stage `detect_unseen` where the archives that it needs are not in reach."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import REPOSITORY

STORES = ("voices/train", "other_speech/train", "other_speech/test")


def run(folder: Path) -> str:
    script = str(REPOSITORY / "stages/detect_unseen.py")
    command = [sys.executable, script, "tiny_open", "int8", "--fold", "0", "--seed", "42"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("missing", STORES)
def test_what_is_recorded_stays(missing, tmp_path):
    for store in STORES:
        (tmp_path / "data" / store).mkdir(parents=True)
        if store != missing:
            (tmp_path / "data" / store / "provenance.json").write_text("{}")
    path = tmp_path / "studies/detection/tiny_open.int8-0-42.json"
    assert f"data/{missing} is empty, what is recorded stays" in run(tmp_path)
    assert json.loads(path.read_text()) == {}
    path.write_text('{"threshold": 0.5}\n')
    run(tmp_path)
    assert path.read_text() == '{"threshold": 0.5}\n'
