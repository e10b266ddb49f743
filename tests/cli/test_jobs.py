"""Several stages at a time, with a small pipeline of DVC's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spoken_digits.cli import jobs

DOT = """strict digraph {
"download";
"train@a";
"alone";
"studies/dvc.yaml:repeat@a-42";
"download" -> "train@a";
"train@a" -> "evaluate@a";
"train@a" -> "studies/dvc.yaml:repeat@a-42";
}
"""
# Each of two stages waits until the other has begun: one after the other they would fail.
TOGETHER = """import pathlib, sys, time
own, other = sys.argv[1:]
pathlib.Path(own + ".begun").touch()
end = time.monotonic() + 60
while not pathlib.Path(other + ".begun").exists():
    assert time.monotonic() < end, "alone"
    time.sleep(0.05)
print("said by", own)
pathlib.Path(own).write_text(pathlib.Path("first").read_text())
"""
PIPELINE = """stages:
  last: {cmd: cat left right > last, deps: [left, right], outs: [last]}
  left: {cmd: python together.py left right, deps: [first], outs: [left]}
  right: {cmd: python together.py right left, deps: [first], outs: [right]}
  first: {cmd: cat source > first, deps: [source], outs: [first]}
"""


def test_what_depends_on_a_change_may_have_to_run():
    graph = jobs.read_graph(DOT)
    assert graph["evaluate@a"] == {"train@a"}
    assert jobs.stages_of(graph, "dvc.yaml") == ["download", "train@a", "alone", "evaluate@a"]
    (study,) = jobs.stages_of(graph, "studies/dvc.yaml")
    everything = jobs.stages_of(graph, "dvc.yaml")
    after_train = {"train@a": set(), "evaluate@a": {"train@a"}}
    assert jobs.pending(graph, ["train@a"], everything) == after_train
    assert jobs.pending(graph, ["train@a"], ["download", "alone"]) == {}
    assert jobs.pending(graph, ["download"], [study]) == {
        "download": set(),
        "train@a": {"download"},
        study: {"train@a"},
    }


@pytest.fixture
def pipeline(tmp_path, monkeypatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "together.py").write_text(TOGETHER)
    (tmp_path / "source").write_text("x")
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], check=True)
    return tmp_path


def test_stages_run_together_and_once(pipeline, capfd):
    # What will run is known before anything that it reads is there.
    assert list(jobs.todo(["left"])) == ["first", "left"]
    assert set(jobs.todo([])) == {"first", "left", "right", "last"}
    jobs.repro([], 2)
    assert jobs.todo([]) == {}
    assert (pipeline / "last").read_text() == "xx"
    out = capfd.readouterr().out
    assert "said by left" in out
    assert out.count(" of 4] ") == 4
    assert "up to date" in out
    jobs.repro([], 2)
    assert " of " not in capfd.readouterr().out


def test_a_failure_stops_only_what_depends_on_it(pipeline, capfd):
    text = PIPELINE.replace("left right, deps", "left right; exit 3, deps", 1)
    (pipeline / "dvc.yaml").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        jobs.repro([], 2)
    assert stopped.value.code == 1
    assert (pipeline / "right").exists()
    assert not (pipeline / "last").exists()
    assert "failed: left; 1 stage(s) that depend on that" in capfd.readouterr().err
