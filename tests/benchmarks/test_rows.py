"""The rows of features and training can be measured on a tiny corpus; speed is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import extraction
import prediction
import pytest
import torch
import training
from damaged import MODELS, write_damaged
from recordings import PATTERN, write_recordings
from reference_loop import Mfccs, ReferenceLstm, train
from workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("benchmarks")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings", sample_rate=48000), PATTERN)
    kinds = [["feature_extract", kind] for kind in ("mfcc", "spectrogram")]
    for stage in (["download"], *kinds, ["split"]):
        workspace.stage(*stage)
    return workspace


@pytest.mark.exhaustive
def test_features_against_librosa(workspace, monkeypatch):
    monkeypatch.setattr(extraction, "N_REFERENCE", 30)
    monkeypatch.setattr(extraction, "FEWER", (12, 10**6))
    rows = extraction.rows(workspace.folder / "data", workspace.folder / "params.yaml")
    assert [row["name"] for row in rows] == ["features_spectrogram", "features_mfcc"]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["reference_s"] / row["ours_s"], abs=0.006)
        assert row["peak_rss_mib"] > 20
        assert [point["clips"] for point in row["growth"]] == [12, 48]


def test_the_reference_has_the_shapes_of_ours(workspace):
    recording = next(Path(workspace.folder.parent, "recordings").rglob("*.wav"))
    assert extraction.spectrogram(recording).shape == (1025, 32)
    assert len(extraction.mfcc(recording)) == 13


def test_the_reference_reads_every_clip_twice_an_epoch(workspace):
    files = sorted(Path(workspace.folder.parent, "recordings").rglob("*.wav"))[:4]
    read = []

    class Counting(Mfccs):
        def __call__(self, file: Path) -> torch.Tensor:
            read.append(file)
            return super().__call__(file)

    clips = {"train": (files, [0, 1, 2, 3])}
    seconds = list(train(ReferenceLstm(), Counting(), clips, 2, torch.device("cpu")))
    assert min(seconds) > 0
    assert sorted(read) == sorted(files * 4)


@pytest.mark.exhaustive
def test_predictions_of_one_recording_and_of_a_folder(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(prediction, "ONCE", 1)
    monkeypatch.setattr(prediction, "MANY", 1)
    write_damaged(tmp_path / "a.safetensors", MODELS["int8"](), lambda *_: None)
    recordings = workspace.folder.parent / "recordings"
    rows = prediction.rows(recordings, tmp_path, ["a"])
    assert [row["name"] for row in rows] == ["predict_1_a", "predict_48_a"]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["reference_s"] / row["ours_s"], abs=0.006)
        assert row["peak_rss_mib"] > 20


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("what", "model", "key"),
    [
        ("step", "cnn", "precision"),
        ("compiled", "cnn", "precision"),
        ("reference", "cnn", "seconds"),
        ("epoch", "cnn", "input_share"),
        ("reference_epoch", "lstm", "how"),
        ("floor", "cnn", "how"),
        ("own_step", "lstm", "precision"),
    ],
)
def test_training_is_measured(workspace, monkeypatch, what, model, key):
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")  # compiling takes a minute
    printed = workspace.run("python", "benchmarks/training.py", what, model).stdout
    answer = json.loads(printed.splitlines()[-1])
    assert answer["seconds"] > 0
    assert answer["peak_rss_mib"] > 50
    assert key in answer


def test_portable_training_is_measured_beside_fast(workspace, monkeypatch):
    called = []

    def call(what, model, data, *options):
        called.append((what, model, *options))
        return {"seconds": len(called) / 4, "precision": "float32"}

    monkeypatch.setattr(training, "_call", call)
    row = training.portable_row("lstm")
    assert (row["name"], row["ours_s"], row["reference_s"]) == ("portable_lstm", 0.25, 0.5)
    assert called == [
        ("own_step", "lstm", "--arithmetic", arithmetic) for arithmetic in ("portable", "fast")
    ]
