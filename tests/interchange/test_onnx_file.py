"""ONNX files give PyTorch's logits in ONNX Runtime, and say what their user needs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from spoken_digits.errors import UserError
from spoken_digits.interchange import onnx_file
from spoken_digits.interchange.networks import ARCHITECTURES
from spoken_digits.models import architectures
from spoken_digits.models.card import ModelCard
from spoken_digits.models.networks import make_network

LSTM = {"name": "lstm", "hidden_dim": 5, "num_layers": 2, "dropout": 0.2}
BLOCKS = [{"channels": 6, "stride": [2, 1]}, {"channels": 6, "stride": [1, 1]}]
DS_CNN = {"name": "ds_cnn", "stem_channels": 4, "blocks": BLOCKS, "dropout": 0.2}
CNN_LSTM = {"name": "cnn_lstm", "conv_channels": 2, "kernel_size": 3, "n_steps": 4}
CASES: dict[str, dict[str, Any]] = {
    "lstm_mean": {**LSTM, "pooling": "mean"},
    "lstm_last": {**LSTM, "pooling": "last"},
    "ds_cnn": {**DS_CNN, "depthwise_relu": True},
    "ds_cnn_linear": {**DS_CNN, "depthwise_relu": False},
    "cnn": {
        "name": "cnn",
        "conv_channels": [2, 3],
        "kernel_size": 5,
        "linear_dims": [8, 6],
        "dropout": 0.2,
    },
    "cnn_lstm": {**CNN_LSTM, "hidden_dim": 5, "input_init": "fan_in"},
}
SHAPE = (16, 12)
FIGURES = {"accuracy": 0.9, "n_test": 7, "loss": 1.0}
PROVENANCE = {
    "corpus": "words",
    "version": "2",
    "licence": "CC BY 4.0",
    "source": "a folder",
    "fingerprint": "f" * 64,
    "synthetic": False,
}


def trained(case: str) -> tuple[nn.Module, ModelCard]:
    """A network whose normalisation has seen data, and its card."""
    torch.manual_seed(0)
    network = make_network(CASES[case], SHAPE, 3)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.running_mean, layer.running_var, layer.weight, layer.bias):
                nn.init.uniform_(tensor, 0.5, 2.0)
    card = ModelCard(
        name=case,
        architecture=CASES[case],
        labels=["no", "yes", "ja"],
        features={"kind": "mfcc", "n_fft": 400},
        input_shape=SHAPE,
        mean=[float(i) for i in range(SHAPE[1])],
        std=[2.0],
        best_epoch=1,
        corpus={},
    )
    return network.eval(), card


def clips() -> tuple[np.ndarray, np.ndarray]:
    """Features that are not normalised, and every kind of length."""
    features = 5 + 3 * np.random.default_rng(0).normal(size=(5, *SHAPE))
    return features.astype(np.float32), np.array([16, 3, 8, 1, 16])


def test_every_architecture_has_a_form_and_a_case():
    assert set(ARCHITECTURES) == set(architectures.names())
    assert {case["name"] for case in CASES.values()} == set(ARCHITECTURES)


@pytest.mark.parametrize("case", CASES)
def test_onnx_runtime_gives_the_logits_of_pytorch(case):
    network, card = trained(case)
    content = onnx_file.onnx_model(network, card, {})
    assert onnx_file.onnx_model(network, card, {}) == content
    features, n_frames = clips()
    with torch.inference_mode():
        x = card.normalise(torch.from_numpy(features))
        expected = network(x, torch.from_numpy(n_frames)).numpy()
    assert expected.std(axis=0).min() > 1e-4  # clips differ
    np.testing.assert_allclose(onnx_file.run(content, features, n_frames), expected, atol=1e-5)
    assert onnx_file.difference(content, network, card, features, n_frames) < 1e-5


def test_other_weights_are_noticed():
    network, card = trained("lstm_mean")
    content = onnx_file.onnx_model(network, card, {})
    with torch.no_grad():
        network.linear.bias += 0.01
    with pytest.raises(UserError, match="lstm_mean: ONNX Runtime's logits are"):
        onnx_file.difference(content, network, card, *clips())


def test_the_file_tells_what_its_user_needs():
    network, card = trained("ds_cnn")
    metadata = onnx_file.facts(card, 8000, PROVENANCE, FIGURES | {"threshold": 0.75})
    content = onnx_file.onnx_model(network, card, metadata)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["labels"]) == card.labels
    assert json.loads(said["features"]) == card.features
    assert said["sample_rate_hz"] == "8000"
    assert said["threshold"] == "0.75"
    assert said["corpus_licence"] == "CC BY 4.0"
    assert json.loads(said["test"]) == {"accuracy": 0.9, "n_test": 7}
    assert "threshold" not in onnx_file.facts(card, 8000, PROVENANCE, FIGURES)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(UserError, match="onnx is not installed: `make setup`"):
        onnx_file.onnx_model(*trained("cnn"), {})
