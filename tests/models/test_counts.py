"""The multiply-accumulates that a network reports equal those that it executes."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from spoken_digits.models.networks import int8_bytes, make_network
from spoken_digits.models.params import read_model_params
from spoken_digits.training.planning import describe_network


def counted(network: torch.nn.Module, shape: tuple[int, int]) -> int:
    """Multiply-accumulates of one clip, as PyTorch counts them: two operations each."""
    network.train()  # an LSTM in evaluation is one operation, which PyTorch does not count
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        network(torch.empty(1, *shape), torch.full((1,), shape[0]))
    return counter.get_total_flops() // 2


def network_of(config, name: str, shape: tuple[int, int], n_classes: int = 10):
    model = read_model_params(config, name)
    architecture = describe_network(model, shape[1], n_classes)
    with torch.device("meta"):  # 120 million weights need no memory to be counted
        return make_network(architecture, shape, n_classes)


def test_the_cnn_by_hand(default_params):
    expected = (
        10 * 25 * 1023 * 30  # 1025 x 32, 5 x 5 with one row of padding
        + 20 * 10 * 25 * 509 * 13  # pooled to 511 x 15
        + 20 * 254 * 6 * 3800  # pooled to 254 x 6
        + 3800 * 1024
        + 1024 * 256
        + 256 * 10
    )
    network = network_of(default_params, "cnn", (32, 1025))
    assert network.multiply_accumulates() == expected


@pytest.mark.parametrize("shape", [(32, 1025), (25, 90), (36, 51)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kernel_size": 3},
        {"kernel_size": 4, "conv_channels": [3], "linear_dims": [7]},
        {"conv_channels": [2, 3, 5], "kernel_size": 3, "linear_dims": [6, 5, 4, 3]},
    ],
)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_cnn_does_what_it_claims(default_params, shape, changes, n_classes):
    default_params["variants"]["cnn"].update(changes)
    network = network_of(default_params, "cnn", shape, n_classes)
    assert network.multiply_accumulates() == counted(network, shape)


@pytest.mark.parametrize("shape", [(32, 1025), (24, 30)])
@pytest.mark.parametrize("changes", [{}, {"conv_channels": 3, "hidden_dim": 5, "n_steps": 2}])
def test_the_cnn_lstm_does_what_it_claims(default_params, shape, changes):
    default_params["variants"]["cnn_lstm"].update(changes)
    network = network_of(default_params, "cnn_lstm", shape)
    assert network.multiply_accumulates() == counted(network, shape)


@pytest.mark.parametrize(
    ("name", "n_bytes", "macs"), [("tiny", 36_000, 4_000_000), ("micro", 8_000, 1_000_000)]
)
def test_our_networks_stay_within_their_budgets(default_params, name, n_bytes, macs):
    network = network_of(default_params, name, (54, 40))
    assert int8_bytes(network) <= n_bytes
    assert network.multiply_accumulates() <= macs


def test_int8_bytes_by_hand(default_params):
    micro = network_of(default_params, "micro", (54, 40))
    blocks = [(16, 24), (24, 32), (32, 32), (32, 32), (32, 32)]
    weights = 25 * 16 + sum(9 * i + i * o for i, o in blocks) + 64 * 10
    biases = 16 + sum(i + o for i, o in blocks) + 10
    assert int8_bytes(micro) == weights + 4 * biases
    lstm = network_of(default_params, "lstm_36kb", (36, 13))
    assert int8_bytes(lstm) == 4 * 24 * (13 + 3 * 24) + 240 + 4 * (2 * 96 + 10)


@pytest.mark.parametrize("shape", [(54, 40), (31, 17), (20, 12)])
@pytest.mark.parametrize("name", ["tiny", "micro"])
def test_the_separable_convolutions_do_what_they_claim(default_params, name, shape):
    network = network_of(default_params, name, shape, 7)
    assert network.multiply_accumulates() == counted(network, shape)
