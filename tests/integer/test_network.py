"""The integer LSTM: its arithmetic, its closeness to the float parent, its limits."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from networks import extreme_network, random_features, random_parent, random_state
from spoken_digits.integer.convert import from_state, run_float
from spoken_digits.integer.network import IntegerLayer, IntegerLSTM, from_arrays, predict

from spoken_digits.integer import activation
from spoken_digits.integer.limits import SCHEMES, lstm_bytes, stored_bytes
from spoken_digits.integer.quantize import quantize, quantize_rows

SHAPE = {"h": 24, "n_layers": 2, "n_classes": 10}


def scalar_logits(network: IntegerLSTM, frames: np.ndarray) -> list[int]:
    """An independent implementation of the specification in Python integers, unit by unit."""

    def half_tanh(t):
        low, high = int(activation.TABLE[t >> 8]), int(activation.TABLE[(t >> 8) + 1])
        return low + (((high - low) * (t & 255) + 128) >> 8)

    def sigmoid(z):
        return 16384 + (half_tanh(z) if z >= 0 else ~half_tanh(~z))

    def tanh(z, bits):
        doubled = (z if z >= 0 else ~z) << (13 - bits)
        u = 2 * half_tanh(min(doubled, 32767))
        return u if z >= 0 else ~u

    def rounded(x, shift):
        return (x + (1 << shift >> 1)) >> shift

    def saturated(x):
        return max(-32768, min(32767, x))

    hidden = [[0] * layer.n_units for layer in network.layers]
    cell = [[0] * layer.n_units for layer in network.layers]
    total = [0] * network.layers[-1].n_units
    for frame in frames.tolist():
        below = [x << int(s) for x, s in zip(frame, network.input_shift, strict=True)]
        for number, layer in enumerate(network.layers):
            operand, h = below + hidden[number], layer.n_units
            fresh = []
            for unit in range(h):
                z = []
                for row in range(unit, 4 * h, h):
                    products = zip(layer.weight[row].tolist(), operand, strict=True)
                    total_row = int(layer.bias[row]) + sum(w * v for w, v in products)
                    z.append(saturated(rounded(total_row, int(layer.shift[row]))))
                i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), tanh(z[2], 12), sigmoid(z[3])
                kept = rounded(f * cell[number][unit], 15)
                cell[number][unit] = saturated(kept + rounded(i * g, 30 - layer.cell_bits))
                fresh.append(rounded(o * tanh(cell[number][unit], layer.cell_bits), 18))
            hidden[number] = below = fresh
        total = [a + b for a, b in zip(total, below, strict=True)]
    n = max(len(frames), 1)
    pooled = [(2 * x + n) // (2 * n) for x in total]
    return [
        int(bias) + sum(w * v for w, v in zip(row.tolist(), pooled, strict=True))
        for row, bias in zip(network.output_weight, network.output_bias, strict=True)
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n_layers", [1, 3])
def test_equals_the_specification_in_python_integers(scheme, n_layers):
    parent = random_parent(n_layers, h=5, n_layers=n_layers, n_classes=3, scale=2.0)
    features, n_frames = random_features(1, n_clips=12)
    for network in (quantize(parent, features, n_frames, scheme), extreme_network(scheme, -1)):
        logits = network.logits(features, n_frames)
        expected = [
            scalar_logits(network, clip[:n]) for clip, n in zip(features, n_frames, strict=True)
        ]
        np.testing.assert_array_equal(logits, expected)
        assert logits.dtype == np.int32


def test_sigmoid_and_tanh_are_close_for_every_input():
    z = np.arange(-(2**15), 2**15, dtype=np.int32)
    t = z / 2**12
    assert np.abs(activation.sigmoid(z) / 2**15 - 1 / (1 + np.exp(-t))).max() < 9e-5
    inside = np.abs(t) < 4
    error = np.abs(activation.tanh(z) / 2**15 - np.tanh(t))
    assert error[inside].max() < 3.2e-4
    assert error.max() < 6.8e-4
    for values in (activation.sigmoid(z), activation.tanh(z)):
        assert (np.diff(values) >= 0).all()
    assert activation.sigmoid(z).min() > 0
    assert activation.sigmoid(z).max() < 2**15


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_tanh_reads_other_grids(bits):
    z = np.arange(-(2**15), 2**15, 7, dtype=np.int32)
    assert np.abs(activation.tanh(z, bits) / 2**15 - np.tanh(z / 2**bits)).max() < 4.0 / 2**bits


def test_int8_stays_close_to_its_float_parent():
    parent = random_parent(5, **SHAPE, scale=2.0)
    features, n_frames = random_features(5)
    n_frames = np.maximum(n_frames, 1)
    network = quantize(parent, features, n_frames, "int8")
    real = run_float(parent, features, n_frames).logits
    error = np.abs(network.logits(features, n_frames) * network.logit_step - real)
    assert np.median(error) < 0.01 * real.std()


def test_folding_the_normalisation_changes_nothing():
    """from_state against PyTorch's own LSTM on normalised features."""
    rng = np.random.default_rng(8)
    state = random_state(rng, **SHAPE)
    mean, std = rng.uniform(-60, 60, 13), rng.uniform(0.3, 60, 13)
    features, n_frames = random_features(8, n_clips=4)
    n_frames[:] = features.shape[1]
    lstm = torch.nn.LSTM(13, 24, 2, batch_first=True).double()
    lstm.load_state_dict(
        {k.removeprefix("lstm."): torch.tensor(v) for k, v in state.items() if "lstm" in k}
    )
    hidden = lstm(torch.tensor((features - mean) / std))[0].detach().numpy()
    expected = hidden.mean(axis=1) @ state["output.weight"].T + state["output.bias"]
    folded = run_float(from_state(state, mean=mean, std=std), features, n_frames).logits
    np.testing.assert_allclose(folded, expected, atol=1e-9)


def test_power_of_two_weights_are_powers_of_two_and_nearest():
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 1, (30, 50))
    q, shift = quantize_rows(weight, "pow2", np.full(30, 24))
    assert set(np.unique(np.abs(q))) == {0, 1, 2, 4, 8, 16, 32, 64}
    levels = np.array([0, 1, 2, 4, 8, 16, 32, 64])
    scaled = np.abs(weight) * 2.0 ** shift[:, None]
    distance = np.abs(scaled[..., None] - levels).min(axis=-1)
    np.testing.assert_allclose(np.abs(scaled - np.abs(q)), distance)


def test_int8_weights_are_off_by_half_a_step_at_most_unless_clipped():
    weight = np.random.default_rng(0).normal(0, 1, (30, 50))
    q, shift = quantize_rows(weight, "int8", np.full(30, 24))
    error = np.abs(q - weight * 2.0 ** shift[:, None])
    assert (error[np.abs(q) < 127] <= 0.5).all()
    assert np.abs(q).max(axis=1).min() >= 64  # each row uses its range


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_zero_rows_and_huge_biases_are_quantized(scheme):
    rng = np.random.default_rng(0)
    state = random_state(rng, **SHAPE)
    state["lstm.weight_ih_l0"][3] = state["lstm.weight_hh_l0"][3] = 0
    state["lstm.bias_ih_l0"][3] = 90.0
    parent = from_state(state, mean=np.zeros(13), std=np.full(13, 30.0))
    network = quantize(parent, *random_features(0), scheme)
    layer = network.layers[0]
    assert (layer.weight[3] == 0).all()
    total = state["lstm.bias_ih_l0"][3] + state["lstm.bias_hh_l0"][3]
    assert layer.bias[3] / 2.0 ** (12 + layer.shift[3]) == pytest.approx(total, rel=1e-6)


def test_refuses_networks_that_c_cannot_hold():
    state = random_state(np.random.default_rng(0), **SHAPE)
    with pytest.raises(ValueError, match="std must be positive"):
        from_state(state, mean=np.zeros(13), std=np.zeros(13))
    with pytest.raises(ValueError, match=r"no nets\.weight_ih_l0"):
        from_state(state, mean=np.zeros(13), std=np.ones(13), lstm="nets")
    state["lstm.weight_hh_l1"][0, 0] = 1e6
    parent = from_state(state, mean=np.zeros(13), std=np.ones(13))
    with pytest.raises(ValueError, match="too large"):
        quantize(parent, *random_features(0), "int8")
    network = extreme_network("int8", 1)
    with pytest.raises(ValueError, match="no power of two"):
        IntegerLSTM(**{**vars(network), "scheme": "pow2"})
    bias = np.full(3, 2**31 - 1, np.int32)
    with pytest.raises(ValueError, match="could leave int32"):
        IntegerLSTM(**{**vars(network), "output_bias": bias})
    with pytest.raises(ValueError, match="features must be int8"):
        network.logits(np.zeros((1, 36, 12), np.int8), np.array([36]))


def changed_layer(network: IntegerLSTM, number: int, **changes) -> IntegerLSTM:
    layers = list(network.layers)
    layers[number] = dataclasses.replace(layers[number], **changes)
    return dataclasses.replace(network, layers=tuple(layers))


def with_one(values: np.ndarray, position, value: int) -> np.ndarray:
    """A copy in which one value differs."""
    copy = values.copy()
    copy[position] = value
    return copy


@pytest.mark.parametrize("position", [0, 6, -1])
def test_an_input_shift_lies_between_0_and_8(position):
    network = extreme_network("int8", 1)
    network = dataclasses.replace(network, input_shift=with_one(network.input_shift, position, 0))
    for value in (-1, 9):
        shift = with_one(network.input_shift, position, value)
        with pytest.raises(ValueError, match="an input shift is out of range, must be 0 to 8"):
            dataclasses.replace(network, input_shift=shift)


def test_the_output_shift_lies_between_0_and_24():
    network = extreme_network("pow2", 1)
    for value in (0, 24):
        assert dataclasses.replace(network, output_shift=value).logit_step == 2.0 ** -(12 + value)
    for value in (-1, 25):
        with pytest.raises(ValueError, match=f"output_shift {value} is out of range"):
            dataclasses.replace(network, output_shift=value)


@pytest.mark.parametrize("number", [0, 1])
def test_the_fraction_bits_of_a_cell_lie_between_8_and_12(number):
    network = extreme_network("int8", 1)
    for value in (8, 12):
        assert changed_layer(network, number, cell_bits=value).layers[number].cell_bits == value
    for value in (7, 13):
        with pytest.raises(ValueError, match=f"layer {number}: cell_bits {value} is out of range"):
            changed_layer(network, number, cell_bits=value)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("row", [0, 7, -1])
def test_a_row_shift_lies_between_0_and_24(number, row):
    network = extreme_network("int8", 1)
    shift = network.layers[number].shift
    for value in (0, 24):
        changed_layer(network, number, shift=with_one(shift, row, value))
    for value in (-1, 25):
        with pytest.raises(ValueError, match=f"layer {number}: a row shift is out of range"):
            changed_layer(network, number, shift=with_one(shift, row, value))


@pytest.mark.parametrize(("scheme", "largest"), [("int8", 127), ("pow2", 64)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_weights_of_every_matrix_are_checked(scheme, largest, sign):
    network = extreme_network(scheme, sign)
    excess = np.int8(-128)  # a power of two, so that only its size is wrong
    for number, layer in enumerate(network.layers):
        for position in ((0, 0), (-1, -1)):
            weight = with_one(layer.weight, position, excess)
            with pytest.raises(ValueError, match=f"layer {number}: a weight is out of range"):
                changed_layer(network, number, weight=weight)
    with pytest.raises(ValueError, match="output: a weight is out of range"):
        dataclasses.replace(network, output_weight=with_one(network.output_weight, (-1, 0), excess))
    assert np.abs(network.output_weight).max() == largest


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_bias_is_the_one_that_just_keeps_the_accumulator_in_int32(number, sign):
    """255 and 128 times the sum of all operands, a bias and half a step, below 2**31."""
    network = extreme_network("int8", 1)
    n_in = [13 * 2**15, 5 * 4092][number]
    for row, shift in ((0, 0), (11, 11), (19, 19)):  # row k of the layer shifts by k
        assert network.layers[number].shift[row] == shift
        half_a_step = 2**shift // 2
        largest = 2**31 - 1 - 383 * (n_in + 5 * 4092) - half_a_step
        bias = network.layers[number].bias
        changed_layer(network, number, bias=with_one(bias, row, sign * largest))
        with pytest.raises(ValueError, match=f"layer {number}: an accumulator could leave int32"):
            changed_layer(network, number, bias=with_one(bias, row, sign * (largest + 1)))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("word", [0, 2])
def test_the_largest_output_bias_likewise(sign, word):
    network = extreme_network("int8", 1)
    largest = 2**31 - 1 - 383 * 5 * 4092

    def with_bias(value: int) -> IntegerLSTM:
        return dataclasses.replace(network, output_bias=with_one(network.output_bias, word, value))

    assert with_bias(sign * largest).output_bias[word] == sign * largest
    with pytest.raises(ValueError, match="output: an accumulator could leave int32"):
        with_bias(sign * (largest + 1))


def plain_network(*widths: int, n_inputs: int = 2, n_classes: int = 3) -> IntegerLSTM:
    """All weights and biases zero."""
    return IntegerLSTM(
        scheme="int8",
        layers=tuple(
            IntegerLayer(
                weight=np.zeros((4 * h, below + h), np.int8),
                bias=np.zeros(4 * h, np.int32),
                shift=np.zeros(4 * h, np.int64),
                cell_bits=10,
            )
            for below, h in itertools.pairwise((n_inputs, *widths))
        ),
        output_weight=np.zeros((n_classes, widths[-1]), np.int8),
        output_bias=np.zeros(n_classes, np.int32),
        output_shift=5,
        input_shift=np.array([1, 4]),
    )


@pytest.mark.parametrize("widths", [(4,), (3, 6), (6, 3), (2, 3, 4), (4, 3, 2)])
def test_layers_may_have_widths_of_their_own(widths):
    network = plain_network(*widths)
    features, n_frames = np.ones((2, 5, 2), np.int8), np.array([5, 3])
    np.testing.assert_array_equal(network.logits(features, n_frames), np.zeros((2, 3)))
    room = {
        number: 383 * 4092 * (below + h)
        for number, (below, h) in enumerate(itertools.pairwise(widths), start=1)
    }
    room[0] = 383 * (128 * 2 + 128 * 16 + 4092 * widths[0])
    for number, layer in enumerate(network.layers):
        largest = 2**31 - 1 - room[number]
        changed_layer(network, number, bias=with_one(layer.bias, -1, largest))
        with pytest.raises(ValueError, match=f"layer {number}: an accumulator could leave int32"):
            changed_layer(network, number, bias=with_one(layer.bias, -1, largest + 1))
    largest = 2**31 - 1 - 383 * 4092 * widths[-1]
    dataclasses.replace(network, output_bias=with_one(network.output_bias, 0, largest))
    with pytest.raises(ValueError, match="output: an accumulator could leave int32"):
        dataclasses.replace(network, output_bias=with_one(network.output_bias, 0, largest + 1))
    again = from_arrays(network.arrays(), "int8")
    assert [one.n_units for one in again.layers] == list(widths)


def test_arrays_of_the_wrong_shape_are_refused():
    network = extreme_network("int8", 1)
    layer = network.layers[1]
    for changes, complaint in (
        ({"weight": layer.weight[:, :-1]}, "layer 1: weight has the wrong shape"),
        ({"weight": layer.weight[:-4]}, "layer 1: weight has the wrong shape"),
        ({"shift": layer.shift[:-1]}, "layer 1: bias and shift must have one value for each"),
        ({"bias": np.append(layer.bias, 0)}, "layer 1: bias and shift must have one value"),
    ):
        with pytest.raises(ValueError, match=complaint):
            changed_layer(network, 1, **changes)
    for changes in (
        {"output_weight": network.output_weight[:, :-1]},
        {"output_bias": network.output_bias[:-1]},
    ):
        with pytest.raises(ValueError, match="output: weight has the wrong shape"):
            dataclasses.replace(network, **changes)
    with pytest.raises(ValueError, match="at least one layer"):
        dataclasses.replace(network, layers=())


def test_frames_past_the_end_do_not_count():
    parent = random_parent(3, **SHAPE)
    features, n_frames = random_features(3)
    network = quantize(parent, features, n_frames, "int8")
    expected = network.logits(features, n_frames)
    for clip, n in zip(features, n_frames, strict=True):
        clip[n:] = 99
    np.testing.assert_array_equal(network.logits(features, n_frames), expected)
    np.testing.assert_array_equal(network.logits(features[7:8], n_frames[7:8]), expected[7:8])


def test_class_0_can_win_and_ties_go_to_the_lowest_index():
    logits = np.array([[5, 1, 2], [7, 7, 7], [-3, -1, -1]], np.int32)
    np.testing.assert_array_equal(predict(logits), [0, 0, 1])


def test_no_clips_give_no_logits():
    network = extreme_network("int8", 1)
    logits = network.logits(np.zeros((0, 36, 13), np.int8), np.zeros(0, int))
    assert logits.shape == (0, 3)
    assert logits.dtype == np.int32
    silent = network.logits(np.zeros((2, 0, 13), np.int8), np.zeros(2, int))
    np.testing.assert_array_equal(silent, [network.output_bias] * 2)  # nothing pools to zero


def test_parameter_bytes_adds_up():
    features, n_frames = random_features(0)
    parent = random_parent(0, **SHAPE)
    common = 4 * (2 * 96 + 10) + 2 * (96 + 1) + 1 + 13 + 258
    weights = 96 * 37 + 96 * 48 + 10 * 24
    assert quantize(parent, features, n_frames, "int8").parameter_bytes() == weights + common
    half = 96 * 19 + 96 * 24 + 10 * 12
    assert quantize(parent, features, n_frames, "pow2").parameter_bytes() == half + common
    assert stored_bytes((3, 5), "pow2") == 9


def test_36_000_bytes_hold_50_units_in_int8_and_71_in_powers_of_two():
    def bytes_of(h, scheme):
        return lstm_bytes((h, h), scheme, n_inputs=13, n_classes=10)

    assert bytes_of(50, "int8") == 35_414
    assert bytes_of(51, "int8") > 36_000
    assert bytes_of(71, "pow2") == 35_606
    assert bytes_of(72, "pow2") > 36_000


@pytest.mark.parametrize("scheme", SCHEMES)
def test_arrays_and_back(scheme):
    features, n_frames = random_features(2)
    network = quantize(random_parent(2, **SHAPE), features, n_frames, scheme)
    again = from_arrays(network.arrays(), scheme)
    expected = network.logits(features, n_frames)
    np.testing.assert_array_equal(again.logits(features, n_frames), expected)
    assert again.logit_step == network.logit_step
    small = {name for name, value in network.arrays().items() if value.dtype == np.uint8}
    assert small == {
        "input_shift",
        "output.shift",
        *(f"layer_{number}.{name}" for number in (0, 1) for name in ("shift", "cell_bits")),
    }
    for ours, theirs in zip(again.layers, network.layers, strict=True):
        for name in ("weight", "bias", "shift"):
            assert getattr(ours, name).dtype == getattr(theirs, name).dtype
    for name in ("output_weight", "output_bias", "input_shift"):
        assert getattr(again, name).dtype == getattr(network, name).dtype
