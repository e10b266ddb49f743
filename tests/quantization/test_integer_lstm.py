from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from frontend_spec import committed_spec
from networks import random_features, random_parent

from spoken_digits.data.dataset import Subset
from spoken_digits.errors import UserError
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.card import ModelCard, write_model
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer, integer_lstm
from spoken_digits.quantization.loading import load_any

CARD = ModelCard(
    name="tiny",
    architecture={
        "name": "lstm",
        "hidden_dim": 8,
        "num_layers": 2,
        "dropout": 0.0,
        "pooling": "mean",
    },
    labels=["ja", "nein", "halt"],
    features=MfccInt(committed_spec()).describe(),
    input_shape=(36, 13),
    mean=[1.0] * 13,
    std=[30.0] * 13,
    best_epoch=1,
    corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
)
NO_TRAINING = QatParams(
    epochs=0, learning_rate=1e-3, batch_size=8, bucket_batches=1, distillation=0.5
)


@pytest.fixture
def clips() -> Subset:
    rng = np.random.default_rng(0)
    return Subset(
        x=rng.integers(-90, 90, (60, 36, 13)).astype(np.int8),
        n_frames=rng.integers(5, 37, 60).astype(np.int32),
        y=np.arange(60) % 3,
        rows=np.arange(60),
    )


@pytest.mark.parametrize("scheme", ["int8", "pow2"])
def test_the_stored_network_is_the_network(clips, scheme, tmp_path):
    torch.manual_seed(0)
    network = CARD.make_network().eval()
    made = integer_lstm.quantize(
        CARD, network.state_dict(), clips, clips, scheme, NO_TRAINING, seed=1
    )
    card = dataclasses.replace(CARD, scheme=scheme, mean=[0.0], std=[1.0])
    write_model(tmp_path / "m.safetensors", card, integer.stored_tensors(made))
    restored = load_any(*read_model(tmp_path / "m.safetensors"))
    x, n_frames = torch.from_numpy(clips.x), torch.from_numpy(clips.n_frames)
    expected = integer_lstm.logits_of(made, clips) * made.logit_step
    np.testing.assert_array_equal(restored(card.normalise(x), n_frames).numpy(), expected)
    if scheme == "int8":
        float_logits = network(CARD.normalise(x), n_frames).detach().numpy()
        np.testing.assert_allclose(expected, float_logits, atol=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": {"kind": "mfcc"}}, "reads mfcc: an integer network needs"),
        ({"architecture": {**CARD.architecture, "pooling": "last"}}, "no LSTM with mean pooling"),
        ({"architecture": {"name": "cnn"}}, "no LSTM with mean pooling"),
    ],
)
def test_models_that_cannot_become_integer_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        integer_lstm.float_parent(dataclasses.replace(CARD, **change), {})


def tensors_of(scheme: str) -> dict[str, torch.Tensor]:
    parent = random_parent(1, h=8, n_layers=2, n_classes=3)
    return integer.stored_tensors(quantise(parent, *random_features(1), code=scheme))


@pytest.mark.parametrize(
    ("stored", "said", "change", "message"),
    [
        ("int8", "pow2", {}, "its graph is of scheme int8, not pow2"),
        ("pow2", "int8", {}, "its graph is of scheme pow2, not int8"),
        (
            "int8",
            "int8",
            {"graph.shape": torch.tensor([35, 13], dtype=torch.int32)},
            "it reads 35 frames, its card says 36",
        ),
        ("int8", "int8", {"graph.any_length": torch.zeros(1)}, "any_length is float32, must be"),
        ("int8", "int8", {"layer_0.weight": torch.ones(1)}, "before there were graphs: make the"),
    ],
)
def test_a_file_that_is_not_what_its_card_says_is_refused(stored, said, change, message):
    card = dataclasses.replace(CARD, scheme=said, mean=[0.0], std=[1.0])
    with pytest.raises(UserError, match=message):
        integer.restore(card, {**tensors_of(stored), **change})


def test_an_lstm_takes_at_least_the_frames_of_its_front_end():
    card = dataclasses.replace(CARD, scheme="int8", mean=[0.0], std=[1.0])
    shape = torch.tensor([36, 13], dtype=torch.int32)
    network = integer.restore(card, {**tensors_of("int8"), "graph.shape": shape})
    assert (network.n_frames, network.any_length) == (36, True)
