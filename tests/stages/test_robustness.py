"""Stage robustness on a tiny corpus and networks of random weights."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import random_features, random_parent
from recordings import PATTERN, write_recordings
from workspace import Workspace

from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.evaluation.inference import predict
from spoken_digits.integer.float_graph import quantise
from spoken_digits.models.card import ModelCard, write_model
from spoken_digits.models.model_file import load_network, read_model

LSTM = {"name": "lstm", "hidden_dim": 4, "num_layers": 1, "dropout": 0.0, "pooling": "mean"}
N_CONDITIONS = 50


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A workspace with a corpus, its split and features, and two models."""
    folder = tmp_path_factory.mktemp("robustness")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    for command in (["download"], ["split"], ["feature_extract", "mfcc_int"]):
        workspace.stage(*command)
    dataset = load_dataset(workspace.folder / "data", "mfcc_int")
    card = ModelCard(
        name="small",
        architecture=LSTM,
        labels=dataset.labels,
        features=dataset.description,
        input_shape=dataset.input_shape,
        mean=[0.0],
        std=[20.0],
        best_epoch=1,
        corpus=dataset.corpus,
        split=dataset.split,
    )
    torch.manual_seed(1)
    write(workspace, "small", card, card.make_network().state_dict())
    integers = quantise(random_parent(5, h=4, n_layers=1, n_classes=3), *random_features(5))
    integer_card = dataclasses.replace(card, scheme="int8", std=[1.0])
    tensors = {name: torch.from_numpy(np.array(a)) for name, a in integers.arrays().items()}
    write(workspace, "small.int8", integer_card, tensors)
    other = dataclasses.replace(card, name="other", split="0" * 64)
    write(workspace, "other", other, card.make_network().state_dict())
    return workspace


def write(workspace: Workspace, stem: str, card: ModelCard, tensors: dict) -> None:
    write_model(workspace.folder / f"models/{stem}.safetensors", card, tensors)


def rows_of(folder: Path, stem: str) -> list[dict[str, str]]:
    with (folder / f"plots/robustness/{stem}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def dataset_of(workspace: Workspace) -> Dataset:
    return load_dataset(workspace.folder / "data", "mfcc_int")


def test_every_condition_has_a_row_and_the_clean_one_is_the_test_accuracy(workspace):
    workspace.stage("robustness", "small")
    rows = rows_of(workspace.folder, "small")
    dataset = dataset_of(workspace)
    assert list(rows[0]) == ["model", "condition", "level", "accuracy", "n", "corpus"]
    assert len(rows) == N_CONDITIONS
    assert len({(row["condition"], row["level"]) for row in rows}) == N_CONDITIONS
    assert {row["n"] for row in rows} == {str(len(dataset.rows["test"]))}
    card, tensors = read_model(workspace.folder / "models/small.safetensors")
    logits = predict(
        load_network(card, tensors), card.normalise, dataset.subset("test"), torch.device("cpu")
    )
    expected = (logits.numpy().argmax(1) == dataset.actual("test")).mean()
    assert float(rows[0]["accuracy"]) == pytest.approx(expected, abs=1e-6)
    assert 0 < expected < 1  # or the comparison would prove little
    assert len({row["accuracy"] for row in rows}) > 2


def test_a_second_run_gives_the_same_bytes_and_a_condition_stands_alone(workspace, tmp_path):
    workspace.stage("robustness", "small")
    path = workspace.folder / "plots/robustness/small.csv"
    first, rows = path.read_bytes(), rows_of(workspace.folder, "small")
    workspace.stage("robustness", "small", afresh=True)
    assert path.read_bytes() == first
    params = workspace.folder / "params.yaml"
    kept = tmp_path / "params.yaml"
    shutil.copy2(params, kept)

    def fewer(params: dict) -> None:
        params["robustness"] |= {"snr_db": [0.0], "speed": [2.0], "dc": [0.1, 0.02]}

    try:
        workspace.change(fewer)
        workspace.stage("robustness", "small")
        left = rows_of(workspace.folder, "small")
    finally:
        shutil.copy2(kept, params)
    shared = [row for row in left if row["level"] != "2"]
    assert len(shared) == len(left) - 1
    assert all(row in rows for row in shared)


def test_an_integer_network_is_measured_and_the_clips_can_be_bounded(workspace, tmp_path):
    params = workspace.folder / "params.yaml"
    kept = tmp_path / "params.yaml"
    shutil.copy2(params, kept)
    try:
        workspace.change(lambda params: params["robustness"].update(clips=4))
        workspace.stage("robustness", "small", "int8")
        rows = rows_of(workspace.folder, "small.int8")
        assert {(row["model"], row["n"]) for row in rows} == {("small.int8", "4")}
        workspace.change(lambda params: params["robustness"].update(clips=None, giga_macs=1e-4))
        workspace.stage("robustness", "small", "int8")
        assert {row["n"] for row in rows_of(workspace.folder, "small.int8")} == {"1"}
    finally:
        shutil.copy2(kept, params)


def test_a_model_that_may_have_heard_the_test_clips_is_refused(workspace):
    done = workspace.stage("robustness", "other", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "was trained on another split" in done.stderr


def test_a_model_that_is_not_there_is_named(workspace):
    done = workspace.stage("robustness", "absent", check=False)
    assert done.returncode == 1
    assert "models/absent.safetensors is missing" in done.stderr
