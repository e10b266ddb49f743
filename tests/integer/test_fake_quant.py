"""Fake-quantised twins: forward equal to the integers, gradients those of the float network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from graphs import features as band_features
from graphs import float_graph, random_graph, trained_network
from networks import random_features, random_parent
from wild_graphs import wild_graph

from spoken_digits.integer.fake_quant import TWINS
from spoken_digits.integer.fake_quant.graph import FakeQuantGraph
from spoken_digits.integer.float_graph import Calibrated, FloatGraph, calibrate
from spoken_digits.integer.graph import IntegerGraph, Node
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.operators import OPERATORS
from spoken_digits.integer.operators.base import FloatOperator, IntegerOperator
from spoken_digits.integer.operators.centring import Centring, FloatCentring
from spoken_digits.integer.operators.convolution import Convolution, FloatConvolution
from spoken_digits.integer.operators.depthwise import FloatDepthwise
from spoken_digits.integer.operators.linear import FloatLinear, Linear
from spoken_digits.integer.operators.pooling import FloatPooling, Pooling
from spoken_digits.integer.operators.residual import FloatSum, Sum
from spoken_digits.integer.operators.rows import FloatRows


def test_every_operator_has_a_twin():
    assert set(TWINS) == set(OPERATORS.values())


def assert_equal(start: Calibrated, code, features, n_frames=None, dtype=torch.float64) -> None:
    """Every tensor of the twins holds the integers of the operators."""
    model = FakeQuantGraph(start, code, dtype)
    counts = np.full(len(features), features.shape[1]) if n_frames is None else n_frames
    network = model.integers()
    expected = network.run(features, counts)
    with torch.no_grad():
        twins = model.run(torch.from_numpy(features), torch.from_numpy(counts))
    exact = len(twins) if dtype == torch.float64 else len(twins) - 1
    for node, held, twin in zip(network.nodes[:exact], expected, twins, strict=False):
        np.testing.assert_array_equal(twin.numpy(), held, node.operator.kind)
    real = model(torch.from_numpy(features), torch.from_numpy(counts)).detach().numpy()
    np.testing.assert_allclose(real, network.logits(features, counts) * network.logit_step, 1e-4)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_lstm_equals_its_integers(scheme):
    features, n_frames = random_features(1)
    parent = random_parent(1, h=8, n_layers=2, n_classes=5, scale=2.0)
    assert_equal(calibrate(parent, features, n_frames), scheme, features, n_frames)


def real_operator(operator: IntegerOperator, rng: np.random.Generator) -> FloatOperator:
    """An operator in floating point of the shape of an integer one."""
    if isinstance(operator, Centring):
        return FloatCentring(mean=operator.mean / 8.0, std=float(rng.uniform(5, 20)))
    if isinstance(operator, Sum | Pooling):
        return FloatSum() if isinstance(operator, Sum) else FloatPooling()
    n_rows, n_columns = operator.rows.weight.shape
    weight = rng.normal(0, n_columns**-0.5, (n_rows, n_columns)) * rng.uniform(0.2, 3, (n_rows, 1))
    bias = rng.normal(0.3, 0.4, n_rows)
    if isinstance(operator, Linear):
        return FloatLinear(weight=weight, bias=bias)
    kind = FloatConvolution if isinstance(operator, Convolution) else FloatDepthwise
    return kind(weight=weight, bias=bias, window=operator.window)


def real_graph(graph: IntegerGraph, rng: np.random.Generator) -> FloatGraph:
    """A graph in floating point of the shape of an integer one."""
    nodes = tuple(Node(real_operator(one.operator, rng), one.inputs) for one in graph.nodes)
    return FloatGraph(nodes=nodes, n_inputs=graph.n_inputs, n_frames=graph.n_frames)


def clips_for(graph: FloatGraph, rng: np.random.Generator, n: int = 12) -> np.ndarray:
    """Noise of every loudness; extremes."""
    clips = rng.normal(0, rng.uniform(0, 128, (n, 1, 1)), (n, graph.n_frames, graph.n_inputs))
    clips[0], clips[1] = -128, rng.choice([-128, 127], clips[1].shape)
    return np.clip(clips, -128, 127).astype(np.int8)


@pytest.mark.parametrize("code", SCHEMES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [random_graph, wild_graph])
def test_a_graph_equals_its_integers(make, seed, code):
    rng = np.random.default_rng(seed)
    parent = real_graph(make(rng), rng)
    clips = clips_for(parent, rng)
    start = calibrate(parent, clips[-4:])  # the others go beyond the ranges of these
    network = start.quantised(code)
    assert len(np.unique(network.logits(clips), axis=0)) > len(clips) // 2
    assert_equal(start, code, clips)


@pytest.mark.parametrize("code", SCHEMES)
def test_float32_holds_every_tensor_of_a_ds_cnn_but_the_logits(code):
    rng = np.random.default_rng(7)
    parent = float_graph(trained_network(), np.linspace(-20, -10, 16), 9.0)
    start = calibrate(parent, band_features(rng, 40))
    assert_equal(start, code, band_features(rng, 40), dtype=torch.float32)


def test_weights_that_were_trained_on_are_those_of_the_integers():
    rng = np.random.default_rng(8)
    parent = float_graph(trained_network(), np.linspace(-20, -10, 16), 9.0)
    model = FakeQuantGraph(calibrate(parent, band_features(rng, 20)), "int8", torch.float64)
    with torch.no_grad():
        for one in [*model.weights, *model.biases]:
            one += 0.1 * one.std() * torch.from_numpy(rng.normal(size=one.shape))
    assert_equal(model.parent(), "int8", band_features(rng, 20))


def slope(parent: FloatGraph, number: int, name: str, along: np.ndarray, measured) -> float:
    """Derivative of `measured` of the float graph as an array of a node moves."""

    def moved(step: float) -> float:
        nodes = list(parent.nodes)
        operator = nodes[number].operator
        changed = {name: getattr(operator, name) + step * along}
        nodes[number] = Node(dataclasses.replace(operator, **changed), nodes[number].inputs)
        return measured(dataclasses.replace(parent, nodes=tuple(nodes)))

    return (moved(1e-5) - moved(-1e-5)) / 2e-5


@pytest.mark.parametrize("kind", ["lstm", "ds_cnn"])
def test_gradients_are_those_of_the_float_network(kind):
    """With int8 weights: the float network climbs along them as steeply as they say."""
    if kind == "lstm":
        parent = random_parent(2, h=16, n_layers=2, n_classes=5)
        features, n_frames = random_features(2)
        n_frames = np.maximum(n_frames, 1)
    else:
        parent = float_graph(trained_network(), np.linspace(-20, -10, 16), 9.0)
        features = band_features(np.random.default_rng(0), 40)
        n_frames = np.full(40, 22)
    start = calibrate(parent, features, n_frames)
    model = FakeQuantGraph(start, "int8", torch.float64)
    # Over all clips together: of one clip, integers often have another maximum to pool.
    chosen = np.random.default_rng(0).normal(size=5)
    logits = model(torch.from_numpy(features), torch.from_numpy(n_frames))
    (logits @ torch.from_numpy(chosen)).sum().backward()

    def measured(graph: FloatGraph) -> float:
        return float((graph.logits(features, n_frames) @ chosen).sum())

    layers = [i for i, one in enumerate(parent.nodes) if isinstance(one.operator, FloatRows)]
    for number, weight, bias in zip(layers, model.weights, model.biases, strict=True):
        for name, given in (("weight", weight), ("bias", bias)):
            gradient = given.grad.numpy()
            length = float(np.sqrt((gradient**2).sum()))
            steepness = slope(parent, number, name, gradient / length, measured)
            assert steepness == pytest.approx(length, rel=0.1), (number, name)
