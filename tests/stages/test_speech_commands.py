"""Speech Commands through the stages: real recordings in its layout, a small archive."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soxr
import speech_commands as small
from recordings import REPOSITORY
from workspace import Workspace

from spoken_digits.corpora import archives, speech_commands
from spoken_digits.corpora.speech_commands import ARCHIVE_NAMES

N_FRAMES = 51


@pytest.fixture(scope="module")
def archive(fsdd_pcm, tmp_path_factory) -> Path:
    """Words of FSDD's speakers at 16 kHz, somewhere in one second."""

    def sound(word: str, speaker: int, take: int) -> np.ndarray:
        # FSDD is sorted by digit, speaker and take: every clip is another recording.
        pcm = fsdd_pcm[300 * small.WORDS.index(word) + 50 * (speaker % 6) + speaker // 6 * 2 + take]
        resampled = soxr.resample(pcm.astype(np.float32), 8000, small.SAMPLE_RATE)
        second = np.zeros(small.SAMPLE_RATE, np.int16)
        heard = resampled[: second.size].clip(-32768, 32767).astype(np.int16)
        start = (second.size - heard.size) // 2
        second[start : start + heard.size] = heard
        return second

    folder = tmp_path_factory.mktemp("archives")
    small.write_archive(folder / ARCHIVE_NAMES[0], small.members(sound))
    return folder


def download(workspace: Workspace, archive: Path, words: str, monkeypatch) -> None:
    """Run the stage in this process, where it can be told of the small archive's counts."""

    def edit(params: dict) -> None:
        params["corpus"] |= {"name": "speech_commands", "speech_commands": {"words": words}}
        params["features"]["mfcc"]["n_frames"] = N_FRAMES

    workspace.change(edit)
    spec = importlib.util.spec_from_file_location("download", REPOSITORY / "stages/download.py")
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(archive))
    monkeypatch.setattr(stage, "ROOT", workspace.folder)
    monkeypatch.setattr("sys.argv", ["download.py"])
    told = functools.partial(speech_commands.open_speech_commands, layout=small.LAYOUT)
    monkeypatch.setattr(speech_commands, "open_speech_commands", told)
    stage.main()


@pytest.mark.corpus
@pytest.mark.parametrize("words", ["digits", "twelve"])
def test_from_the_archive_to_features(words, archive, tmp_path, monkeypatch, capsys):
    workspace = Workspace(tmp_path / "checkout")
    download(workspace, archive, words, monkeypatch)
    manifest = pd.read_csv("data/raw/manifest.csv", dtype=str)
    provenance = json.loads(Path("data/raw/provenance.json").read_text())
    assert (provenance["corpus"], provenance["version"]) == ("speech_commands", "0.02")
    assert (provenance["licence"], provenance["synthetic"]) == ("CC BY 4.0", False)
    assert set(manifest["sample_rate"]) == {"16000"}

    workspace.stage("split")
    subsets = pd.read_csv("data/split.csv")
    assert subsets["subset"].tolist() == manifest["official_subset"].tolist()
    spoken = manifest["label"] != "_silence_"
    heard = {
        name: set(manifest["speaker"][spoken & (manifest["official_subset"] == name)])
        for name in ("train", "val", "test")
    }
    assert not heard["train"] & heard["test"]
    assert not heard["val"] & heard["test"]
    listed = json.loads(Path("metrics/corpus.json").read_text())["split"]
    if words == "digits":
        assert Counter(manifest["label"]) == {"0": 30, "1": 30, "2": 30}
        assert (listed["train"], listed["val"], listed["test"]) == (54, 18, 18)
        assert listed["test_speakers_in_train"] == 0
    else:
        assert set(manifest["label"]) == {"yes", "no", "_silence_", "_unknown_"}
        assert (listed["train"], listed["val"], listed["test"]) == (44, 16, 16)

    workspace.stage("feature_extract", "mfcc")
    features = np.load("data/features/mfcc/x.npy")
    assert features.shape == (len(manifest), N_FRAMES, 13)
    assert np.isfinite(features).all()
    assert (np.load("data/features/mfcc/n_frames.npy") == N_FRAMES).all()


@pytest.mark.corpus
def test_other_schemes_serve_it_too(archive, tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "checkout")
    download(workspace, archive, "all", monkeypatch)
    manifest = pd.read_csv("data/raw/manifest.csv")

    def scheme(params: dict) -> None:
        params["split"]["split_on"]["speech_commands"] = {"scheme": "speaker"}

    workspace.change(scheme)
    workspace.stage("split")
    subsets = pd.read_csv("data/split.csv")["subset"]
    assert (subsets.groupby(manifest["speaker"]).nunique() == 1).all()
    assert not subsets.equals(manifest["official_subset"].rename("subset"))


def test_the_stage_refuses_an_archive_that_is_not_whole(tmp_path):
    workspace = Workspace(tmp_path / "checkout")
    workspace.change(lambda params: params["corpus"].update(name="speech_commands"))
    folder = workspace.folder / "no-archives"
    folder.mkdir()
    small.write_archive(folder / ARCHIVE_NAMES[0], small.members())
    # An address that refuses at once, as a machine without a network does.
    proxy = {"http_proxy": "http://127.0.0.1:9"}
    refused = workspace.stage("download", check=False, extra=proxy)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    for words in ("names 42 clips in validation_list.txt, not 9,981", "download.tensorflow.org"):
        assert words in line
    assert workspace.stage("download", "--check", check=False, extra=proxy).returncode == 0
