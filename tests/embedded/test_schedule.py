"""No frame of a graph is overwritten in C's memory while a node still needs it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from graphs import random_graph, small_graph
from wild_graphs import wild_graph

from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import schedule
from spoken_digits.embedded.emit.schedule import Layout
from spoken_digits.integer.graph import FEATURES, IntegerGraph
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.pooling import Pooling


def overwritten(graph: IntegerGraph, where: Layout) -> str | None:
    """Go through a clip with a name on every byte; the first thing that goes wrong."""
    steps = schedule.steps_of(graph)
    shapes = graph.shapes()
    owner = np.full(where.n_bytes, -1)
    owner[: 4 * (len(steps) + 1)] = -2  # the counters

    def frame(number: int, at: int) -> np.ndarray:
        operator = graph.nodes[number].operator
        size = shapes[number].size * (2 if isinstance(operator, Centring | Pooling) else 1)
        slot = at % where.ring[number]
        return where.output[number] + slot * size + np.arange(size)

    for number, step in schedule.schedule(steps, graph.n_frames):
        operator, mine = graph.nodes[number].operator, np.zeros(where.n_bytes, bool)
        for i in steps[number].inputs:
            for at in () if i == FEATURES else steps[number].reads(step, steps[i].n_steps):
                if (owner[frame(i, at)] != 1000 * i + at).any():
                    return f"node {number} finds frame {at} of node {i} overwritten"
                mine[frame(i, at)] = where.output[i] != where.output[number]
        scratch = np.arange(0)
        if isinstance(operator, Convolution):
            scratch = where.scratch[number] + np.arange(2 * operator.rows.weight.shape[1])
        if isinstance(operator, Pooling):
            scratch = where.scratch[number] + np.arange(5 * shapes[number].n_channels // 2)
            if step and (owner[scratch] != -3 - number).any():
                return f"node {number} finds its sums overwritten"
        writes = [scratch]
        last = step + 1 == steps[number].n_steps
        if not isinstance(operator, Linear) and (not isinstance(operator, Pooling) or last):
            writes.append(frame(number, step))
        for part in writes:
            if mine[part].any() or (owner[part] == -2).any():
                return f"node {number} writes over what it reads"
            mine[part] = True
        owner[scratch] = -3 - number
        if len(writes) > 1:
            owner[writes[1]] = 1000 * number + step
    return None


@pytest.mark.parametrize("make", [random_graph, wild_graph])
@pytest.mark.parametrize("seed", range(40))
def test_no_frame_is_overwritten_while_needed(seed, make):
    graph = make(np.random.default_rng(seed))
    assert overwritten(graph, c_graph.layout(graph)) is None


def test_every_ring_is_as_short_as_can_be():
    graph = small_graph()
    where = c_graph.layout(graph)
    assert overwritten(graph, where) is None
    for number, frames in enumerate(where.ring):
        if frames > 1:
            ring = list(where.ring)
            ring[number] -= 1
            assert overwritten(graph, dataclasses.replace(where, ring=tuple(ring))) is not None


def test_residual_branches_cost_no_copy():
    """The sum is written over the convolution, and the depthwise before it, of its block."""
    graph = small_graph()
    where = c_graph.layout(graph)
    number = next(i for i, node in enumerate(graph.nodes) if node.operator.kind == "sum")
    before, last = graph.nodes[number].inputs
    assert where.output[last] == where.output[number] != where.output[before]
    assert where.output[last - 1] == where.output[number]
    assert where.ring[before] == 3


def test_rings_shared_by_all_are_noticed():
    """Negative control: everything in one place."""
    graph = small_graph()
    where = c_graph.layout(graph)
    same = dataclasses.replace(where, output=(where.output[1],) * len(where.output))
    assert overwritten(graph, same) is not None
