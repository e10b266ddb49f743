"""Several stages at a time, with a small pipeline of DVC's own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm_python

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


def test_an_edit_concerns_the_stages_whose_digests_of_code_differ():
    graph = {"sources": set(), "a": {"sources"}, "b": {"sources"}, "c": {"a", "b"}}
    found = jobs.pending(graph, ["sources", "b"], list(graph))
    assert found == {"sources": set(), "b": {"sources"}, "c": {"b"}}
    assert jobs.pending(graph, ["sources"], list(graph)) == {"sources": set()}


def test_notes_of_dvc_are_no_status():
    printed = "Computing md5 for a large file 'x'.\n" + '{"train@a": [{"changed deps": {}}]}\n'
    assert list(jobs.read_status(printed)) == ["train@a"]
    assert not jobs.read_status("{}\n")


@pytest.fixture
def pipeline(tmp_path, monkeypatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "together.py").write_text(TOGETHER)
    (tmp_path / "source").write_text("x")
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], check=True)
    return tmp_path


def test_stages_run_together_and_once(pipeline, capfd, monkeypatch):
    monkeypatch.setattr(sys, "executable", warm_python.python())
    # What will run is known before anything that it reads is there.
    assert list(jobs.todo(["left"])) == ["first", "left"]
    assert set(jobs.todo([])) == {"first", "left", "right", "last"}
    jobs.repro([], 2)
    assert jobs.todo([]) == {}
    assert (pipeline / "last").read_text() == "xx"
    out = capfd.readouterr().out
    assert "said by left" in out
    assert out.index("left is running") < out.index("right: ")  # said when it begins
    assert out.count(" is running\n") == out.count(" of 4] ") == 4
    assert "up to date" in out
    jobs.repro([], 2)
    out = capfd.readouterr().out
    assert " of " not in out
    assert " is running" not in out


def test_a_failure_stops_only_what_depends_on_it(pipeline, capfd, monkeypatch):
    monkeypatch.setattr(sys, "executable", warm_python.python())
    text = PIPELINE.replace("left right, deps", "left right; exit 3, deps", 1)
    (pipeline / "dvc.yaml").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        jobs.repro([], 2)
    assert stopped.value.code == 1
    assert (pipeline / "right").exists()
    assert not (pipeline / "last").exists()
    assert "failed: left; 1 stage(s) that depend on that" in capfd.readouterr().err


# Runs for minutes unless terminated, and says so.
ENDLESS = """import pathlib, signal, sys, time
def end(*_):
    pathlib.Path(sys.argv[1] + ".ended").touch()
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[1] + ".begun").touch()
time.sleep(300)
"""


@pytest.mark.parametrize(
    "sent", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive)]
)
def test_an_interrupt_ends_the_stages_and_begins_no_other(pipeline, sent):
    (pipeline / "endless.py").write_text(ENDLESS)
    names = ("one", "two", "three")
    stages = [f"  {name}: {{cmd: python endless.py {name}, outs: [{name}]}}" for name in names]
    (pipeline / "dvc.yaml").write_text("\n".join(["stages:", *stages]))
    code = (
        "import signal; from spoken_digits import errors; from spoken_digits.cli import jobs; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored in the background
        "errors.run(lambda: jobs.repro([], 2))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL) as process:
        while len(begun := sorted(pipeline.glob("*.begun"))) < 2 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(sent)
        assert process.wait(timeout=200) == {signal.SIGINT: 1, signal.SIGTERM: 143}[sent]
    assert sorted(pipeline.glob("*.begun")) == begun
    assert [path.with_suffix(".begun") for path in sorted(pipeline.glob("*.ended"))] == begun
