"""`make` with and without a corpus in reach, with stand-ins for the commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from recordings import REPOSITORY

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

NOTED = """#!/bin/sh
echo "${0##*/} $*" >> calls
case "$*" in *corpus.name=synthetic*) sed -i s/fsdd/synthetic/ params.yaml;; esac
exit $DVC_STATUS
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile beside an environment that looks complete."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / "params.yaml").write_text("corpus:\n  name: fsdd\n")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text("#!/bin/sh\nexit $CHECK_STATUS\n")
    for name in ("dvc", "spoken-digits"):
        (binaries / name).write_text(NOTED)
    for file in binaries.iterdir():
        file.chmod(0o755)
    (tmp_path / ".venv" / ".complete").touch()
    return tmp_path


def make(
    checkout: Path, check: int, dvc: int = 0, goal: str = "run"
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHECK_STATUS": str(check), "DVC_STATUS": str(dvc)}
    return subprocess.run(
        ["make", goal], cwd=checkout, env=environment, capture_output=True, text=True
    )


def test_it_runs_the_pipeline_on_the_corpus_of_params_yaml(checkout):
    assert make(checkout, check=0).returncode == 0
    assert (checkout / "calls").read_text() == "spoken-digits run\n"


@pytest.mark.parametrize("dvc", [0, 1])
def test_a_missing_corpus_is_reported_and_params_yaml_is_kept(checkout, dvc):
    before = (checkout / "params.yaml").read_text()
    result = make(checkout, check=3, dvc=dvc)
    assert (result.returncode == 0) == (dvc == 0)
    assert "running on synthetic speech instead" in result.stdout
    assert (checkout / "calls").read_text() == "dvc exp run -S corpus.name=synthetic\n"
    assert (checkout / "params.yaml").read_text() == before


def test_any_other_fault_of_the_check_stops_it(checkout):
    assert make(checkout, check=1).returncode != 0
    assert not (checkout / "calls").exists()


@pytest.mark.parametrize("failing", [0, 1])
def test_studies_follow_the_pipeline_that_they_study(checkout, failing):
    result = make(checkout, check=0, dvc=failing, goal="crossval")
    assert (result.returncode == 0) == (failing == 0)
    first, *more = (checkout / "calls").read_text().splitlines()
    assert (first, more) == (
        "spoken-digits run",
        [] if failing else ["spoken-digits run --studies"],
    )


def test_the_ablation_is_a_pipeline_of_its_own(checkout):
    assert make(checkout, check=0, goal="ablation").returncode == 0
    assert (checkout / "calls").read_text() == "spoken-digits run --ablation\n"
