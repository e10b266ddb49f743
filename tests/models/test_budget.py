from __future__ import annotations

import subprocess
import sys

import pytest

from spoken_digits.config import build
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
    found = largest_hidden_dim(params(**changes), num_layers, 13, 10)
    assert (found, type(found)) == (expected, int)


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


@pytest.mark.parametrize("reading", ["total", "per_layer", "int8_all", "pow2_all"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("hidden_dim", [1, 2, 3, 24, 31])
def test_a_budget_is_fit_to_its_last_byte(reading, num_layers, hidden_dim):
    n_bytes = needed_bytes(tensor_sizes(hidden_dim, num_layers, 13, 10, reading=reading), reading)
    exact = params(kib=n_bytes / 1024, reading=reading)
    assert largest_hidden_dim(exact, num_layers, 13, 10) == hidden_dim
    short = params(kib=(n_bytes - 1) / 1024, reading=reading)
    if hidden_dim > 1:
        assert largest_hidden_dim(short, num_layers, 13, 10) == hidden_dim - 1
    else:
        with pytest.raises(UserError, match="holds no LSTM"):
            largest_hidden_dim(short, num_layers, 13, 10)


@pytest.mark.parametrize(
    ("hidden_dim", "input_dim", "n_classes", "layer", "values"),
    [
        (5, 100, 3, "l0", 4 * 5 * (100 + 5) + 8 * 5),
        (5, 4, 3, "l1", 4 * 5 * (5 + 5) + 8 * 5),
        (2, 1, 500, "linear", 500 * 2 + 500),
    ],
)
def test_any_layer_may_be_the_largest(hidden_dim, input_dim, n_classes, layer, values):
    tensors = tensor_sizes(hidden_dim, 2, input_dim, n_classes)
    assert needed_bytes(tensors, "per_layer") == 4 * values
    assert sum(t.n_values for t in tensors if t.layer == layer) == values
    assert {t.layer for t in tensors} == {"l0", "l1", "linear"}


@pytest.mark.parametrize("scheme", ["int8", "pow2"])
def test_every_tensor_of_an_integer_network(scheme):
    tensors = {t.name: t for t in tensor_sizes(5, 2, 3, 7, reading=f"{scheme}_all")}
    columns = {"int8": (8, 10, 5), "pow2": (4, 5, 3)}[scheme]  # bytes a row
    assert {name: (t.shape, t.n_bytes) for name, t in tensors.items()} == {
        "lstm.weight_l0": ((20, 8), 20 * columns[0]),
        "lstm.bias_l0": ((20,), 80),
        "lstm.weight_l1": ((20, 10), 20 * columns[1]),
        "lstm.bias_l1": ((20,), 80),
        "linear.weight": ((7, 5), 7 * columns[2]),
        "linear.bias": ((7,), 28),
        # a shift for each row and input, two cells, the output matrix, the table of tanh
        "shifts, tables": ((304,), 2 * 20 + 3 + 2 + 1 + 258),
    }


def test_bytes_a_weight_and_bytes_a_bias_are_their_own():
    tensors = tensor_sizes(2, 1, 3, 4, 2, 8, 1)
    assert [(t.name, t.n_bytes) for t in tensors] == [
        ("lstm.weight_ih_l0", 2 * 8 * 3),
        ("lstm.weight_hh_l0", 2 * 8 * 2),
        ("lstm.bias_l0", 8 * 8),
        ("linear.weight", 2 * 4 * 2),
        ("linear.bias", 8 * 4),
    ]
    two = tensor_sizes(2, 1, 3, 4, 2, 8, 2)
    assert [t.name for t in two[2:4]] == ["lstm.bias_ih_l0", "lstm.bias_hh_l0"]


@pytest.mark.parametrize("key", ["kib", "bytes_per_weight", "bytes_per_bias"])
def test_a_budget_needs_positive_numbers(key):
    for value in (0, -1):
        with pytest.raises(UserError, match=f"`budget.{key}` is {value}, must be"):
            build(BudgetParams, {**vars(params()), key: value}, "budget")
    assert getattr(build(BudgetParams, {**vars(params()), key: 1}, "budget"), key) == 1


def test_the_table_in_full():
    tensors = tensor_sizes(50, 1, 13, 10)
    lines = budget.table(tensors, "total", 60 * 1024).splitlines()
    assert lines == [
        "tensor                     shape      values       bytes      KiB",
        "lstm.weight_ih_l0       200 x 13       2,600      10,400    10.16",
        "lstm.weight_hh_l0       200 x 50      10,000      40,000    39.06",
        "lstm.bias_ih_l0              200         200         800     0.78",
        "lstm.bias_hh_l0              200         200         800     0.78",
        "linear.weight            10 x 50         500       2,000     1.95",
        "linear.bias                   10          10          40     0.04",
        "total                                 13,510      54,040    52.77",
        "all parameters: 54,040 of 61,440 bytes, 7,400 to spare",
    ]
    last = budget.table(tensors, "per_layer", 60 * 1024).splitlines()[-1]
    assert last == "the largest layer: 52,000 of 61,440 bytes, 9,440 to spare"
