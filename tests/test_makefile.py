"""`make` with and without a corpus in reach, with stand-ins for the commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from recordings import REPOSITORY

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

DVC = """#!/bin/sh
echo "dvc $*" >> calls
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
    (binaries / "dvc").write_text(DVC)
    for name in ("python", "dvc"):
        (binaries / name).chmod(0o755)
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
    assert (checkout / "calls").read_text() == "dvc repro\n"


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


STUDIES = """#!/bin/sh
case "$*" in
  "stage list"*) printf 'studies/dvc.yaml:%s\\n' train@a train@bad train@c summarise;;
  *) echo "dvc $*" >> calls;;
esac
case "$*" in *train@bad) exit 255;; "repro studies/dvc.yaml") exit $DVC_STATUS;; esac
"""


@pytest.mark.parametrize("dvc", [0, 1])
def test_a_study_that_fails_does_not_stop_the_others(checkout, dvc):
    (checkout / ".venv" / "bin" / "dvc").write_text(STUDIES)
    result = make(checkout, check=0, dvc=dvc, goal="crossval")
    assert (result.returncode == 0) == (dvc == 0)
    assert "trying those again" in result.stdout
    first, *trained, last = (checkout / "calls").read_text().splitlines()
    assert (first, last) == ("dvc repro", "dvc repro studies/dvc.yaml")
    one = "dvc --wait-for-lock repro --single-item studies/dvc.yaml:train@"
    assert sorted(trained) == [one + name for name in ("a", "bad", "c")]
