"""When the nodes of a graph run in C, and where in the memory their frames lie.

:func:`schedule` is the twin of ``firmware/sd_graph.c``: after each frame, and then until nothing
is left to do, each node that has what it needs runs once; when the clip has ended, those that pool
give their frame, and the last one the logits. From the moments at which frames are written and
read follows what may share memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit.operators import POOLS, value_bytes
from spoken_digits.integer.graph import FEATURES, IntegerGraph
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.lstm import Lstm
from spoken_digits.integer.operators.residual import Sum

MAX_RING = 255

_ALIGNMENT = 4
_FRAMES_OF_ANY_LENGTH = 2
"""Where a clip may have any number, each frame runs as the one before it."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How a node goes along the frames of its inputs."""

    inputs: tuple[int, ...]
    first: int
    """First frame that step 0 reads."""
    window: int
    """Frames that a step reads."""
    stride: int
    n_steps: int
    """Steps a clip, without the one in which a node that pools gives its frame."""
    pools: bool

    @property
    def n_out(self) -> int:
        """Frames of its output."""
        return 1 if self.pools else self.n_steps

    def reads(self, step: int, n_frames: int) -> range:
        """Frames that a step reads, of the `n_frames` of an input."""
        if self.pools and step == self.n_steps:
            return range(0)
        first = self.first + step * self.stride
        return range(max(first, 0), min(first + self.window, n_frames))


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Bytes of a node."""

    frame: int
    """Of a frame of its output; 0 for the last, which writes to the caller."""
    state: int
    """Kept from step to step."""
    scratch: int
    """During a step."""


@dataclass(frozen=True)
class Item:
    """A piece of memory: its size, and the moments at which it must keep its content."""

    n_bytes: int
    live: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything lies, in bytes from the start of the memory."""

    ring: tuple[int, ...]
    """Frames held of each node's output."""
    output: tuple[int, ...]
    """Offset of each node's ring."""
    state: tuple[int, ...]
    """Offset of each node's state."""
    scratch: tuple[int, ...]
    """Offset of each node's scratch."""
    n_bytes: int


def steps_of(graph: IntegerGraph) -> list[Steps]:
    """How each node goes along the frames."""
    counts = graph.frame_counts()
    found: list[Steps] = []
    for node, count in zip(graph.nodes, counts, strict=True):
        operator, first, window, stride, n_steps = node.operator, 0, 1, 1, count
        read, pools = node.inputs[0], isinstance(node.operator, POOLS)
        if isinstance(operator, Convolution | Depthwise):
            window, stride = operator.window.kernel[0], operator.window.stride[0]
            first = -operator.window.padding[0]
        elif pools:
            n_steps = graph.n_frames if read == FEATURES else counts[read]
        found.append(
            Steps(
                inputs=node.inputs,
                first=first,
                window=window,
                stride=stride,
                n_steps=n_steps,
                pools=pools,
            )
        )
    return found


def schedule(steps: list[Steps], n_frames: int) -> list[tuple[int, int]]:
    """(node, step) in the order in which C runs them."""
    order: list[tuple[int, int]] = []
    done, pushed = [0] * len(steps), 0
    while True:
        pushed, before = min(pushed + 1, n_frames), (pushed, len(order))
        for number, node in enumerate(steps[:-1]):
            if _is_ready(node, done[number], done, pushed, steps, n_frames):
                order.append((number, done[number]))
                done[number] += 1
        if (pushed, len(order)) == before:
            break
    if any(done[number] < node.n_steps for number, node in enumerate(steps[:-1])):
        raise ValueError("a node lacks frames at the end of a clip")
    closing = [(number, node.n_steps) for number, node in enumerate(steps) if node.pools]
    return [*order, *closing, (len(steps) - 1, 0)]


def _is_ready(
    node: Steps, step: int, done: list[int], pushed: int, steps: list[Steps], n_frames: int
) -> bool:
    if step == node.n_steps:
        return False
    last = node.first + step * node.stride + node.window - 1
    for i in node.inputs:
        there, total = (pushed, n_frames) if i == FEATURES else (done[i], steps[i].n_steps)
        if last >= there < total:
            return False
    return True


def layout(graph: IntegerGraph, needs: list[Needs]) -> Layout:
    """Place rings, state and scratch of every node behind the counters of the executor."""
    n_frames = _FRAMES_OF_ANY_LENGTH if graph.any_length else graph.n_frames
    steps = steps_of(replace(graph, n_frames=n_frames))
    order = schedule(steps, n_frames)
    holder, numbers = _holders(graph), range(len(steps))
    ring, live = _rings(steps, order, holder)
    behind = _behind(graph, needs)
    sizes, always = [ring[i] * needs[i].frame for i in numbers], np.ones(len(order), np.bool_)
    for i, (first, _) in behind.items():
        sizes[first] += needs[i].frame
        live[first] = always
    items = {
        ("ring", i): Item(sizes[i], live[i])
        for i in numbers
        if holder[i] == i and i not in behind and needs[i].frame
    }
    for i in numbers:
        runs = np.array([ran == i for ran, _ in order])
        kept = always if graph.any_length else _from_first_to_last(runs)
        items |= {("state", i): Item(needs[i].state, kept)} if needs[i].state else {}
        items |= {("scratch", i): Item(needs[i].scratch, runs)} if needs[i].scratch else {}
    offsets, end = _place(items, first=_ALIGNMENT * (1 if graph.any_length else len(steps) + 1))

    def output(i: int) -> int:
        first, distance = behind.get(i, (holder[i], 0))
        return offsets.get(("ring", first), 0) + distance

    return Layout(
        ring=tuple(ring[holder[i]] for i in numbers),
        output=tuple(output(i) for i in numbers),
        state=tuple(offsets.get(("state", i), 0) for i in numbers),
        scratch=tuple(offsets.get(("scratch", i), 0) for i in numbers),
        n_bytes=end,
    )


def _behind(graph: IntegerGraph, needs: list[Needs]) -> dict[int, tuple[int, int]]:
    """Each LSTM, whose output must lie right behind its input: the first node of such a chain, and
    the bytes from there.
    """
    found: dict[int, tuple[int, int]] = {}
    for number, node in enumerate(graph.nodes):
        if isinstance(node.operator, Lstm):
            (read,) = node.inputs
            first, distance = found.get(read, (read, 0))
            found[number] = first, distance + needs[read].frame
    return found


def _holders(graph: IntegerGraph) -> list[int]:
    """The node in whose ring each node writes its frames.

    A sum, and a 1 x 1 convolution with as many channels as its input, may write over an input that
    nobody else reads: that input is then written where the result will lie.
    """
    readers: dict[int, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        for i in set(node.inputs):
            readers.setdefault(i, []).append(number)
    holder = list(range(len(graph.nodes)))
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        own = [i for i in node.inputs if i != FEATURES and readers[i] == [number]]
        if own and _is_local(node.operator) and _is_like(graph, own[-1], number):
            holder[own[-1]] = holder[number]
    return holder


def _is_like(graph: IntegerGraph, first: int, second: int) -> bool:
    """Whether the frames of two nodes have one shape and type."""
    shapes = graph.shapes()
    types = {value_bytes(graph.nodes[i].operator) for i in (first, second)}
    return shapes[first] == shapes[second] and len(types) == 1


def _is_local(operator: object) -> bool:
    """Whether each band of a result depends on that band and frame of the input alone."""
    if isinstance(operator, Convolution):
        window = operator.window
        return window.kernel == (1, 1) and window.stride == (1, 1)
    return isinstance(operator, Sum)


def _rings(
    steps: list[Steps], order: list[tuple[int, int]], holder: list[int]
) -> tuple[list[int], list[NDArray[np.bool_]]]:
    """Frames that each ring must hold, and the moments at which it must."""
    ring = [1] * len(steps)
    live = [np.zeros(len(order), np.bool_) for _ in steps]
    written = [0] * len(steps)  # frames of each ring, by whoever writes them first
    since: list[dict[int, int]] = [{} for _ in steps]
    for moment, (number, step) in enumerate(order):
        for i in steps[number].inputs:
            if i == FEATURES:
                continue
            for frame in steps[number].reads(step, steps[i].n_out):
                own = holder[i]
                ring[own] = max(ring[own], written[own] - frame)
                live[own][since[own][frame] : moment + 1] = True
        if steps[number].pools:
            if step < steps[number].n_steps:
                continue
            step = 0
        own = holder[number]
        since[own].setdefault(step, moment)
        written[own] = max(written[own], step + 1)
        live[own][moment] = True
    for number, frames in enumerate(ring):
        if frames > MAX_RING:
            raise ValueError(f"node {number}: {frames} frames to hold, at most {MAX_RING}")
    return ring, live


def _from_first_to_last(runs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The moments between those at which a node runs, and these."""
    return np.logical_or.accumulate(runs) & np.logical_or.accumulate(runs[::-1])[::-1]


def _place(
    items: dict[tuple[str, int], Item], *, first: int
) -> tuple[dict[tuple[str, int], int], int]:
    """Lowest free offset for each item, large ones first; the end of the last."""
    placed: list[tuple[int, int, Item]] = []
    offsets: dict[tuple[str, int], int] = {}
    for key in sorted(items, key=lambda key: (-items[key].n_bytes, key)):
        item, offset = items[key], first
        for start, end, other in sorted(placed, key=lambda piece: piece[:2]):
            if (
                start < offset + item.n_bytes
                and offset < end
                and bool((item.live & other.live).any())
            ):
                offset = end
        offsets[key] = offset
        placed.append((offset, offset + _aligned(item.n_bytes), item))
    return offsets, max((end for _, end, _ in placed), default=first)


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // _ALIGNMENT) * _ALIGNMENT
