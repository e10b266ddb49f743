"""Graphs of integer operators for tests."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import nn

from spoken_digits.integer import ds_cnn
from spoken_digits.integer.float_graph import FloatGraph, quantise
from spoken_digits.integer.graph import FEATURES, IntegerGraph, Node
from spoken_digits.integer.operators.base import IntegerOperator
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.pooling import Pooling
from spoken_digits.integer.operators.residual import Sum
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.window import Window
from spoken_digits.models.architectures.ds_cnn import Network

BLOCKS = (
    {"channels": 6, "stride": [2, 1]},
    {"channels": 8, "stride": [1, 2]},
    {"channels": 8, "stride": [1, 1]},
    {"channels": 8, "stride": [1, 1]},
)
STRIDES = [(2, 1), (1, 2), (1, 1), (1, 1)]
STEP = 0.5
"""Decibels a step of the features."""


def trained_network(n_frames: int = 22, n_bands: int = 16, n_classes: int = 5) -> Network:
    """A `ds_cnn` whose batch normalisation has seen data, in evaluation mode."""
    torch.manual_seed(3)
    network = Network(
        input_shape=(n_frames, n_bands),
        n_classes=n_classes,
        stem_channels=5,
        blocks=BLOCKS,
        depthwise_relu=True,
        dropout=0.0,
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.3)
    network.train()
    for _ in range(20):
        network(torch.randn(16, n_frames, n_bands), torch.full((16,), n_frames))
    return network.eval()


def float_graph(network: Network, mean: np.ndarray, std: float, n_frames: int = 22) -> FloatGraph:
    """Its graph, reading features in steps of `STEP`."""
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return ds_cnn.from_state(
        state, strides=STRIDES, mean=mean / STEP, std=std / STEP, n_frames=n_frames
    )


def features(rng: np.random.Generator, n: int, n_frames: int = 22, n_bands: int = 16) -> np.ndarray:
    """int8 features (n, n_frames, n_bands) as a front-end might give."""
    return rng.integers(-50, 60, (n, n_frames, n_bands)).astype(np.int8)


def small_graph() -> IntegerGraph:
    """A quantised `ds_cnn` with two residual sums."""
    rng = np.random.default_rng(0)
    parent = float_graph(trained_network(), np.linspace(-20, -10, 16), 9.0)
    return quantise(parent, features(rng, 40))


def random_graph(
    rng: np.random.Generator, *, extreme: bool = False, n_channels: tuple[int, int] = (1, 10)
) -> IntegerGraph:
    """A chain of random operators with residual sums where the shape stays.

    Parameters
    ----------
    n_channels
        Fewest and most of an operator.
    extreme
        Whether weights, biases and factors lie at the edge of what is allowed.
    """
    n_frames, n_bands = int(rng.integers(7, 24)), int(rng.integers(6, 14))
    nodes: list[Node[IntegerOperator]] = []

    def add(operator: IntegerOperator, *inputs: int) -> int:
        nodes.append(Node(operator, inputs))
        return len(nodes) - 1

    def rows(n_rows: int, n_columns: int, *, shared: bool) -> Rows:
        if extreme:
            weight = rng.choice([-127, 127], (n_rows, n_columns))
            shift = rng.integers(0, 9, n_rows)
        else:
            weight = rng.integers(-127, 128, (n_rows, n_columns))
            shift = rng.integers(6, 12, n_rows)
        bias = rng.integers(-(2**20), 2**20, n_rows)
        return Rows(
            weight=weight.astype(np.int8),
            bias=bias.astype(np.int32),
            shift=np.repeat(shift[:1], n_rows) if shared else shift,
        )

    last = add(Centring(mean=rng.integers(-900, 900, n_bands)), FEATURES)
    fewest, most = n_channels
    channels = int(rng.integers(fewest, most + 1))
    frames, bands = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    window = Window(
        kernel=(frames, bands),
        stride=(int(rng.integers(1, 3)), int(rng.integers(1, 3))),
        padding=(int(rng.integers(0, frames)), int(rng.integers(0, bands))),
    )
    last = add(Convolution(rows=rows(channels, frames * bands, shared=True), window=window), last)
    for _ in range(int(rng.integers(1, 4))):
        before, same = last, rng.random() < 0.5
        stride = (1, 1) if same else (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        around = Window(kernel=(3, 3), stride=stride, padding=(1, 1))
        last = add(Depthwise(rows=rows(channels, 9, shared=False), window=around), last)
        wider = channels if same else int(rng.integers(fewest, most + 1))
        point = Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0))
        last = add(Convolution(rows=rows(wider, channels, shared=True), window=point), last)
        if same:
            factor = [65535, 65535] if extreme else rng.integers(0, 2**15, 2)
            last = add(Sum(factor=np.array(factor)), before, last)
        channels = wider
    last = add(Pooling(), last)
    add(Linear(rows=rows(int(rng.integers(2, 7)), 2 * channels, shared=True)), last)
    return IntegerGraph(
        nodes=tuple(nodes), n_inputs=n_bands, n_frames=n_frames, logit_step=2.0**-10
    )


def as_pow2(graph: IntegerGraph) -> IntegerGraph:
    """The same with powers of two as weights, stored as such."""
    nodes: list[Node[IntegerOperator]] = []
    for node in graph.nodes:
        operator = node.operator
        if operator.code is not None:
            weight = operator.rows.weight.astype(int)
            power = 2 ** np.floor(np.log2(np.maximum(np.abs(weight), 1))).astype(int)
            rows = dataclasses.replace(
                operator.rows, weight=(np.sign(weight) * power).astype(np.int8), code="pow2"
            )
            operator = dataclasses.replace(operator, rows=rows)
        nodes.append(Node(operator, node.inputs))
    return dataclasses.replace(graph, nodes=tuple(nodes))
