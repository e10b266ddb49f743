"""Graphs that no architecture would ask for."""

from __future__ import annotations

import numpy as np

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


def random_window(rng: np.random.Generator, largest: tuple[int, int]) -> Window:
    kernel = int(rng.integers(1, largest[0] + 1)), int(rng.integers(1, largest[1] + 1))
    return Window(
        kernel=kernel,
        stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        padding=(int(rng.integers(0, kernel[0])), int(rng.integers(0, kernel[1]))),
    )


def wild_graph(rng: np.random.Generator) -> IntegerGraph:
    """Windows of any size, tensors read by several nodes, results that nobody reads."""
    nodes: list[Node[IntegerOperator]] = []
    n_bands, n_frames = int(rng.integers(8, 20)), int(rng.integers(12, 40))

    def rows(n_rows: int, n_columns: int, *, shared: bool) -> Rows:
        shift = rng.integers(5, 12, 1 if shared else n_rows)
        return Rows(
            weight=rng.integers(-127, 128, (n_rows, n_columns)).astype(np.int8),
            bias=rng.integers(-(2**14), 2**18, n_rows).astype(np.int32),
            shift=np.repeat(shift, n_rows) if shared else shift,
        )

    def convolution(n_in: int, window: Window) -> Convolution:
        n_columns = n_in * window.kernel[0] * window.kernel[1]
        return Convolution(
            rows=rows(int(rng.integers(1, 10)), n_columns, shared=True), window=window
        )

    def last_shape():
        graph = object.__new__(IntegerGraph)
        for name, value in {"nodes": tuple(nodes), "n_inputs": n_bands}.items():
            object.__setattr__(graph, name, value)
        object.__setattr__(graph, "n_frames", n_frames)
        return graph.shapes(), graph.frame_counts()

    nodes.append(Node(Centring(mean=rng.integers(-900, 900, n_bands)), (FEATURES,)))
    nodes.append(Node(convolution(1, random_window(rng, (7, 6))), (0,)))
    for _ in range(int(rng.integers(2, 9))):
        shapes, counts = last_shape()
        read = int(rng.integers(max(1, len(nodes) - 3), len(nodes)))
        channels = shapes[read].n_channels
        like = [
            i
            for i in range(1, len(nodes))
            if shapes[i] == shapes[read] and counts[i] == counts[read]
        ]
        operator: IntegerOperator
        if rng.random() < 0.3:
            operator = Sum(factor=rng.integers(0, 2**15, 2))
            nodes.append(Node(operator, (int(rng.choice(like)), read)))
            continue
        if rng.random() < 0.5:
            window = random_window(rng, (5, 5))
            taps = window.kernel[0] * window.kernel[1]
            operator = Depthwise(rows=rows(channels, taps, shared=False), window=window)
        else:
            operator = convolution(channels, random_window(rng, (3, 3)))
        if min(
            operator.window.n_out(counts[read], 0), operator.window.n_out(shapes[read].n_bands, 1)
        ):
            nodes.append(Node(operator, (read,)))
    channels = last_shape()[0][-1].n_channels
    nodes.append(Node(Pooling(), (len(nodes) - 1,)))
    nodes.append(Node(Linear(rows=rows(7, 2 * channels, shared=True)), (len(nodes) - 1,)))
    return IntegerGraph(nodes=tuple(nodes), n_inputs=n_bands, n_frames=n_frames, logit_step=1.0)


def depthwise_graph(
    rng: np.random.Generator, stride: tuple[int, int], padding: int, n_bands: int
) -> IntegerGraph:
    """A 3 x 3 depthwise convolution, by far the most common, on `n_bands` bands of 6 frames.

    Parameters
    ----------
    stride
        In frames, in bands.
    padding
        In frames; 1 in bands.
    """

    def rows(n_rows: int, n_columns: int, shift: int) -> Rows:
        return Rows(
            weight=rng.integers(-127, 128, (n_rows, n_columns)).astype(np.int8),
            bias=rng.integers(0, 2**15, n_rows).astype(np.int32),
            shift=np.full(n_rows, shift),
        )

    point = Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0))
    window = Window(kernel=(3, 3), stride=stride, padding=(padding, 1))
    return IntegerGraph(
        nodes=(
            Node(Centring(mean=rng.integers(-900, 900, n_bands)), (FEATURES,)),
            Node(Convolution(rows=rows(5, 1, 9), window=point), (0,)),
            Node(Depthwise(rows=rows(5, 9, 8), window=window), (1,)),
            Node(Pooling(), (2,)),
            Node(Linear(rows=rows(7, 10, 6)), (3,)),
        ),
        n_inputs=n_bands,
        n_frames=6,
        logit_step=1.0,
    )
