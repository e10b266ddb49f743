"""`torchrun --nproc-per-node 2 stages/train.py`, compared with one process."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from recordings import PATTERN, write_recordings
from workspace import Workspace

TORCHRUN = ("torchrun", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("distributed")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings", takes=8), PATTERN)
    workspace.change(lambda params: params["train"].update(epochs=12))
    for stage in (["download"], ["feature_extract", "mfcc"], ["split"], ["plan"]):
        workspace.stage(*stage)
    return workspace


def curve(workspace: Workspace) -> np.ndarray:
    with (workspace.folder / "plots/curves/lstm.csv").open() as file:
        return np.array([list(map(float, row[:6])) for row in list(csv.reader(file))[1:]])


def test_two_processes_learn_the_same_as_one(workspace):
    workspace.stage("train", "lstm")
    alone = curve(workspace)
    result = workspace.run(*TORCHRUN, "stages/train.py", "lstm")
    assert result.stdout.count("lstm: ") == 1  # one process alone reports
    together = curve(workspace)
    assert together.shape == alone.shape
    np.testing.assert_array_equal(together[:, 5], alone[:, 5])  # as many steps: same schedule
    assert alone[:, 4].max() > 0.9
    assert together[:, 4].max() > 0.9
    assert not list((workspace.folder / ".resume").glob("*.pt"))


@pytest.mark.exhaustive
def test_two_processes_give_the_same_bytes_again(workspace):
    model = workspace.folder / "models/lstm.safetensors"
    workspace.run(*TORCHRUN, "stages/train.py", "lstm")
    first = model.read_bytes()
    workspace.run(*TORCHRUN, "stages/train.py", "lstm")
    assert model.read_bytes() == first
