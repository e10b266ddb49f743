"""No frame of a graph is overwritten in C's memory while a node still needs it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from graphs import random_graph, small_graph
from networks import random_features, random_parent
from wild_graphs import wild_graph

from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import operators, schedule
from spoken_digits.embedded.emit.schedule import Layout
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import FEATURES, IntegerGraph
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import Lstm

COUNTERS, NOBODY = -2, -1


def overwritten(graph: IntegerGraph, where: Layout) -> str | None:
    """Go through a clip with a name on every byte; the first thing that goes wrong."""
    n_frames = 5 if graph.any_length else graph.n_frames
    steps = schedule.steps_of(dataclasses.replace(graph, n_frames=n_frames))
    shapes = graph.shapes()
    owner = np.full(where.n_bytes, NOBODY)
    owner[: 4 if graph.any_length else 4 * (len(steps) + 1)] = COUNTERS

    def frame(number: int, at: int) -> np.ndarray:
        size = shapes[number].size * operators.value_bytes(graph.nodes[number].operator)
        return where.output[number] + at % where.ring[number] * size + np.arange(size)

    for number, step in schedule.schedule(steps, n_frames):
        operator, mine = graph.nodes[number].operator, np.zeros(where.n_bytes, bool)
        read = [shapes[i] for i in steps[number].inputs if i != FEATURES]
        for i in steps[number].inputs:
            for at in () if i == FEATURES else steps[number].reads(step, steps[i].n_out):
                if (owner[frame(i, at)] != 1000 * i + at).any():
                    return f"node {number} finds frame {at} of node {i} overwritten"
                mine[frame(i, at)] = where.output[i] != where.output[number]
        if isinstance(operator, Lstm):
            if where.output[number] != frame(steps[number].inputs[0], 0)[-1] + 1:
                return f"node {number} does not lie behind its input"
            if step and (owner[frame(number, step)] != 1000 * number + step - 1).any():
                return f"node {number} finds its last frame overwritten"
        state = where.state[number] + np.arange(
            operators.state_bytes(operator, read[0]) if read else 0
        )
        if step and (owner[state] != -1000 - number).any():
            return f"node {number} finds its state overwritten"
        scratch = where.scratch[number] + np.arange(operators.scratch_bytes(operator))
        writes = {-1000 - number: state, -2000 - number: scratch}
        if steps[number].pools and step == steps[number].n_steps:
            writes[1000 * number] = frame(number, 0)
        elif not steps[number].pools and not isinstance(operator, Linear):
            writes[1000 * number + step] = frame(number, step)
        for part in writes.values():
            if mine[part].any() or (owner[part] == COUNTERS).any():
                return f"node {number} writes over what it reads"
            mine[part] = True
        for name, part in writes.items():
            owner[part] = name
    return None


def lstm_graphs() -> list[IntegerGraph]:
    """One layer and three, of odd and even widths."""
    return [
        quantise(random_parent(h, h=h, n_layers=n, n_classes=3), *random_features(h))
        for h, n in ((1, 1), (5, 3), (8, 2))
    ]


@pytest.mark.parametrize("make", [random_graph, wild_graph])
@pytest.mark.parametrize("seed", range(40))
def test_no_frame_is_overwritten_while_needed(seed, make):
    graph = make(np.random.default_rng(seed))
    assert overwritten(graph, c_graph.layout(graph)) is None


def test_nor_where_clips_have_any_length():
    for graph in lstm_graphs():
        where = c_graph.layout(graph)
        assert overwritten(graph, where) is None
        assert where.ring == (1,) * len(graph.nodes)


def test_a_layer_takes_the_memory_of_its_states_and_no_more():
    """A counter, features and hidden states, cells, new states for the widest layer, sums."""
    for graph in lstm_graphs():
        units = [n.operator.n_units for n in graph.nodes if isinstance(n.operator, Lstm)]
        parts = [4, 2 * (13 + sum(units)), *(2 * h for h in units), 2 * units[-1], 4 * units[-1]]
        assert c_graph.layout(graph).n_bytes == sum(-(-part // 4) * 4 for part in parts)


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


@pytest.mark.parametrize(("part", "number"), [("output", 2), ("state", 1), ("state", 4)])
def test_what_an_lstm_keeps_is_noticed_when_shared(part, number):
    """Negative control: hidden states, cells or sums where a layer writes its new states."""
    graph = lstm_graphs()[1]
    where = c_graph.layout(graph)
    places = list(getattr(where, part))
    places[number] = where.scratch[1]
    assert overwritten(graph, dataclasses.replace(where, **{part: tuple(places)})) is not None
