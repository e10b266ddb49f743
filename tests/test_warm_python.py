"""What the forks of warm_python compute and how they end is as in processes of their own."""

from __future__ import annotations

import signal

import pytest
from recordings import PATTERN, write_recordings
from workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("warm")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    for stage in (["download"], ["feature_extract", "mfcc"], ["split"], ["plan"]):
        workspace.stage(*stage)
    return workspace


def test_a_model_has_the_same_bytes(workspace):
    model = workspace.folder / "models/lstm.safetensors"
    workspace.stage("train", "lstm")
    warm = model.read_bytes()
    workspace.stage("train", "lstm", afresh=True)
    assert model.read_bytes() == warm


REPORT = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["ASKED"], __name__, "torch" in sys.modules)
print("to stderr", file=sys.stderr)
sys.exit(sys.stdin.read() or 7)
"""


def test_arguments_streams_and_the_exit_status_are_passed_on(workspace):
    (workspace.folder / "report.py").write_text(REPORT)
    command = ("python", "report.py", "a b", "--c")
    done = workspace.run(*command, extra={"ASKED": "yes"}, check=False)
    assert done.stdout == f"['a b', '--c'] {workspace.folder} yes __main__ True\n"
    assert done.stderr == "to stderr\n"
    assert done.returncode == 7
    cold = workspace.run(*command, extra={"ASKED": "yes"}, check=False, afresh=True)
    assert cold.stdout == done.stdout.replace("True", "False")
    assert (cold.stderr, cold.returncode) == (done.stderr, done.returncode)


def test_options_modules_and_deaths_are_those_of_python(workspace):
    assert workspace.run("python", "-c", "print(6 * 7)").stdout == "42\n"
    assert workspace.run("python", "-m", "calendar", "2026", "11").stdout.split()[0] == "November"
    (workspace.folder / "die.py").write_text("import os; os.kill(os.getpid(), 9)")
    assert workspace.run("python", "die.py", check=False).returncode == -signal.SIGKILL
    (workspace.folder / "fail.py").write_text("raise ValueError('on purpose')")
    failed = workspace.run("python", "fail.py", check=False)
    assert failed.returncode == 1
    assert failed.stderr.endswith("ValueError: on purpose\n")
