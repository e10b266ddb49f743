"""Every stage answers --help, refuses what it does not know, and then does nothing."""

from __future__ import annotations

import runpy
import signal
import sys

import pytest
from recordings import REPOSITORY

STAGES = sorted(path.stem for path in (REPOSITORY / "stages").glob("*.py"))


@pytest.fixture
def call(tmp_path, monkeypatch):
    """A stage as a script in an empty folder, its status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(stage: str, *arguments: str) -> int:
        path = str(REPOSITORY / "stages" / f"{stage}.py")
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        with pytest.raises(SystemExit) as done:
            runpy.run_path(path, run_name="__main__")
        assert list(tmp_path.iterdir()) == []
        return done.value.code

    return run


@pytest.mark.parametrize("stage", STAGES)
def test_help_says_how_to_call_a_stage_and_does_nothing(stage, call, capsys):
    assert call(stage, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: {stage}.py [-h]")
    assert call(stage, "--frobnicate") == 2
    assert f"usage: {stage}.py" in capsys.readouterr().err


def test_the_help_of_a_stage_without_arguments_is_its_contract(call, capsys):
    call("split", "--help")
    assert "Writes  data/split.csv\n        metrics/corpus.json" in capsys.readouterr().out
