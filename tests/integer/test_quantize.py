"""Conversion of float weights to integers: rounding, exponents, ceilings, calibration."""

from __future__ import annotations

import numpy as np
import pytest
from networks import random_features, random_parent

from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.limits import SCHEMES, accumulator_bound
from spoken_digits.integer.operators.base import Scales
from spoken_digits.integer.operators.linear import FloatLinear, Linear
from spoken_digits.integer.operators.lstm import MAX_HIDDEN, FloatLstm, Lstm
from spoken_digits.integer.quantize import quantize_rows

LEVELS = {"int8": np.arange(-127, 128), "pow2": np.array([0, 1, 2, 4, 8, 16, 32, 64])}
FREE = 24
"""A ceiling that no row of these tests meets."""


def rows(weight, scheme, ceiling=FREE):
    weight = np.asarray(weight, np.float64)
    return quantize_rows(weight, scheme, np.full(len(weight), ceiling))


def nearest(scaled: np.ndarray, scheme: str) -> np.ndarray:
    """The distance of each value to the nearest that the scheme holds."""
    levels = np.unique(np.concatenate([LEVELS[scheme], -LEVELS[scheme]]))
    return np.abs(scaled[..., None] - levels).min(axis=-1)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_row_has_the_exponent_of_the_smallest_squared_error(scheme):
    """Over every exponent there is, by a search of its own."""
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 1, (60, 20)) * 2.0 ** rng.uniform(-6, 3, (60, 1))
    q, shift = rows(weight, scheme)
    errors = np.stack(
        [(nearest(weight * 2.0**e, scheme) ** 2).sum(axis=1) / 4.0**e for e in range(FREE + 1)]
    )
    ours = ((q / 2.0 ** shift[:, None] - weight) ** 2).sum(axis=1)
    np.testing.assert_allclose(ours, errors.min(axis=0), rtol=1e-9)
    assert q.dtype == np.int8


@pytest.mark.parametrize(
    ("scaled", "scheme", "expected"),
    [
        ([-127, -0.5, 0.5, 1.49, 2.5, 126.4], "int8", [-127, 0, 1, 1, 3, 126]),
        ([64, 0.49, 0.5, 0.74, 1.49, 1.5, 2.9, 3.0], "pow2", [64, 0, 1, 1, 1, 2, 2, 4]),
        (
            [-64, -0.49, -0.5, -5.9, -6.1, -24.1, -47, -49],
            "pow2",
            [-64, 0, -1, -4, -8, -32, -32, -64],
        ),
    ],
)
@pytest.mark.parametrize("exponent", [0, 3])
def test_values_go_to_the_nearest_that_the_scheme_holds(scaled, scheme, expected, exponent):
    """The ceiling leaves one exponent alone."""
    q, shift = rows([np.array(scaled) / 2.0**exponent], scheme, exponent)
    assert shift.tolist() == [exponent]
    assert q.tolist() == [expected]


def test_values_a_little_too_large_are_clipped():
    q, shift = rows([[127.48, -127.48, 3.0]], "int8", 0)
    assert (q.tolist(), shift.tolist()) == ([[127, -127, 3]], [0])
    with pytest.raises(ValueError, match="a weight of 128 or its bias is too large for int8"):
        rows([[1.0, -127.6]], "int8")
    q, shift = rows([[64.48, 3.0]], "pow2", 0)
    assert (q.tolist(), shift.tolist()) == ([[64, 4]], [0])
    with pytest.raises(ValueError, match=r"a weight of 64\.5 or its bias is too large for pow2"):
        rows([[1.0, 64.5]], "pow2")


def test_the_largest_weight_of_all_is_named():
    with pytest.raises(ValueError, match="a weight of 900 or"):
        rows([[1.0], [-900.0], [500.0]], "int8")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_ceiling_below_0_is_refused_and_one_of_0_is_kept(scheme):
    assert rows([[0.9]], scheme, 0)[1].tolist() == [0]
    with pytest.raises(ValueError, match="too large"):
        rows([[0.9]], scheme, -1)


def test_among_equals_the_smaller_exponent_stays():
    """48 lies between 32 and 64: off by 16 with either."""
    q, shift = rows([[48.0]], "pow2")
    assert (q.tolist(), shift.tolist()) == ([[64]], [0])


@pytest.mark.parametrize("sign", [-1, 1])
def test_one_weight_is_clipped_where_many_gain_by_it(sign):
    q, shift = rows([[sign * 64.5, *[0.5] * 200]], "int8")
    assert shift.tolist() == [1]
    assert q[0, :2].tolist() == [sign * 127, 1]


@pytest.mark.parametrize(
    ("bias", "weight", "mean", "expected"),
    [  # 7.95 is the largest offset that leaves room for 15 bits, 2034.5 for 7
        (6.94, 0.0, 0.0, 15),
        (7.0, 0.0, 0.0, 14),
        (-6.94, 0.0, 0.0, 15),
        (5.0, 0.0, 1.94, 15),
        (5.0, 0.0, -2.0, 14),
        (34.0, 0.001, 2000.0, 7),
        (-34.0, 0.001, 2000.0, 6),
    ],
)
def test_the_exponent_leaves_room_for_bias_mean_and_one_more(bias, weight, mean, expected):
    """The room is 2**31 less 383 times the operands' reach of 128 << 8 and 4092."""
    layer = single(np.full((4, 2), [weight, 0.0]), np.full(4, bias), mean=[mean])
    assert rounded(layer, "int8", reach=[2**15]).rows.shift.tolist() == [expected] * 4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_row_keeps_its_own_ceiling(scheme):
    weight = np.full((4, 3), 0.01)
    ceiling = np.array([1, 4, 9, 24])
    q, shift = quantize_rows(weight, scheme, ceiling)
    assert (shift <= ceiling).all()
    assert shift[:3].tolist() == [1, 4, 9]  # each would rather have more
    scaled = 0.01 * 2.0 ** shift[:, None]
    np.testing.assert_allclose(np.abs(q[:, :1] - scaled), nearest(scaled, scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rows_of_zeros_and_of_nothing(scheme):
    q, shift = rows(np.zeros((2, 3)), scheme)
    assert not q.any()
    assert shift.tolist() == [FREE, FREE]
    q, shift = rows(np.zeros((2, 0)), scheme)
    assert q.shape == (2, 0)


def single(weight, bias, *, mean=(0.0,)) -> FloatLstm:
    """A layer of one unit."""
    return FloatLstm(
        weight=np.array(weight, np.float64),
        bias=np.array(bias, np.float64),
        input_mean=np.array(mean, np.float64),
    )


def rounded(layer: FloatLstm, scheme: str, *, reach=(128,)) -> Lstm:
    """In integers, reading inputs that reach so far."""
    return layer.quantised(Scales((4096.0,), 4096.0, np.array(reach), scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_mean_is_folded_into_the_bias_through_the_rounded_weights(scheme):
    weight = np.array([[0.3, 0.2], [1.1, -0.7], [-0.01, 0.4], [0.6, 0.6]])
    bias = np.array([0.1, -0.2, 3.0, 0.0])
    rows = rounded(single(weight, bias, mean=[0.37]), scheme).rows
    real = rows.weight / 2.0 ** rows.shift[:, None]
    expected = (bias - 0.37 * real[:, 0]) * 2.0 ** (12 + rows.shift)
    np.testing.assert_array_equal(rows.bias, np.floor(expected + 0.5))
    np.testing.assert_allclose(real, weight, atol=0.5 * np.abs(weight).max())
    assert rows.code == scheme


def test_the_mean_is_that_of_the_inputs_and_of_the_first_layer_alone():
    parent = random_parent(4, h=3, n_layers=2, n_classes=2)
    first, second = (node.operator for node in parent.nodes[1:3])
    assert first.input_mean.shape == (13,)
    assert first.input_mean.all()
    assert second.input_mean.tolist() == [0.0] * 3
    made = quantise(parent, *random_features(4))
    for layer, node in zip((first, second), made.nodes[1:3], strict=True):
        rows, n_in = node.operator.rows, len(layer.input_mean)
        weight = rows.weight / 2.0 ** rows.shift[:, None]
        real = layer.bias - weight[:, :n_in] @ layer.input_mean
        np.testing.assert_array_equal(rows.bias, np.floor(real * 2.0 ** (12 + rows.shift) + 0.5))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bias", [3.0, 50.0, 400.0, -3000.0, -60000.0])
@pytest.mark.parametrize("mean", [0.0, 7.5])
def test_a_large_bias_costs_precision_but_never_leaves_int32(scheme, bias, mean):
    """The exponent is the largest but one at most at which the accumulator holds."""
    layer = single(np.full((4, 2), 1e-6), np.full(4, bias), mean=[mean])
    made = rounded(layer, scheme, reach=[2**15])
    reach = np.array([2**15, MAX_HIDDEN])

    def holds(exponent: np.ndarray) -> bool:
        offset = np.floor(bias * 2.0 ** (12 + exponent) + 0.5).astype(np.int64)
        return bool((accumulator_bound(offset, exponent, reach) < 2**31).all())

    assert (made.rows.bound(reach) < 2**31).all()
    largest = max(e for e in range(25) if holds(np.full(4, e)))
    assert (made.rows.shift >= largest - 3).all()
    made.reach([np.array([2**15])])  # refuses nothing


def test_inputs_must_have_the_fraction_bits_of_an_lstm():
    layer = single(np.zeros((4, 2)), np.zeros(4))
    for scales in (Scales((2048.0,), 4096.0, np.ones(1, int)), Scales((4096.0,), 4096.0)):
        with pytest.raises(ValueError, match="lstm: its input must have 12 fraction bits"):
            layer.quantised(scales)


def output(weight, bias, scheme: str) -> Linear:
    """A linear layer in integers, reading hidden states."""
    layer = FloatLinear(weight=np.array(weight), bias=np.array(bias, np.float64))
    return layer.quantised(Scales((4096.0,), 1.0, np.full(1, MAX_HIDDEN), scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bias", [0.0, 1.1, 100.0, -3000.0])
def test_output_biases_stay_below_a_quarter_of_the_range(scheme, bias):
    made = output([[1e-6], [0.0]], [0.3, bias], scheme)
    np.testing.assert_array_equal(
        made.rows.bias, np.floor(np.array([0.3, bias]) * 2.0 ** (12 + made.shift) + 0.5)
    )
    assert np.abs(made.rows.bias).max() <= 2**29
    peak = max(abs(bias), 0.3)
    assert peak * 2.0 ** (12 + made.shift + 1) > 2**29  # the next exponent would be too large


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_output_matrix_has_one_exponent(scheme):
    weight = np.array([[1.0], [0.011], [-0.5]])
    made = output(weight, [0, 0, 1.0], scheme)
    flat, exponents = quantize_rows(weight.reshape(1, -1), scheme, np.array([FREE]))
    assert made.shift == exponents[0]
    assert made.code == scheme
    np.testing.assert_array_equal(made.rows.weight[:, 0], flat[0])
    assert made.rows.bias.tolist() == [0, 0, 2.0 ** (12 + made.shift)]


def test_the_ceiling_of_the_output_is_met():
    """Weights too small for it: the exponent ends there."""
    assert output([[1e-9]], [0.0], "int8").shift == 24


@pytest.mark.parametrize(
    ("peak", "bits"),
    [(0.1, 12), (6.39, 12), (6.41, 11), (12.79, 11), (12.81, 10), (51.3, 8), (1000.0, 8)],
)
def test_cells_have_the_fraction_bits_that_their_range_with_a_quarter_more_leaves(
    monkeypatch, peak, bits
):
    """15 bits for the range: 8 units and no more leave 12 bits. Only valid frames count."""
    layer = single(np.zeros((4, 2)), np.zeros(4))
    cells = np.zeros((2, 3, 1))
    cells[1, 1], cells[1, 2] = -peak, 4 * peak
    monkeypatch.setattr(FloatLstm, "_states", lambda _, x: (np.zeros_like(cells), cells))
    made = layer.calibrated([np.zeros((2, 3, 1, 1))], np.array([3, 2]))
    assert made.cell_bits == bits
    assert rounded(made, "int8").cell_bits == bits
    np.testing.assert_array_equal(made.weight, layer.weight)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_network_is_assembled_from_its_parts(scheme):
    parent = random_parent(6, h=4, n_layers=2, n_classes=3)
    features, n_frames = random_features(6)
    network = quantise(parent, features, n_frames, code=scheme)
    assert network.scheme == scheme
    assert [node.operator.kind for node in network.nodes] == [
        *("shift", "lstm", "lstm", "mean", "linear")
    ]
    calibrated = parent.calibrated(features, n_frames)
    np.testing.assert_array_equal(network.nodes[0].operator.shift, parent.nodes[0].operator.shift)
    reach = 128 << network.nodes[0].operator.shift
    for number in (1, 2):
        own = rounded(calibrated.nodes[number].operator, scheme, reach=reach)
        for name, array in network.nodes[number].operator.arrays().items():
            np.testing.assert_array_equal(array, own.arrays()[name])
        reach = np.full(4, MAX_HIDDEN)
    last = parent.nodes[4].operator
    own = output(last.weight, last.bias, scheme).arrays()
    for name, array in network.nodes[4].operator.arrays().items():
        np.testing.assert_array_equal(array, own[name])
        assert array.dtype == own[name].dtype
    assert network.logit_step == 2.0 ** -(12 + network.nodes[4].operator.shift)
