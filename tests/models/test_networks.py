from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from spoken_digits.errors import UserError
from spoken_digits.models.architectures.lstm import Network as Lstm
from spoken_digits.models.networks import make_network, n_parameters
from spoken_digits.models.params import read_model_params
from spoken_digits.training.planning import describe_network

SHAPES = {"mfcc": (36, 13), "mfcc_int": (36, 13), "spectrogram": (32, 1025)}


def network_of(params: dict, name: str, n_classes: int = 10):
    model = read_model_params(params, name)
    shape = SHAPES[model.features]
    architecture = describe_network(model, shape[1], n_classes)
    return make_network(architecture, shape, n_classes), shape


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("lstm", 206_602),
        ("lstm_36kb", 8_794),
        ("lstm_36kb_1layer", 9_210),
        ("cnn", 119_990_274),
        ("cnn_lstm", 21_039_570),
    ],
)
def test_every_model_has_the_parameters_of_the_reference(default_params, name, count):
    with torch.device("meta"):  # 120 million weights need no memory to be counted
        network, _ = network_of(default_params, name)
    assert n_parameters(network) == count


def small(params: dict) -> dict:
    params["variants"]["cnn"]["linear_dims"] = [8, 8, 8]
    params["variants"]["cnn_lstm"]["conv_channels"] = 2
    return params


@pytest.mark.parametrize("name", ["lstm", "lstm_36kb_1layer", "cnn", "cnn_lstm"])
@pytest.mark.parametrize("n_classes", [2, 10, 35])
def test_logits_have_a_column_a_word(default_params, name, n_classes):
    network, shape = network_of(small(default_params), name, n_classes)
    logits = network(torch.randn(3, *shape), torch.tensor([1, 20, 32]))
    assert logits.shape == (3, n_classes)


@pytest.mark.parametrize("n_coefficients", [13, 40])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_layer_by_layer_is_the_lstm_of_pytorch(n_coefficients, num_layers):
    torch.manual_seed(0)
    network = Lstm(
        input_shape=(9, n_coefficients),
        n_classes=4,
        hidden_dim=6,
        num_layers=num_layers,
        dropout=0.0,
        pooling="mean",
    )
    x, n_frames = torch.randn(5, 9, n_coefficients), torch.tensor([9, 3, 1, 8, 9])
    found = []
    for training in (True, False):  # training goes layer by layer
        network.train(training).zero_grad()
        logits = network(x, n_frames)
        logits.square().sum().backward()
        found.append([logits, *(parameter.grad for parameter in network.parameters())])
    torch.testing.assert_close(found[0], found[1])


def test_between_layers_is_dropout_in_training_alone():
    torch.manual_seed(0)
    network = Lstm(
        input_shape=(9, 5), n_classes=4, hidden_dim=6, num_layers=2, dropout=0.5, pooling="mean"
    )
    x, n_frames = torch.randn(5, 9, 5), torch.full((5,), 9)
    assert not torch.equal(network(x, n_frames), network(x, n_frames))
    network.eval()
    assert torch.equal(network(x, n_frames), network(x, n_frames))


def test_mean_pooling_does_not_see_the_padding(default_params):
    network, _ = network_of(default_params, "lstm_36kb")
    network.eval()
    x = torch.randn(1, 36, 13)
    disturbed = x.clone()
    disturbed[:, 20:] = 100.0
    n_frames = torch.tensor([20])
    torch.testing.assert_close(network(x, n_frames), network(disturbed, n_frames))
    assert not torch.allclose(network(x, n_frames + 1), network(disturbed, n_frames + 1))


def test_last_pooling_is_the_references(default_params):
    default_params["model"]["pooling"] = "last"
    network, _ = network_of(default_params, "lstm")
    network.eval()
    x = torch.randn(2, 36, 13)
    x[0, 3:] = 0.0  # as padded clips are
    expected = network.linear(network.lstm(x)[0][:, -1])
    torch.testing.assert_close(network(x, torch.tensor([3, 36])), expected)


def test_pooling_before_relu_gives_the_references_maps(default_params):
    network, shape = network_of(small(default_params), "cnn")
    network.eval()
    x = torch.randn(2, *shape)
    maps = x.transpose(1, 2).unsqueeze(1)
    for layer in network.convolutions:
        if isinstance(layer, torch.nn.Conv2d):
            maps = functional.max_pool2d(torch.relu(layer(maps)), 2)
    torch.testing.assert_close(network(x, torch.ones(2)), network.linears(maps.flatten(1)))


def test_cnn_lstm_trains_the_network_that_it_evaluates(default_params):
    # While training, the LSTM is written out step by step.
    network, shape = network_of(small(default_params), "cnn_lstm")
    x, n_frames = torch.randn(2, *shape), torch.ones(2)
    outputs, gradients = [], []
    for training in (True, False):
        network.train(training)
        network.zero_grad()
        logits = network(x, n_frames)
        logits.square().sum().backward()
        outputs.append(logits.detach())
        gradients.append([p.grad.clone() for p in network.parameters()])
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)
    for stepwise, whole in zip(*gradients, strict=True):
        torch.testing.assert_close(stepwise, whole, rtol=1e-3, atol=1e-4)


def test_cnn_lstm_cuts_along_time(default_params):
    network, shape = network_of(small(default_params), "cnn_lstm")
    network.eval()
    x = torch.randn(1, *shape)
    seen = []
    network.lstm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(x, torch.ones(1))
    later = x.clone()
    later[:, 20:] += 1.0  # pooled frames 10 and later: steps 2 (frames 8 to 11) and 3
    network(later, torch.ones(1))
    same = [bool(torch.equal(seen[0][:, t], seen[1][:, t])) for t in range(4)]
    assert same == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lstm_36kb", 36 * (4 * 24 * (13 + 24) + 4 * 24 * 48) + 240),
        (
            "cnn_lstm",
            20 * 9 * 1025 * 32 + 4 * (512 * 40960 + 512 * 128) + 1280,
        ),
    ],
)
def test_multiply_accumulates_by_hand(default_params, name, expected):
    with torch.device("meta"):
        network, _ = network_of(default_params, name)
    assert network.multiply_accumulates() == expected


def test_fan_in_keeps_the_gates_open(default_params):
    bounds = {}
    for init in ("fan_in", "pytorch"):
        default_params["variants"]["cnn_lstm"]["input_init"] = init
        network, _ = network_of(default_params, "cnn_lstm")
        bounds[init] = network.lstm.weight_ih_l0.abs().max().item()
    assert bounds["fan_in"] <= 40960**-0.5
    assert bounds["pytorch"] > 10 * bounds["fan_in"]


def test_features_too_small_for_the_network_are_refused(default_params):
    model = read_model_params(default_params, "cnn")
    architecture = describe_network(model, 5, 10)
    with pytest.raises(UserError, match="are too small for 2 convolutions"):
        make_network(architecture, (4, 5), 10)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_values_after_the_valid_frames_change_nothing(default_params, pooling):
    # Noise and stretching leave other values there in training than evaluation has.
    default_params["model"]["pooling"] = pooling
    network, shape = network_of(default_params, "lstm")
    network.eval()
    n_frames = torch.tensor([5, shape[0]])
    x = torch.randn(2, *shape)
    noisy = x.clone()
    noisy[0, 5:] = 9.0
    torch.testing.assert_close(network(noisy, n_frames), network(x, n_frames))
