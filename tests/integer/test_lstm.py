"""The integer LSTM, a chain of operators: its arithmetic, its float parent, its limits."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from graphs import small_graph
from networks import extreme_network, lstm_graph, random_features, random_parent, random_state

from spoken_digits.integer import activation
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import IntegerGraph, Node, from_arrays, predict
from spoken_digits.integer.limits import SCHEMES, lstm_bytes, stored_bytes
from spoken_digits.integer.lstm import from_state
from spoken_digits.integer.operators.base import Shape
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import MAX_HIDDEN, Lstm, cell_step
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.shift import Shift
from spoken_digits.integer.quantize import quantize_rows

SHAPE = {"h": 24, "n_layers": 2, "n_classes": 10}


def layers_of(network: IntegerGraph) -> list[Lstm]:
    return [n.operator for n in network.nodes if isinstance(n.operator, Lstm)]


def output_of(network: IntegerGraph) -> Rows:
    last = network.nodes[-1].operator
    assert isinstance(last, Linear)
    return last.rows


def scalar_logits(network: IntegerGraph, frames: np.ndarray) -> list[int]:
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

    layers, output = layers_of(network), output_of(network)
    shifts = network.nodes[0].operator.shift.tolist()
    hidden = [[0] * layer.n_units for layer in layers]
    cell = [[0] * layer.n_units for layer in layers]
    total = [0] * layers[-1].n_units
    for frame in frames.tolist():
        below = [x << int(s) for x, s in zip(frame, shifts, strict=True)]
        for number, layer in enumerate(layers):
            operand, h = below + hidden[number], layer.n_units
            fresh = []
            for unit in range(h):
                z = []
                for row in range(unit, 4 * h, h):
                    products = zip(layer.rows.weight[row].tolist(), operand, strict=True)
                    total_row = int(layer.rows.bias[row]) + sum(w * v for w, v in products)
                    z.append(saturated(rounded(total_row, int(layer.rows.shift[row]))))
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
        for row, bias in zip(output.weight, output.bias, strict=True)
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n_layers", [1, 3])
def test_equals_the_specification_in_python_integers(scheme, n_layers):
    parent = random_parent(n_layers, h=5, n_layers=n_layers, n_classes=3, scale=2.0)
    features, n_frames = random_features(1, n_clips=12)
    for network in (quantise(parent, features, n_frames, code=scheme), extreme_network(scheme, -1)):
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
    network = quantise(parent, features, n_frames)
    real = parent.logits(features, n_frames)
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
    folded = from_state(state, mean=mean, std=std).logits(features, n_frames)
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
    network = quantise(parent, *random_features(0), code=scheme)
    layer = layers_of(network)[0].rows
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
        quantise(parent, *random_features(0))
    network = extreme_network("int8", 1)
    with pytest.raises(ValueError, match="lstm: a weight is no power of two"):
        changed(network, 1, code="pow2")
    with pytest.raises(ValueError, match="could leave int32"):
        changed(network, 4, bias=np.full(3, 2**31 - 1, np.int32))
    with pytest.raises(ValueError, match="features must be int8"):
        network.logits(np.zeros((1, 36, 12), np.int8), np.array([36]))


def changed(network: IntegerGraph, number: int, *, cell_bits=None, **changes) -> IntegerGraph:
    """The network whose node has other rows or fraction bits."""
    nodes = list(network.nodes)
    operator = nodes[number].operator
    operator = dataclasses.replace(operator, rows=dataclasses.replace(operator.rows, **changes))
    if cell_bits is not None:
        operator = dataclasses.replace(operator, cell_bits=cell_bits)
    nodes[number] = Node(operator, nodes[number].inputs)
    return dataclasses.replace(network, nodes=tuple(nodes))


def with_one(values: np.ndarray, position, value: int) -> np.ndarray:
    """A copy in which one value differs."""
    copy = values.copy()
    copy[position] = value
    return copy


@pytest.mark.parametrize("position", [0, 6, -1])
def test_an_input_shift_lies_between_0_and_8(position):
    shift = np.full(13, 4)
    for value in (0, 8):
        assert Shift(shift=with_one(shift, position, value)).shift[position] == value
    for value in (-1, 9):
        with pytest.raises(ValueError, match="an input shift is out of range, must be 0 to 8"):
            Shift(shift=with_one(shift, position, value))


def test_the_output_shift_lies_between_0_and_24():
    rows = output_of(extreme_network("pow2", 1))
    for value in (0, 24):
        linear = Linear(rows=dataclasses.replace(rows, shift=np.full(3, value)))
        assert linear.output_scale(4096.0) == 2.0 ** (12 + value)
    for value in (-1, 25):
        with pytest.raises(ValueError, match="linear: a row shift is out of range"):
            Linear(rows=dataclasses.replace(rows, shift=np.full(3, value)))
    with pytest.raises(ValueError, match="linear: its rows must share one shift"):
        Linear(rows=dataclasses.replace(rows, shift=np.array([3, 3, 4])))


@pytest.mark.parametrize("number", [1, 2])
def test_the_fraction_bits_of_a_cell_lie_between_8_and_12(number):
    network = extreme_network("int8", 1)
    for value in (8, 12):
        assert changed(network, number, cell_bits=value).nodes[number].operator.cell_bits == value
    for value in (7, 13):
        with pytest.raises(ValueError, match=f"lstm: cell_bits {value} is out of range"):
            changed(network, number, cell_bits=value)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("row", [0, 7, -1])
def test_a_row_shift_lies_between_0_and_24(number, row):
    network = extreme_network("int8", 1)
    shift = network.nodes[number].operator.rows.shift
    for value in (0, 24):
        changed(network, number, shift=with_one(shift, row, value))
    for value in (-1, 25):
        with pytest.raises(ValueError, match="lstm: a row shift is out of range, must be 0 to 24"):
            changed(network, number, shift=with_one(shift, row, value))


@pytest.mark.parametrize(("scheme", "largest"), [("int8", 127), ("pow2", 64)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_weights_of_every_matrix_are_checked(scheme, largest, sign):
    network = extreme_network(scheme, sign)
    excess = np.int8(-128)  # a power of two, so that only its size is wrong
    for number, kind in ((1, "lstm"), (2, "lstm"), (4, "linear")):
        rows = network.nodes[number].operator.rows
        assert np.abs(rows.weight).max() == largest
        for position in ((0, 0), (-1, -1)):
            weight = with_one(rows.weight, position, excess)
            with pytest.raises(ValueError, match=f"{kind}: a weight is out of range"):
                changed(network, number, weight=weight)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_bias_is_the_one_that_just_keeps_the_accumulator_in_int32(number, sign):
    """255 and 128 times the sum of all operands, a bias and half a step, below 2**31."""
    network = extreme_network("int8", 1)
    n_in = [13 * 2**15, 5 * 4092][number - 1]
    rows = network.nodes[number].operator.rows
    for row, shift in ((0, 0), (11, 11), (19, 19)):  # row k of the layer shifts by k
        assert rows.shift[row] == shift
        half_a_step = 2**shift // 2
        largest = 2**31 - 1 - 383 * (n_in + 5 * 4092) - half_a_step
        changed(network, number, bias=with_one(rows.bias, row, sign * largest))
        with pytest.raises(ValueError, match=f"node {number}: lstm: an accumulator could leave"):
            changed(network, number, bias=with_one(rows.bias, row, sign * (largest + 1)))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("word", [0, 2])
def test_the_largest_output_bias_likewise(sign, word):
    network = extreme_network("int8", 1)
    bias = output_of(network).bias
    largest = 2**31 - 1 - 383 * 5 * 4092 - 4  # half a step of the shift of 3
    changed(network, 4, bias=with_one(bias, word, sign * largest))
    with pytest.raises(ValueError, match="node 4: linear: an accumulator could leave int32"):
        changed(network, 4, bias=with_one(bias, word, sign * (largest + 1)))


def plain_network(*widths: int, n_inputs: int = 2, n_classes: int = 3) -> IntegerGraph:
    """All weights and biases zero."""

    def rows(n: int, columns: int) -> Rows:
        zeros = np.zeros(n, np.int32)
        return Rows(weight=np.zeros((n, columns), np.int8), bias=zeros, shift=np.zeros(n, np.int64))

    layers = (
        Lstm(rows=rows(4 * h, below + h), cell_bits=10)
        for below, h in itertools.pairwise((n_inputs, *widths))
    )
    linear = Linear(rows=rows(n_classes, widths[-1]))
    return lstm_graph(np.array([1, 4]), *layers, Mean(), linear)


@pytest.mark.parametrize("widths", [(4,), (3, 6), (6, 3), (2, 3, 4), (4, 3, 2)])
def test_layers_may_have_widths_of_their_own(widths):
    network = plain_network(*widths)
    features, n_frames = np.ones((2, 5, 2), np.int8), np.array([5, 3])
    np.testing.assert_array_equal(network.logits(features, n_frames), np.zeros((2, 3)))
    room = {
        number: 383 * 4092 * (below + h)
        for number, (below, h) in enumerate(itertools.pairwise(widths), start=2)
    }
    room[1] = 383 * (128 * 2 + 128 * 16 + 4092 * widths[0])
    room[len(widths) + 2] = 383 * 4092 * widths[-1]
    for number, worst in room.items():
        largest, bias = 2**31 - 1 - worst, network.nodes[number].operator.rows.bias
        changed(network, number, bias=with_one(bias, -1, largest))
        with pytest.raises(ValueError, match=f"node {number}: l.*: an accumulator could leave"):
            changed(network, number, bias=with_one(bias, -1, largest + 1))
    again = from_arrays(network.arrays())
    assert [one.n_units for one in layers_of(again)] == list(widths)


def test_arrays_of_the_wrong_shape_are_refused():
    network = extreme_network("int8", 1)
    rows = network.nodes[2].operator.rows
    unfit = "lstm: weight, bias and shift do not fit each other"
    for changes, complaint in (
        ({"weight": rows.weight[:, :-1]}, "node 2: lstm: reads 4 values, its input has 5"),
        ({"weight": rows.weight[:, :5]}, "lstm: a weight of 20 x 5 has the wrong shape"),
        ({"weight": rows.weight[:-4]}, unfit),
        ({"shift": rows.shift[:-1]}, unfit),
        ({"bias": np.append(rows.bias, 0)}, unfit),
        (
            {"weight": rows.weight[:-1], "bias": rows.bias[:-1], "shift": rows.shift[:-1]},
            "lstm: a weight of 19 x 10 has the wrong shape",
        ),
        (
            {"weight": rows.weight[:0], "bias": rows.bias[:0], "shift": rows.shift[:0]},
            "lstm: a weight of 0 x 10 has the wrong shape",
        ),
    ):
        with pytest.raises(ValueError, match=complaint):
            changed(network, 2, **changes)
    with pytest.raises(ValueError, match="linear: reads 4 values, its input has 5"):
        changed(network, 4, weight=output_of(network).weight[:, :-1])
    with pytest.raises(ValueError, match="node 0: shift: 12 shifts for 13 bands"):
        shift = Node(Shift(shift=np.zeros(12, int)), (-1,))
        dataclasses.replace(network, nodes=(shift, *network.nodes[1:]))


def test_inputs_that_do_not_fit_are_refused():
    layer = layers_of(extreme_network("int8", 1))[0]
    with pytest.raises(ValueError, match="lstm: its input can leave int16"):
        layer.reach([np.full(13, 2**15 + 1)])
    with pytest.raises(ValueError, match=r"mean: its input can leave \+-4095"):
        Mean().reach([np.array([4, 4096])])
    assert Mean().reach([np.array([4, 4095])]).tolist() == [4, 4095]
    with pytest.raises(ValueError, match="mean: its input has 2 bands, must have 1"):
        Mean().shape([Shape(2, 3)])
    Mean().check([Shape(1, 3)], 65_535)
    with pytest.raises(ValueError, match="mean: 65536 frames, at most 65535"):
        Mean().check([Shape(1, 3)], 65_536)


@pytest.mark.parametrize("cell_bits", [8, 12])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_hidden_state_is_met_and_not_exceeded(cell_bits, sign):
    z = np.full((1, 4), 2**15 - 1, np.int32)
    z[0, 2] *= sign
    cell = np.array([[sign * (2**15 - 1)]], np.int32)
    _, hidden, _ = cell_step(z, cell, cell_bits)
    assert hidden.item() == sign * MAX_HIDDEN


def test_a_mean_rounds_halves_up_and_no_frame_is_zero():
    x = np.array([[3], [4], [-9], [99]]).reshape(1, 4, 1, 1)
    means = [Mean().run_valid([x], np.array([n])).item() for n in range(5)]
    assert means == [0, 3, 4, -1, 24]  # 3.5 is 4, -2 / 3 is -1, 97 / 4 is 24
    assert Mean().run([x]).item() == 24
    assert Mean().run_valid([-x[:, :2]], np.array([2])).item() == -3  # -3.5


def test_frames_past_the_end_do_not_count():
    parent = random_parent(3, **SHAPE)
    features, n_frames = random_features(3)
    network = quantise(parent, features, n_frames)
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
    np.testing.assert_array_equal(silent, [output_of(network).bias] * 2)  # nothing pools to zero


def test_a_clip_has_at_most_the_frames_that_there_are():
    network = extreme_network("int8", 1)
    features = np.zeros((2, 3, 13), np.int8)
    full = network.logits(features, np.array([3, 3]))
    np.testing.assert_array_equal(network.logits(features), full)
    for n_frames in ([3, 4], [-1, 3], [3]):
        with pytest.raises(ValueError, match="n_frames must be, for each clip, a number of its"):
            network.logits(features, np.array(n_frames))
    short = dataclasses.replace(network, n_frames=2)
    with pytest.raises(ValueError, match=r"int8 of shape \(clips, at most 2, 13\)"):
        short.logits(features)
    assert short.logits(features[:, :2]).shape == (2, 3)
    for most in (0, 65_536):
        with pytest.raises(ValueError, match="a clip has 1 to 65535 frames"):
            dataclasses.replace(network, n_frames=most)


def test_only_operators_of_any_length_run_on_clips_of_any_length():
    with pytest.raises(ValueError, match="node 1: a convolution needs clips of one length"):
        dataclasses.replace(small_graph(), any_length=True)


def test_parameter_bytes_adds_up():
    features, n_frames = random_features(0)
    parent = random_parent(0, **SHAPE)
    common = 4 * (2 * 96 + 10) + 2 * (96 + 1) + 1 + 13 + 258
    weights = 96 * 37 + 96 * 48 + 10 * 24
    assert quantise(parent, features, n_frames).parameter_bytes() == weights + common
    half = 96 * 19 + 96 * 24 + 10 * 12
    assert quantise(parent, features, n_frames, code="pow2").parameter_bytes() == half + common
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
    network = quantise(random_parent(2, **SHAPE), features, n_frames, code=scheme)
    again = from_arrays(network.arrays())
    expected = network.logits(features, n_frames)
    np.testing.assert_array_equal(again.logits(features, n_frames), expected)
    assert again.logit_step == network.logit_step
    assert again.scheme == network.scheme == scheme
    assert again.any_length
    small = {name for name, value in network.arrays().items() if value.dtype == np.uint8}
    codes = {f"node_00{number}.code" for number in (1, 2, 4)} if scheme == "pow2" else set()
    assert small == codes | {
        "graph.any_length",
        "node_000.shift",
        "node_004.shift",
        *(f"node_00{number}.{name}" for number in (1, 2) for name in ("shift", "cell_bits")),
        *(f"node_00{number}.kind" for number in range(5)),
    }
    assert again.nodes[0].operator.shift.dtype == network.nodes[0].operator.shift.dtype
    for number in (1, 2, 4):
        ours, theirs = (one.nodes[number].operator.rows for one in (again, network))
        for name in ("weight", "bias", "shift"):
            assert getattr(ours, name).dtype == getattr(theirs, name).dtype


def test_a_code_that_nobody_knows_is_refused():
    arrays = extreme_network("pow2", 1).arrays()
    arrays["node_001.code"] = np.frombuffer(b"pow3", np.uint8)
    with pytest.raises(ValueError, match="weights of the unknown code 'pow3'"):
        from_arrays(arrays)


def test_codes_may_be_mixed():
    network = changed(extreme_network("pow2", 1), 4, code="int8")
    assert network.scheme == "int8+pow2"
    assert from_arrays(network.arrays()).nodes[4].operator.code == "int8"
