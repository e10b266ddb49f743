"""metrics/corpus.json has the counts of the split."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from recordings import PATTERN, write_recordings
from workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("split")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    workspace.stage("download")
    return workspace


def corpus_after(workspace: Workspace, **changes: object) -> dict:
    workspace.change(lambda params: params["split"].update(changes))
    workspace.stage("split")
    return json.loads((workspace.folder / "metrics/corpus.json").read_text())


@pytest.mark.parametrize("scheme", ["random", "speaker"])
def test_the_corpus_and_its_split_are_counted(workspace, scheme):
    corpus = corpus_after(workspace, scheme=scheme, fold=1, n_folds=4)
    manifest = pd.read_csv(workspace.folder / "data/raw/manifest.csv")
    subsets = pd.read_csv(workspace.folder / "data/split.csv")["subset"]
    assert corpus["corpus"] == "folder"
    assert corpus["title"] == "Own recordings"
    assert corpus["synthetic"] is False
    assert (corpus["n_clips"], corpus["n_speakers"], corpus["n_words"]) == (48, 4, 3)
    split = corpus["split"]
    assert (split["scheme"], split["fold"]) == (scheme, 1)
    assert {name: split[name] for name in ("train", "val", "test")} == dict(subsets.value_counts())
    test, train = (set(manifest["speaker"][subsets == name]) for name in ("test", "train"))
    assert split["test_speakers"] == len(test)
    assert split["test_speakers_in_train"] == len(test & train)
    assert (split["test_speakers_in_train"] == 0) == (scheme == "speaker")
