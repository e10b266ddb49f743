"""Networks whose every bound is met or nearly so."""

from __future__ import annotations

import dataclasses

import numpy as np
from networks import extreme_network
from recognisers import make

from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import FEATURES, IntegerGraph, Node
from spoken_digits.integer.operators.base import IntegerOperator
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.rows import Rows


def at_the_edge(graph: IntegerGraph, rng: np.random.Generator) -> IntegerGraph:
    """All weights as large as can be, and biases so large that accumulators come next to the ends
    of int32.
    """
    reaches: list[np.ndarray] = []
    nodes: list[Node[IntegerOperator]] = []
    for node in graph.nodes:
        operator = node.operator
        read = [np.full(1, 128) if i == FEATURES else reaches[i] for i in node.inputs]
        if isinstance(operator, Convolution | Depthwise | Linear):
            code = operator.rows.code
            largest = 127 if code == "int8" else 64
            ends = np.array([-largest, largest], np.int8)
            weight = rng.choice(ends, operator.rows.weight.shape)
            shift = np.full_like(operator.rows.shift, 23)
            none = np.zeros_like(operator.rows.bias)
            rows = Rows(weight=weight, bias=none, shift=shift, code=code)
            if isinstance(operator, Convolution):
                reach = np.tile(read[0], operator.window.kernel[0] * operator.window.kernel[1])
            elif isinstance(operator, Depthwise):
                reach = np.full(weight.shape[1], read[0].max())
            else:
                reach = read[0]
            room = 2**31 - 1 - rows.bound(reach)
            bias = np.where(rng.random(len(room)) < 0.7, room, -room).astype(np.int32)
            rows = dataclasses.replace(rows, bias=bias)
            operator = dataclasses.replace(operator, rows=rows)
        nodes.append(Node(operator, node.inputs))
        reaches.append(operator.reach(read))
    return dataclasses.replace(graph, nodes=tuple(nodes))


def make_at_the_edge(kind: str) -> tuple[IntegerGraph, Spec]:
    """The recogniser of `make` with a network at the edge in place of its own."""
    network, spec = make(kind)
    if kind == "graph":
        return at_the_edge(network, np.random.default_rng(1)), spec
    return extreme_network(network.scheme, 1, n_units=9), spec
