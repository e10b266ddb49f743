"""Trainings without one step of the augmentation: who is tested, and what is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from recordings import PATTERN, write_recordings
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


def test_speakers_of_inner_folds_are_tested_under_every_seed(workspace):
    done = workspace.stage("ablate", "noise")
    assert "metrics/ablation.json is not written: studies/ablation lacks nothing" in done.stdout
    table = pd.read_csv(workspace.folder / "studies/ablation/noise.csv", dtype=str)
    assert list(table.columns) == ["utterance", "speaker", "actual", "seed", "training", "float32"]
    tested = list(dict.fromkeys(zip(table["speaker"], table["seed"], strict=True)))
    first, second = (speaker for speaker, seed in tested if seed == "1")
    assert first != second
    assert tested == [(first, "1"), (first, "2"), (second, "1"), (second, "2")]
    assert not table.duplicated(["utterance", "seed"]).any()


def test_as_soon_as_every_step_is_there_the_losses_are_written(workspace):
    workspace.stage("ablate", "noise", "nothing")
    figures = json.loads((workspace.folder / "metrics/ablation.json").read_text())
    assert figures.keys() == {"nothing", "noise"}
    assert figures["nothing"]["loss"] == 0
    assert figures["noise"]["trainings"] == 4
    assert figures["noise"]["model"] == "tiny"
    # Nothing is trained again.
    table = workspace.folder / "studies/ablation/noise.csv"
    before = table.stat().st_mtime_ns
    workspace.stage("ablate")
    assert table.stat().st_mtime_ns == before
    # Another recipe is: that of this step alone.
    (workspace.folder / "metrics/ablation.json").unlink()
    steps = {"nothing": {}, "noise": {"noise_snr_db": [90, 90]}}
    workspace.change(lambda params: params["studies"]["ablation"].update(steps=steps))
    done = workspace.stage("ablate", "nothing")
    assert "studies/ablation lacks noise" in done.stdout
    workspace.stage("ablate")
    assert table.stat().st_mtime_ns != before
    assert (workspace.folder / "metrics/ablation.json").exists()


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
