"""Latency rows: same network on every side, and figures that fit together."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from latency import CALLS, normalise, rows
from onnx_lstm import onnx_graph, onnx_logits, onnx_session

from spoken_digits.errors import UserError
from spoken_digits.models.architectures.lstm import Network as Lstm

N_CLIPS, MAX_FRAMES, N_INPUTS, N_CLASSES = 40, 36, 13, 10
NAMES = [
    "latency_int8_vs_torch_dynamic",
    "latency_int8_vs_onnxruntime",
    "latency_int8_vs_onnxruntime_float32",
]


def small_lstm(seed: int = 1, *, h: int = 8, pooling: str = "mean") -> Lstm:
    """Random weights with logits far enough apart for int8 to tell the classes."""
    torch.manual_seed(seed)
    network = Lstm(
        input_shape=(MAX_FRAMES, N_INPUTS),
        n_classes=N_CLASSES,
        hidden_dim=h,
        num_layers=2,
        dropout=0.0,
        pooling=pooling,
    )
    with torch.no_grad():
        network.linear.weight.normal_()
        for name, weight in network.lstm.named_parameters():
            weight.normal_(0, 1.5 * h**-0.5 if "weight" in name else 0.5)
    return network.eval()


@pytest.fixture
def clips():
    """Features (n_clips, max_frames, n_inputs) with words in them, frames, mean, std."""
    rng = np.random.default_rng(3)
    word = rng.normal(0, 30, (N_CLIPS, 1, N_INPUTS))
    noise = rng.normal(0, 20, (N_CLIPS, MAX_FRAMES, N_INPUTS))
    features = np.clip(word + noise + 5, -128, 127).astype(np.int8)
    n_frames = rng.integers(1, MAX_FRAMES + 1, N_CLIPS)
    mean, std = features.mean(axis=(0, 1)), features.std(axis=(0, 1))
    return features, n_frames, mean, std


def test_onnx_graph_equals_torch(clips):
    features, n_frames, mean, std = clips
    network, x = small_lstm(), normalise(features, mean, std)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x), torch.from_numpy(n_frames)).numpy()
    actual = onnx_logits(onnx_session(onnx_graph(network).SerializeToString()), x, n_frames)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4)


def test_rows(clips, firmware):
    features, n_frames, mean, std = clips
    n_threads = torch.get_num_threads()
    result = rows(small_lstm(), mean, std, features, n_frames, firmware, rounds=2)
    assert [row["name"] for row in result] == NAMES
    assert result[0]["ours_s"] == result[1]["ours_s"]
    for row in result:
        assert list(row) == ["name", "ours_s", "reference_s", "ratio", "note"]
        assert row["ours_s"] > 0
        assert row["reference_s"] > 0
        assert row["ratio"] == pytest.approx(row["reference_s"] / row["ours_s"], rel=0.005)
        assert f"2x8 LSTM, one clip of {MAX_FRAMES} frames" in row["note"]
        assert f"median of {2 * CALLS} calls" in row["note"]
    assert torch.get_num_threads() == n_threads


def test_another_network_is_not_compared(clips, firmware, monkeypatch):
    """Negative control: ONNX Runtime with other weights must not be timed."""
    features, n_frames, mean, std = clips
    other = onnx_graph(small_lstm(seed=2))
    monkeypatch.setattr("latency.onnx_graph", lambda _: other)
    with pytest.raises(RuntimeError, match="onnxruntime agrees with the float network on"):
        rows(small_lstm(), mean, std, features, n_frames, firmware, rounds=1)


def test_pooling_other_than_mean_is_refused():
    with pytest.raises(ValueError, match="pooling must be 'mean', not 'last'"):
        onnx_graph(small_lstm(pooling="last"))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_missing_package_is_named(package, clips, firmware, monkeypatch):
    features, n_frames, mean, std = clips
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f"{package} is not installed.*`dev`"):
        rows(small_lstm(), mean, std, features, n_frames, firmware)
