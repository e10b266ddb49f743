"""Trainings without one step of the augmentation: who is tested, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from recordings import PATTERN, REPOSITORY, write_recordings
from workspace import Workspace

ABLATION = {
    "model": "tiny",
    "folds": [{"tested": 1, "without": 3}, {"tested": 3, "without": 1}],
    "seeds": [1, 2],
    "steps": {"nothing": {}, "noise": {"noise_snr_db": [100, 100]}},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Four speakers in four folds."""
    folder = tmp_path_factory.mktemp("ablate")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)

    def edit(params: dict) -> None:
        params["split"]["n_folds"] = 4
        params["variants"]["tiny"]["train"]["epochs"] = 1
        params["studies"]["ablation"] = ABLATION

    workspace.change(edit)
    for stage in (["download"], ["feature_extract", "log_mel"], ["split"], ["plan"]):
        workspace.stage(*stage)
    return workspace


@pytest.fixture(scope="module")
def table(workspace) -> Path:
    """The predictions of one step."""
    workspace.stage("ablate", "noise")
    return workspace.folder / "studies/ablation/predictions/noise.csv"


def test_speakers_of_inner_folds_are_tested_under_every_seed(table):
    rows = pd.read_csv(table, dtype=str)
    assert list(rows.columns) == ["utterance", "speaker", "actual", "seed", "float32"]
    tested = list(dict.fromkeys(zip(rows["speaker"], rows["seed"], strict=True)))
    first, second = (speaker for speaker, seed in tested if seed == "1")
    assert first != second
    assert tested == [(first, "1"), (first, "2"), (second, "1"), (second, "2")]
    assert not rows.duplicated(["utterance", "seed"]).any()


def test_the_losses_are_those_of_all_steps(workspace, table):
    done = workspace.stage("summarise_ablation", check=False)
    assert done.returncode == 1
    assert "nothing.csv is not there: make it with `dvc repro " in done.stderr
    assert not (workspace.folder / "metrics/ablation.json").exists()
    # The same predictions: nothing is lost.
    table.with_name("nothing.csv").write_bytes(table.read_bytes())
    assert "tiny without noise: " in workspace.stage("summarise_ablation").stdout
    picture = (workspace.folder / "plots/ablation.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    figures = json.loads((workspace.folder / "metrics/ablation.json").read_text())
    assert figures.keys() == {"nothing", "noise"}
    assert figures["nothing"]["loss"] == figures["noise"]["loss"] == 0
    assert figures["noise"]["trainings"] == 4
    assert figures["noise"]["model"] == "tiny"
    assert figures["noise"]["corpus"] == figures["nothing"]["corpus"]


INNER = """
import sys
sys.path.insert(0, "stages")
import ablate
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.evaluation.study_params import InnerFold
split = ablate.inner_split(
    read_config(ablate.PARAMS),
    load_dataset(ablate.DATA, "log_mel"),
    InnerFold(tested=1, without=3),
)
for subset in ("train", "val", "test"):
    print(subset, *sorted({split.speakers[row] for row in split.rows[subset]}))
"""


def test_the_speaker_left_out_is_in_no_subset(workspace):
    said = workspace.run("python", "-c", INNER, afresh=True).stdout
    subsets = {line.split()[0]: set(line.split()[1:]) for line in said.splitlines()}
    assert len(subsets["train"]) == 2  # of four speakers
    assert len(subsets["test"]) == 1
    assert subsets["train"].isdisjoint(subsets["test"])
    assert not subsets["val"]


def test_a_step_depends_on_its_own_values_alone():
    """DVC tracks the values of a step, not the whole section."""
    stages = yaml.safe_load((REPOSITORY / "studies/ablation/dvc.yaml").read_text())["stages"]
    params = stages["ablate"]["do"]["params"]
    assert set(params) == {
        "split",
        *(f"studies.ablation.{key}" for key in ("folds", "seeds", "steps.${key}")),
    }
    assert stages["ablate"]["foreach"] == "${studies.ablation.steps}"


def refused(workspace: Workspace) -> str:
    done = workspace.stage("ablate", "nois", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_step_that_cannot_be_left_out_is_one_line(workspace):
    line = refused(workspace)
    assert "no step 'nois' in `studies.ablation.steps`; did you mean `noise`?" in line
    workspace.change(lambda params: params["studies"]["ablation"]["steps"].update(nois={"nois": 1}))
    assert "unknown key `studies.ablation.steps.nois.nois`" in refused(workspace)
