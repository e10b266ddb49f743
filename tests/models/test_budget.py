from __future__ import annotations

import subprocess
import sys

import pytest

from spoken_digits.errors import UserError
from spoken_digits.integer.limits import lstm_bytes
from spoken_digits.models import budget
from spoken_digits.models.architectures.lstm import Network as Lstm
from spoken_digits.models.budget import largest_hidden_dim, needed_bytes, tensor_sizes
from spoken_digits.models.budget_params import BudgetParams
from spoken_digits.models.networks import n_parameters


def params(**changes) -> BudgetParams:
    defaults = {
        "kib": 36,
        "bytes": None,
        "bytes_per_weight": 4,
        "bytes_per_bias": 4,
        "bias_vectors": 2,
        "reading": "total",
    }
    return BudgetParams(**{**defaults, **changes})


@pytest.mark.parametrize(
    ("changes", "num_layers", "expected"),
    [
        ({}, 2, 24),
        ({}, 1, 40),
        ({"reading": "per_layer"}, 2, 33),
        ({"reading": "per_layer"}, 1, 41),
        ({"bytes_per_weight": 1, "bias_vectors": 1}, 2, 51),
        ({"bytes_per_weight": 1, "bias_vectors": 1}, 1, 86),
        ({"kib": None, "bytes": 36_000, "reading": "int8_all"}, 2, 50),
        ({"kib": None, "bytes": 36_000, "reading": "pow2_all"}, 2, 71),
    ],
)
def test_the_known_answers(changes, num_layers, expected):
    assert largest_hidden_dim(params(**changes), num_layers, 13, 10) == expected


def test_int8_needs_the_known_bytes():
    for hidden_dim, num_layers, n_bytes in ((51, 2, 36_046), (86, 1, 36_332)):
        tensors = tensor_sizes(hidden_dim, num_layers, 13, 10, 1, 4, 1)
        assert needed_bytes(tensors, "total") == n_bytes


@pytest.mark.parametrize("reading", ["total", "per_layer"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("kib", [1, 7.5, 36, 500])
def test_the_answer_fits_and_one_more_does_not(reading, num_layers, kib):
    chosen = largest_hidden_dim(params(kib=kib, reading=reading), num_layers, 20, 35)
    sizes = [
        needed_bytes(tensor_sizes(h, num_layers, 20, 35), reading) for h in (chosen, chosen + 1)
    ]
    assert sizes[0] <= kib * 1024 < sizes[1]


@pytest.mark.parametrize(("hidden_dim", "num_layers"), [(24, 2), (40, 1), (128, 2), (5, 3)])
def test_the_table_is_that_of_the_network(hidden_dim, num_layers):
    network = Lstm(
        input_shape=(36, 13),
        n_classes=10,
        hidden_dim=hidden_dim,
        num_layers=num_layers,
        dropout=0.0,
        pooling="mean",
    )
    tensors = tensor_sizes(hidden_dim, num_layers, 13, 10)
    assert [(t.name, t.shape) for t in tensors] == [
        (name, tuple(parameter.shape)) for name, parameter in network.named_parameters()
    ]
    assert sum(t.n_values for t in tensors) == n_parameters(network)


@pytest.mark.parametrize("scheme", ["int8", "pow2"])
def test_the_table_of_an_integer_network_is_all_it_keeps(scheme):
    tensors = tensor_sizes(24, 2, 13, 10, reading=f"{scheme}_all")
    assert sum(t.n_bytes for t in tensors) == lstm_bytes(
        [24, 24], scheme, n_inputs=13, n_classes=10
    )


def test_no_network_fits():
    with pytest.raises(UserError, match="holds no LSTM of 2 layer"):
        largest_hidden_dim(params(kib=0.1), 2, 13, 10)


def test_the_command_prints_the_table():
    command = [sys.executable, "-m", "spoken_digits.budget", "--kib", "36"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "largest hidden size: 24" in output
    assert "lstm.weight_hh_l1" in output
    assert "8,794" in output
    assert "34.35" in output


def test_the_command_refuses_a_budget_of_nothing():
    command = [sys.executable, "-m", "spoken_digits.budget", "--kib", "-1"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: arguments of the command: `kib` is -1.0, must be")
    assert result.stderr.count("\n") == 1


def test_a_budget_in_bytes():
    assert params(kib=None, bytes=36_000).n_bytes == 36_000
    assert params(kib=36).n_bytes == 36_864
    for neither_or_both in ({"kib": None}, {"bytes": 36_000}):
        with pytest.raises(ValueError, match="give one of the two"):
            params(**neither_or_both)


def test_per_layer_takes_the_largest_layer():
    tensors = tensor_sizes(33, 2, 13, 10)
    per_layer = needed_bytes(tensors, "per_layer")
    assert per_layer == (8 * 33 * 33 + 8 * 33) * 4
    assert budget.needed_bytes(tensors, "total") > per_layer
