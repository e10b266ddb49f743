from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams
from spoken_digits.models.card import ModelCard, parameter_bytes, write_model
from spoken_digits.models.model_file import read_model
from spoken_digits.models.tensors import check_tensors
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
    if architecture["name"] == "lstm":
        params = MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36)
        features = Mfcc(params, 8000).describe()
    else:
        small = SpectrogramParams(sample_rate=8000, n_samples=8000, n_fft=128, hop_length=256)
        features = Spectrogram(small).describe()
    return ModelCard(
        name="tiny",
        architecture=architecture,
        labels=[str(i) for i in range(10)],
        features=features,
        input_shape=shape,
        mean=[0.0],
        std=[1.0],
        best_epoch=1,
        corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
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


class Normalised(nn.Module):
    """A network with parts that ours lack: batch normalisation, and a layer without bias."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(13)
        self.lstm = nn.LSTM(13, 4, batch_first=True)
        self.linear = nn.Linear(4, 3, bias=False)

    def forward(self, x):
        return self.linear(self.lstm(self.norm(x.transpose(1, 2)).transpose(1, 2))[0][:, -1])


def test_buffers_are_stored_and_restored():
    torch.manual_seed(0)
    network, x = Normalised(), 3 + 2 * torch.randn(16, 9, 13)
    for _ in range(5):
        network(x)  # in training mode: the running mean and variance follow
    quantized = int8_dynamic.quantize(network, ("lstm", "linear"))
    stored = int8_dynamic.stored_tensors(quantized)
    assert {"norm.running_mean", "norm.running_var", "norm.num_batches_tracked"} <= set(stored)
    restored = int8_dynamic.quantize(Normalised(), ("lstm", "linear"))
    int8_dynamic.load(restored, {name: tensor.clone() for name, tensor in stored.items()})
    torch.testing.assert_close(restored(x), quantized(x), rtol=0, atol=0)
    with torch.device("meta"):
        outline = Normalised()
    expected = int8_dynamic.expected_tensors(outline, ("lstm", "linear"))
    check_tensors("normalised", expected, stored)
