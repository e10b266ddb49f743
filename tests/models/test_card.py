from __future__ import annotations

import dataclasses

import pytest
import safetensors.torch
import torch

from spoken_digits.errors import UserError
from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.models.card import ModelCard, parameter_bytes, who_was_heard, write_model
from spoken_digits.models.model_file import load_network, outline, read_model

CARD = ModelCard(
    name="tiny",
    architecture={
        "name": "lstm",
        "hidden_dim": 3,
        "num_layers": 1,
        "dropout": 0.0,
        "pooling": "mean",
    },
    labels=["ja", "nein"],
    features=Mfcc(
        MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36), 8000
    ).describe(),
    input_shape=(36, 13),
    mean=[0.1] * 13,
    std=[2.0] * 13,
    best_epoch=4,
    corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CARD.make_network().eval()


def test_a_model_reads_back_as_it_was(network, tmp_path):
    write_model(tmp_path / "m.safetensors", CARD, network.state_dict())
    card, tensors = read_model(tmp_path / "m.safetensors")
    assert card == CARD
    x, n_frames = torch.randn(2, 36, 13), torch.tensor([5, 36])
    torch.testing.assert_close(
        load_network(card, tensors)(x, n_frames), network(x, n_frames), rtol=0, atol=0
    )
    assert parameter_bytes(tensors) == 4 * sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("speakers", "named", "number"),
    [
        (["anna", "ben"], ["anna", "ben"], 2),
        ([f"{n:03}" for n in range(100)], [f"{n:03}" for n in range(100)], 100),
        ([f"{n:03}" for n in range(101)], None, 101),
        (["a" * 256], None, 1),
        (None, None, None),
    ],
)
def test_a_card_says_who_was_heard(speakers, named, number, network, tmp_path):
    card = dataclasses.replace(CARD, **who_was_heard(speakers))
    write_model(tmp_path / "m.safetensors", card, network.state_dict())
    read, _ = read_model(tmp_path / "m.safetensors")
    assert (read.heard, read.n_heard) == (named, number)


def test_the_same_model_gives_the_same_bytes(network, tmp_path):
    for name in ("one", "two"):
        write_model(tmp_path / name, CARD, network.state_dict())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_normalisation_takes_mean_and_deviation_out():
    card = dataclasses.replace(CARD, mean=[1.0] * 13, std=[4.0] * 13)
    x = torch.full((1, 2, 13), 9.0, dtype=torch.float16)
    torch.testing.assert_close(card.normalise(x), torch.full((1, 2, 13), 2.0))


def test_files_that_are_not_models_are_refused(network, tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(UserError, match="is missing"):
        read_model(path)
    write_model(path, CARD, network.state_dict())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"m.safetensors is not a whole .safetensors file"):
        read_model(path)
    safetensors.torch.save_file({"x": torch.ones(1)}, path)
    with pytest.raises(UserError, match="carries no model card of this project"):
        read_model(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"std": [2.0] * 12 + [float("nan")]}, "`std[12]` is nan, must be a number from 1e-30"),
        ({"mean": [0.1] * 12}, "`mean` holds 12 values, must hold 1 or 13"),
        ({"input_shape": (36, 12)}, "`features` give clips of (36, 13), but `input_shape` is (36,"),
        ({"input_shape": (36, 13, 1)}, "`input_shape` is [36, 13, 1], must be a list of 2 items"),
        ({"labels": ["ja", 3]}, "`labels[1]` is 3, must be a text of 1 to 255 characters"),
        ({"labels": ["ja", "ja"]}, "`labels` holds a word twice"),
        ({"name": "a\nb"}, "`name` is 'a\\nb', must be a text"),
        ({"best_epoch": 4.0}, "`best_epoch` is 4.0, must be a whole number"),
        ({"split": "random"}, "`split` is 'random', must be a text of 64 hexadecimal digits, or"),
        ({"corpus": {**CARD.corpus, "synthetic": 0}}, "`corpus.synthetic` is 0, must be true or"),
        ({"features": {**CARD.features, "n_fft": "1e2"}}, "`features.n_fft` is '1e2', must be a"),
        ({"features": {**CARD.features, "n_mfcc": 41}}, "`features.n_mfcc` is 41, must not exceed"),
        ({"features": {**CARD.features, "kind": "mel"}}, "`features.kind`: there are no features"),
        (
            {"architecture": {**CARD.architecture, "dropout": 1}},
            "`architecture.dropout` is 1, ",
        ),
        (
            {"architecture": {**CARD.architecture, "num_layers": 1.0}},
            "`architecture.num_layers` is",
        ),
        ({"architecture": {"name": "lstm"}}, "`architecture.hidden_dim` is missing, it must be a"),
        ({"architecture": {"name": "gru"}}, "`architecture.name` is 'gru', must be one of cnn, "),
    ],
)
def test_a_damaged_card_is_refused_by_file_and_key(changes, message, network, tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, dataclasses.replace(CARD, **changes), network.state_dict())
    with pytest.raises(UserError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: its model card is damaged: {message}")
    assert str(caught.value).endswith(": make the file again with `dvc repro`")


def test_arguments_that_make_no_network_are_refused():
    card = dataclasses.replace(CARD, architecture={**CARD.architecture, "hidden_dim": None})
    with pytest.raises(UserError, match="model tiny: its architecture is damaged, .*dvc repro"):
        outline(card)


def test_a_quantized_file_is_not_taken_for_a_float_one(network):
    card = dataclasses.replace(CARD, scheme="int8")
    with pytest.raises(UserError, match="tiny is stored as int8, not as float32"):
        load_network(card, network.state_dict())
