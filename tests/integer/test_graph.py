from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from graphs import STEP, features, float_graph, random_graph, small_graph, trained_network

from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import FEATURES, IntegerGraph, Node, from_arrays
from spoken_digits.integer.operators import OPERATORS
from spoken_digits.integer.operators.base import Scales
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution, FloatConvolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.pooling import MAX_VALUES, Pooling
from spoken_digits.integer.operators.residual import Sum
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.window import Window

MEAN = np.linspace(-20, -10, 16)
STD = 9.0


@pytest.fixture(scope="module")
def network():
    return trained_network()


@pytest.fixture(scope="module")
def graph():
    return small_graph()


def test_the_float_graph_is_the_network(network):
    x = features(np.random.default_rng(1), 12)
    normalised = (torch.from_numpy(x).float() * STEP - torch.from_numpy(MEAN).float()) / STD
    with torch.no_grad():
        expected = network(normalised, torch.full((12,), 22)).numpy()
    got = float_graph(network, MEAN, STD).logits(x)
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_quantization_loses_little(network, graph):
    x = features(np.random.default_rng(2), 64)
    real = float_graph(network, MEAN, STD).logits(x)
    error = graph.logits(x) * graph.logit_step - real
    assert np.abs(error).max() < 0.12 * real.std()
    assert np.abs(error).mean() < 0.03 * real.std()


def test_every_tensor_stays_near_the_real_one(network, graph):
    """Not only the logits: a wrong factor or shift somewhere could hide in them."""
    x = features(np.random.default_rng(3), 16)
    parent = float_graph(network, MEAN, STD)
    for node, held, real in zip(graph.nodes, graph.run(x), parent.run(x), strict=True):
        slope = (held * real).sum() / (real * real).sum()  # integers per unit
        error = held / slope - real
        assert np.sqrt((error**2).mean()) < 0.05 * real.std(), node.operator.kind


def brute_force(graph: IntegerGraph, clip: np.ndarray) -> np.ndarray:
    """The graph in Python integers, one value at a time, after the docstrings alone."""
    tensors: list[np.ndarray] = []
    for node in graph.nodes:
        operator = node.operator
        read = [
            clip[..., None].astype(object) if i == FEATURES else tensors[i] for i in node.inputs
        ]
        (frames, bands, channels), x = read[0].shape, read[0]
        if isinstance(operator, Centring):
            out = x * 8 - operator.mean.astype(object)[:, None]
        elif isinstance(operator, Convolution | Depthwise):
            window, rows = operator.window, operator.rows
            out = np.zeros(
                (window.n_out(frames, 0), window.n_out(bands, 1), len(rows.bias)), object
            )
            for t, f, o in np.ndindex(*out.shape):
                total = int(rows.bias[o])
                for i, j in np.ndindex(*window.kernel):
                    at = t * window.stride[0] + i - window.padding[0]
                    band = f * window.stride[1] + j - window.padding[1]
                    if not (0 <= at < frames and 0 <= band < bands):
                        continue
                    tap = i * window.kernel[1] + j
                    if isinstance(operator, Depthwise):
                        total += int(rows.weight[o, tap]) * int(x[at, band, o])
                    else:
                        own = rows.weight[o, tap * channels : (tap + 1) * channels]
                        total += sum(int(w) * int(v) for w, v in zip(own, x[at, band], strict=True))
                assert -(2**31) <= total < 2**31
                shift = int(rows.shift[o])
                out[t, f, o] = min(max((total + ((1 << shift) >> 1)) >> shift, 0), 255)
        elif isinstance(operator, Sum):
            first, second = (int(factor) for factor in operator.factor)
            out = x * first + read[1] * second
            out = np.vectorize(lambda v: min((v + (1 << 13)) >> 14, 255), otypes=[object])(out)
        elif isinstance(operator, Pooling):
            flat = x.reshape(-1, channels)
            n = len(flat)
            most = [max(column) << 6 for column in flat.T.tolist()]
            mean = [(2 * (sum(column) << 6) + n) // (2 * n) for column in flat.T.tolist()]
            out = np.array([[most + mean]], object)
        else:
            assert isinstance(operator, Linear)
            vector = x.reshape(-1).tolist()
            out = np.array(
                [
                    [
                        [
                            int(b) + sum(int(w) * v for w, v in zip(row, vector, strict=True))
                            for row, b in zip(operator.rows.weight, operator.rows.bias, strict=True)
                        ]
                    ]
                ],
                object,
            )
        tensors.append(out)
    return tensors[-1][0, 0]


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_numpy_does_what_the_pages_say(seed, extreme):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, extreme=extreme)
    x = rng.choice([-128, 127], (2, graph.n_frames, graph.n_inputs)).astype(np.int8)
    x[1] = rng.integers(-128, 128, x[1].shape)
    expected = [brute_force(graph, clip) for clip in x]
    np.testing.assert_array_equal(graph.logits(x), np.array(expected).astype(np.int64))


def test_it_comes_back_from_its_arrays(graph):
    again = from_arrays(graph.arrays())
    x = features(np.random.default_rng(4), 8)
    np.testing.assert_array_equal(again.logits(x), graph.logits(x))
    assert again.logit_step == graph.logit_step
    assert again.parameter_bytes() == graph.parameter_bytes()


def damaged(name: str, value: object):
    def change(arrays):
        arrays[name] = np.asarray(value, arrays[name].dtype if name in arrays else np.int8)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("node_001.weight"), "lacks weight"),
        (lambda a: a.pop("graph.shape"), "lacks graph.shape"),
        (damaged("node_001.kind", list(b"warp")), "node 1 is of the unknown kind 'warp'"),
        (damaged("node_001.inputs", [1]), "node 1 reads a node that does not run before it"),
        (damaged("node_001.inputs", [0, 0]), "node 1 reads 2 tensors"),
        (damaged("node_001.window", [5, 5, 2, 2, 2]), "a window has 6 sizes, not 5"),
        (damaged("node_001.window", [5, 5, 0, 2, 2, 2]), "out of range"),
        (damaged("node_001.window", [5, 5, 2, 2, 5, 2]), "out of range"),
        (damaged("node_001.shift", np.arange(5)), "convolution: its rows must share one shift"),
        (damaged("node_002.shift", np.full(5, 25)), "a row shift is out of range"),
        (damaged("node_001.weight", np.full((5, 25), -128)), "a weight is out of range"),
        (damaged("node_001.bias", np.full(5, 2**31 - 1)), "node 1: convolution: an accumulator"),
        (damaged("node_002.bias", np.full(5, -(2**31))), "node 2: depthwise: an accumulator"),
        (damaged("node_002.weight", np.ones((6, 9))), "weight, bias and shift do not fit"),
        (damaged("node_000.mean", np.full(16, 32_000)), "centring: a mean is out of range"),
        (damaged("node_000.mean", np.zeros(15)), "node 0: centring: 15 means for 16 bands"),
        (damaged("graph.logit_step", [np.nan]), "logit_step is nan"),
        (damaged("graph.shape", [22]), "the graph is damaged|not enough values"),
    ],
)
def test_damaged_graphs_are_refused(graph, change, message):
    arrays = {name: array.copy() for name, array in graph.arrays().items()}
    change(arrays)
    with pytest.raises(ValueError, match=message):
        from_arrays(arrays)


@pytest.mark.parametrize("factor", [[-1, 4], [4, 65_536], [1, 2, 3]])
def test_a_sum_whose_factors_leave_16_bits_is_refused(factor):
    with pytest.raises(ValueError, match="two factors from 0 to 65535"):
        Sum(factor=np.array(factor))


def test_too_many_values_for_a_pool_are_refused(graph):
    nodes = [
        graph.nodes[0],
        Node(one_to_one(1, 1), (0,)),
        Node(Pooling(), (1,)),
        Node(Linear(rows=rows_of(np.ones((2, 2)))), (2,)),
    ]
    fits = MAX_VALUES // 16
    IntegerGraph(nodes=tuple(nodes), n_inputs=16, n_frames=fits, logit_step=1.0)
    with pytest.raises(ValueError, match=f"pooling: {MAX_VALUES + 16} values of a channel"):
        IntegerGraph(nodes=tuple(nodes), n_inputs=16, n_frames=fits + 1, logit_step=1.0)


def test_a_pool_or_a_sum_of_what_is_no_uint8_is_refused(graph):
    def make(operator, *inputs):
        size = 2 if isinstance(operator, Pooling) else 16
        IntegerGraph(
            nodes=(
                graph.nodes[0],
                Node(operator, inputs),
                Node(Linear(rows=rows_of(np.ones((2, size)))), (1,)),
            ),
            n_inputs=16,
            n_frames=1,
            logit_step=1.0,
        )

    with pytest.raises(ValueError, match="node 1: pooling: its input is no result of a ReLU"):
        make(Pooling(), 0)
    with pytest.raises(ValueError, match="node 1: sum: its inputs are no results of a ReLU"):
        make(Sum(factor=np.ones(2, int)), 0, 0)


def rows_of(weight: np.ndarray) -> Rows:
    n = len(weight)
    return Rows(
        weight=weight.astype(np.int8), bias=np.zeros(n, np.int32), shift=np.zeros(n, np.int64)
    )


def one_to_one(n_out: int, n_in: int) -> Convolution:
    return Convolution(
        rows=rows_of(np.ones((n_out, n_in))),
        window=Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0)),
    )


def test_features_of_another_shape_or_type_are_refused(graph):
    x = features(np.random.default_rng(5), 2)
    with pytest.raises(ValueError, match=r"int8 of shape \(clips, 22, 16\)"):
        graph.logits(x.astype(np.int16))
    with pytest.raises(ValueError, match=r"int8 of shape \(clips, 22, 16\)"):
        graph.logits(x[:, :20])
    with pytest.raises(ValueError, match="every clip must have 22 frames"):
        graph.logits(x, np.array([22, 21]))
    assert graph.logits(x[:0]).shape == (0, 5)


def test_bytes_and_multiplications_are_those_of_the_network(network, graph):
    assert graph.multiply_accumulates() == network.multiply_accumulates()
    arrays = graph.arrays()
    n_rows = {name: a for name, a in arrays.items() if name.endswith("bias")}
    weights = sum(a.size for name, a in arrays.items() if name.endswith("weight"))
    biases = 4 * sum(a.size for a in n_rows.values())
    depthwise = [i for i, node in enumerate(graph.nodes) if isinstance(node.operator, Depthwise)]
    shared = sum(isinstance(node.operator, Convolution | Linear) for node in graph.nodes)
    shifts = shared + sum(arrays[f"node_{i:03d}.shift"].size for i in depthwise)
    sums = sum(isinstance(node.operator, Sum) for node in graph.nodes)
    assert graph.parameter_bytes() == weights + biases + shifts + 2 * 16 + 4 * sums


def test_a_channel_that_is_always_silent_quantises(network):
    """A ReLU that never opens in calibration has no range."""
    dead = trained_network()
    with torch.no_grad():
        dead.stem[1].bias.fill_(-1e3)
    x = features(np.random.default_rng(6), 8)
    parent = float_graph(dead, MEAN, STD)
    made = quantise(parent, x)
    real = parent.logits(x)
    np.testing.assert_allclose(
        made.logits(x) * made.logit_step, real, atol=0.1 * np.abs(real).max()
    )


def test_the_last_node_must_give_one_vector(graph):
    with pytest.raises(ValueError, match="the last node does not give one vector a clip"):
        dataclasses.replace(graph, nodes=graph.nodes[:-2])


def test_the_example_of_the_page():
    window = Window(kernel=(2, 1), stride=(1, 1), padding=(0, 0))
    real = FloatConvolution(weight=np.array([[0.5, -0.25]]), bias=np.array([0.1]), window=window)
    made = real.quantised(Scales((16.0,), 100.0))
    assert made.rows.weight.tolist() == [[100, -50]]
    assert (made.rows.bias.tolist(), made.rows.shift.tolist()) == ([320], [5])
    assert made.run([np.array([24, 8]).reshape(1, 2, 1, 1)]).item() == 73


def test_the_page_lists_the_operators_that_there_are():
    page = (Path(__file__).parents[2] / "docs" / "integer_operators.md").read_text()
    table = page.split("## The operators")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == list(OPERATORS)
