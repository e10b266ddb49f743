"""Peers of the convolutional networks: the same network on every side."""

from __future__ import annotations

import sys

import numpy as np
import peers
import pytest
import torch
from graphs import trained_network
from latency import CALLS, normalise
from onnx_lstm import onnx_session

from spoken_digits.errors import UserError
from spoken_digits.integer import ds_cnn
from spoken_digits.integer.float_graph import quantise
from spoken_digits.interchange.graph import FEATURES, N_FRAMES

N_FRAMES_A_CLIP, N_BANDS = 22, 16
STRIDES = [(2, 1), (1, 2), (1, 1), (1, 1)]
MEAN, STD = np.linspace(-8, 8, N_BANDS), 30.0


@pytest.fixture(scope="module")
def network():
    """Logits far enough apart for int8 to tell the classes."""
    network = trained_network(N_FRAMES_A_CLIP, N_BANDS)
    with torch.no_grad():
        network.linear.weight.mul_(10)
        network.linear.bias.zero_()
    return network


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(1)
    word = rng.normal(0, 30, (60, 1, N_BANDS)) + rng.normal(0, 30, (60, N_FRAMES_A_CLIP, 1))
    noise = rng.normal(0, 15, (60, N_FRAMES_A_CLIP, N_BANDS))
    return np.clip(word + noise, -128, 127).astype(np.int8)


@pytest.fixture(scope="module")
def integers(network, features):
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    parent = ds_cnn.from_state(state, strides=STRIDES, mean=MEAN, std=STD, n_frames=N_FRAMES_A_CLIP)
    return quantise(parent, features)


def test_onnx_graph_equals_torch(network, features):
    x = normalise(features, MEAN, STD)
    counts = np.full(len(x), N_FRAMES_A_CLIP, np.int32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x), torch.from_numpy(counts)).numpy()
    session = onnx_session(peers.onnx_graph(network, x.shape[1:]))
    (actual,) = session.run(None, {FEATURES: x, N_FRAMES: counts})
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3)


def test_rows(network, integers, features, firmware):
    n_threads = torch.get_num_threads()
    result = peers.rows(
        "small", network, integers, MEAN, STD, features, features[:20], firmware, rounds=2
    )
    assert [row["name"] for row in result] == [
        "latency_small.int8_vs_onnxruntime",
        "latency_small.int8_vs_onnxruntime_float32",
    ]
    assert result[0]["ours_s"] == result[1]["ours_s"]
    for row in result:
        assert list(row) == ["name", "ours_s", "reference_s", "ratio", "note"]
        assert min(row["ours_s"], row["reference_s"]) > 0
        assert row["ratio"] == pytest.approx(row["reference_s"] / row["ours_s"], rel=0.005)
        assert f"small, one clip of {N_FRAMES_A_CLIP} frames" in row["note"]
        assert f"median of {2 * CALLS} calls" in row["note"]
    assert torch.get_num_threads() == n_threads


@pytest.mark.parametrize("peer", ["onnxruntime", "onnxruntime_float32"])
def test_another_network_is_not_compared(peer, network, integers, features, firmware, monkeypatch):
    """Negative control: ONNX Runtime with other weights must not be timed."""
    other = trained_network(N_FRAMES_A_CLIP, N_BANDS)
    with torch.no_grad():
        other.linear.weight.copy_(-10 * other.linear.weight)
    wrong = peers.onnx_graph(other, features.shape[1:])
    if peer == "onnxruntime":
        monkeypatch.setattr(peers, "onnx_int8", lambda *_: wrong)
    else:
        right, int8 = peers.onnx_graph, peers.onnx_int8
        monkeypatch.setattr(peers, "onnx_graph", lambda *_: wrong)
        monkeypatch.setattr(
            peers,
            "onnx_int8",
            lambda _, *more: int8(right(network, features.shape[1:]), *more),
        )
    with pytest.raises(RuntimeError, match=f"{peer} agrees with the float network on"):
        peers.rows("a", network, integers, MEAN, STD, features, features[:20], firmware, rounds=1)


def test_a_convolution_that_stays_float_is_noticed(network, features, tmp_path, monkeypatch):
    import onnxruntime.quantization as quantization

    model = peers.onnx_graph(network, features.shape[1:])

    def leave(model, path, *_, **__):
        path.write_bytes(model.read_bytes())

    monkeypatch.setattr(quantization, "quantize_static", leave)
    with pytest.raises(RuntimeError, match="stayed float"):
        peers.onnx_int8(model, normalise(features[:4], MEAN, STD), tmp_path)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_missing_package_is_named(package, network, integers, features, firmware, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f"{package} is not installed.*`onnx`"):
        peers.rows("a", network, integers, MEAN, STD, features, features, firmware)
