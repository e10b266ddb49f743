from __future__ import annotations

import dataclasses

import pytest
import torch

from spoken_digits.models.card import ModelCard, parameter_bytes, read_model, write_model
from spoken_digits.quantization import int8_dynamic
from spoken_digits.quantization.loading import load_any

LSTM = {"name": "lstm", "hidden_dim": 24, "num_layers": 2, "dropout": 0.0, "pooling": "mean"}
CNN = {
    "name": "cnn",
    "conv_channels": (2, 3),
    "kernel_size": 5,
    "linear_dims": (16, 8),
    "dropout": 0.0,
}


def card_of(architecture: dict, shape: tuple[int, int]) -> ModelCard:
    return ModelCard(
        name="tiny",
        architecture=architecture,
        labels=[str(i) for i in range(10)],
        features={},
        input_shape=shape,
        mean=[0.0],
        std=[1.0],
        best_epoch=1,
        corpus={},
    )


@pytest.mark.parametrize(
    ("architecture", "shape", "layers"),
    [
        (LSTM, (36, 13), ("lstm", "linear")),
        (LSTM, (36, 13), ("linear",)),
        (CNN, (32, 65), ("lstm", "linear")),
    ],
)
def test_a_quantized_network_is_its_stored_tensors(architecture, shape, layers, tmp_path):
    torch.manual_seed(0)
    card = dataclasses.replace(
        card_of(architecture, shape),
        scheme=int8_dynamic.SCHEME,
        scheme_params={"layers": list(layers)},
    )
    network = card.make_network().eval()
    quantized = int8_dynamic.quantize(network, layers)
    write_model(tmp_path / "m.safetensors", card, int8_dynamic.stored_tensors(quantized))
    restored = load_any(*read_model(tmp_path / "m.safetensors"))
    x, n_frames = torch.randn(1, *shape), torch.tensor([shape[0]])
    torch.testing.assert_close(restored(x, n_frames), quantized(x, n_frames), rtol=0, atol=0)
    torch.testing.assert_close(quantized(x, n_frames), network(x, n_frames), rtol=0, atol=0.05)
    assert not torch.equal(quantized(x, n_frames), network(x, n_frames))


def test_the_size_counts_weights_biases_and_scales():
    network = card_of(LSTM, (36, 13)).make_network()
    quantized = int8_dynamic.quantize(network, ("lstm", "linear"))
    weights = 4 * 24 * (13 + 24) + 4 * 24 * 48 + 240
    biases = 4 * (4 * 4 * 24 + 10)
    scales_and_zero_points = 5 * (4 + 4)
    stored = int8_dynamic.stored_tensors(quantized)
    assert parameter_bytes(stored) == weights + biases + scales_and_zero_points
    assert {t.dtype for name, t in stored.items() if name.split(".")[-1].startswith("weight")} == {
        torch.int8
    }
