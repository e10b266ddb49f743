"""A non-default front-end works from features to exported C."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from recordings import PATTERN, write_recordings
from workspace import Workspace

from spoken_digits.embedded import boards

OTHER = {"n_frames": 120, "n_mels": 24, "hop_length": 100, "n_mfcc": 10, "lifter": 12}


def choose(params: dict[str, Any]) -> None:
    params["features"]["mfcc_int"] |= OTHER
    params["variants"]["lstm_36kb"]["train"] = {"epochs": 1}


@pytest.mark.exhaustive
@pytest.mark.pipeline
def test_another_specification_trains_quantizes_proves_and_exports(tmp_path):
    workspace = Workspace(tmp_path / "checkout")
    workspace.shrink(write_recordings(tmp_path / "recordings"), PATTERN)
    workspace.change(choose)
    workspace.stage("download")
    workspace.stage("split")
    workspace.stage("plan")
    workspace.stage("feature_extract", "mfcc_int")
    workspace.stage("train", "lstm_36kb")
    workspace.stage("evaluate", "lstm_36kb")
    workspace.stage("quantize", "lstm_36kb", "int8")
    measured = workspace.stage("measure", "lstm_36kb", "int8").stdout
    workspace.stage("other_speech")
    workspace.stage("detect", "lstm_36kb", "int8")
    workspace.stage("export", "lstm_36kb", "int8")
    export = workspace.folder / "export/lstm_36kb.int8"
    assert "_N_FRAMES 120u" in (export / "src/sd_lstm_36kb_int8_frontend.h").read_text()
    if shutil.which("make"):
        subprocess.run(["make", "check"], cwd=export, capture_output=True, check=True)
    if not boards.missing_tools():
        assert ": 0 mismatches on" in measured
        assert "\n0 mismatches in " in workspace.stage("prove", "--clips", "3").stdout


@pytest.mark.pipeline
def test_an_impossible_specification_is_refused_before_any_work(tmp_path):
    workspace = Workspace(tmp_path / "checkout")
    workspace.change(lambda params: params["features"]["mfcc_int"].update(n_mels=41))
    refused = workspace.stage("feature_extract", "mfcc_int", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "error: params.yaml: `features.mfcc_int.n_mels` is 41, must be a whole number from 4 to 40"
    )
