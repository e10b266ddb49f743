"""Emit an integer graph as C constants for ``firmware/sd_graph.c``; reproducible to the byte.

``firmware/sd_operators.h`` describes the constants of each operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit import schedule
from spoken_digits.embedded.emit.model import check_names, header, label_array
from spoken_digits.embedded.emit.rows import blocks_of_rows, filled, interleaved
from spoken_digits.embedded.emit.schedule import Layout, Steps
from spoken_digits.embedded.emit.text import array
from spoken_digits.integer.graph import FEATURES, IntegerGraph
from spoken_digits.integer.operators.base import IntegerOperator, Shape
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.pooling import Pooling
from spoken_digits.integer.operators.residual import Sum
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.window import Window

MAX_TAPS = 25
"""Of a depthwise convolution: ``SD_MAX_TAPS``."""

_FEATURES = "SD_FEATURES"

_READS: dict[type[IntegerOperator], tuple[type[IntegerOperator] | None, ...]] = {
    Centring: (None,),
    Convolution: (Centring, Convolution, Depthwise, Sum),
    Depthwise: (Convolution, Depthwise, Sum),
    Sum: (Convolution, Depthwise, Sum),
    Pooling: (Convolution, Depthwise, Sum),
    Linear: (Pooling,),
}
"""What each operator can read in C; None stands for the features."""


def c_files(
    graph: IntegerGraph,
    name: str,
    *,
    labels: Sequence[str],
    provenance: Mapping[str, object],
) -> dict[str, str]:
    """Header and source that define the ``const sd_graph`` called `name`.

    Parameters
    ----------
    graph
        What to emit.
    name, labels, provenance
        As for :func:`spoken_digits.embedded.emit.network.c_files`.

    Returns
    -------
    dict
        File name to text.

    Raises
    ------
    ValueError
        C cannot run the graph: an operator reads what it cannot read in C, or is too large.
    """
    check_names(name, labels, graph.n_classes)
    check(graph)
    where = layout(graph)
    return {
        f"{name}.h": _header(graph, name, labels, provenance, where),
        f"{name}.c": _source(graph, name, labels, where),
    }


def sources(graph: IntegerGraph) -> list[str]:
    """C files of the executor and of the operators that the graph uses."""
    operators = sorted({f"sd_{node.operator.kind}.c" for node in graph.nodes})
    return ["sd_graph.c", "sd_rows.c", *operators]


def check(graph: IntegerGraph) -> None:
    """Refuse what C cannot run."""
    last = len(graph.nodes) - 1
    for number, node in enumerate(graph.nodes):
        operator = node.operator
        for i in node.inputs:
            read = None if i == FEATURES else type(graph.nodes[i].operator)
            if read not in _READS[type(operator)]:
                source = "the features" if i == FEATURES else f"a {graph.nodes[i].operator.kind}"
                raise ValueError(f"node {number}: a {operator.kind} cannot read {source} in C")
        if isinstance(operator, Linear) != (number == last):
            raise ValueError(f"node {number}: the last node, and no other, must be a linear one")
        if isinstance(operator, Depthwise) and operator.rows.weight.shape[1] > MAX_TAPS:
            raise ValueError(f"node {number}: a depthwise window has at most {MAX_TAPS} values")


def layout(graph: IntegerGraph) -> Layout:
    """Where the memory of the graph holds what."""
    shapes = graph.shapes()
    frames, scratch = [], []
    for node, shape in zip(graph.nodes, shapes, strict=True):
        operator = node.operator
        if isinstance(operator, Linear):
            frames.append(0)
        else:
            frames.append(shape.size * (2 if isinstance(operator, Centring | Pooling) else 1))
        if isinstance(operator, Convolution):
            n_columns = operator.rows.weight.shape[1]
            scratch.append(2 * 2 * (n_columns + n_columns % 2))  # two vectors of int16
        elif isinstance(operator, Pooling):
            scratch.append(5 * shapes[node.inputs[0]].n_channels)
        else:
            scratch.append(0)
    return schedule.layout(graph, frames, scratch)


def _header(
    graph: IntegerGraph,
    name: str,
    labels: Sequence[str],
    provenance: Mapping[str, object],
    where: Layout,
) -> str:
    card = [
        f"{graph.n_frames} frames of {graph.n_inputs} int8 features, {len(graph.nodes)} operators,",
        f"{graph.multiply_accumulates()} multiplications, {graph.n_classes} classes; weights int8,",
        f"{graph.parameter_bytes()} bytes of parameters.",
        f"A logit step is worth {graph.logit_step:.9g}.",
    ]
    return header(
        name,
        labels,
        card=card,
        provenance=provenance,
        include="sd_graph.h",
        constants={
            "N_INPUTS": graph.n_inputs,
            "N_FRAMES": graph.n_frames,
            "N_CLASSES": graph.n_classes,
            "STATE_BYTES": where.n_bytes,
        },
        declarations=f"""/* All the memory a clip needs. */
typedef struct {{
    uint32_t words[{name.upper()}_STATE_BYTES / 4];
}} {name}_memory;

extern const sd_graph {name};
""",
    )


def _source(graph: IntegerGraph, name: str, labels: Sequence[str], where: Layout) -> str:
    shapes = graph.shapes()
    steps = schedule.steps_of(graph)
    constants, entries = [], []
    n_zeros = 0
    for number, (node, shape) in enumerate(zip(graph.nodes, shapes, strict=True)):
        read = Shape(graph.n_inputs, 1) if node.inputs[0] == FEATURES else shapes[node.inputs[0]]
        wide = node.inputs[0] != FEATURES and isinstance(
            graph.nodes[node.inputs[0]].operator, Centring
        )
        constants.append(_constants(number, node.operator, read, shape, wide=wide))
        entries.append(_entry(number, node.operator, shape, steps[number], where))
        if isinstance(node.operator, Depthwise):
            n_zeros = max(n_zeros, shape.n_channels)
    zeros = f"static const uint8_t zeros[{n_zeros}] = {{0}};\n\n" if n_zeros else ""
    return f"""/* Weights of {name}.h. Generated: do not edit. */
#include "{name}.h"

{zeros}{"".join(constants)}static const sd_node nodes[{len(entries)}] = {{
{"".join(entries)}}};

const sd_graph {name} = {{nodes, {graph.n_frames}, {len(entries)}}};

{label_array(name, labels)}"""


def _entry(
    number: int, operator: IntegerOperator, shape: Shape, steps: Steps, where: Layout
) -> str:
    """Initialiser of a node."""
    inputs = [_FEATURES if i == FEATURES else str(i) for i in steps.inputs]
    wide = isinstance(operator, Centring | Pooling)
    fields = [
        *(f"sd_{operator.kind}", f"&parameters_{number}"),
        *(where.output[number], where.scratch[number], shape.size * (2 if wide else 1)),
        *(steps.n_steps, steps.first, steps.window, steps.stride, where.ring[number]),
        *(len(inputs), "{" + ", ".join([*inputs, "0"][:2]) + "}"),
    ]
    return f"    {{{', '.join(map(str, fields))}}},\n"


def _constants(
    number: int, operator: IntegerOperator, read: Shape, shape: Shape, *, wide: bool
) -> str:
    """Arrays and parameters of an operator."""
    arrays: list[str] = []

    def named(ctype: str, what: str, values: NDArray[np.integer]) -> str:
        arrays.append(array(ctype, f"{what}_{number}", values.reshape(-1)))
        return f"{what}_{number}"

    fields: list[object]
    if isinstance(operator, Centring):
        fields = [named("int16_t", "mean", operator.mean), len(operator.mean)]
    elif isinstance(operator, Convolution):
        fields = [
            named("uint8_t", "weights", interleaved(blocks_of_rows(operator.rows.weight))),
            named("int32_t", "bias", filled(_half_up(operator.rows))),
            _window(operator.window, read, shape),
            *(read.n_channels, shape.n_channels, operator.rows.shift[0], int(wide)),
        ]
    elif isinstance(operator, Depthwise):
        fields = [
            named("int8_t", "weights", operator.rows.weight),
            named("int32_t", "bias", _half_up(operator.rows)),
            named("uint8_t", "shift", operator.rows.shift),
            *("zeros", _window(operator.window, read, shape), shape.n_channels),
        ]
    elif isinstance(operator, Sum):
        fields = [shape.size, f"{{{operator.factor[0]}, {operator.factor[1]}}}"]
    elif isinstance(operator, Pooling):
        fields = [read.n_bands, read.n_channels]
    elif isinstance(operator, Linear):
        fields = [
            named("uint8_t", "weights", interleaved(blocks_of_rows(operator.rows.weight))),
            named("int32_t", "bias", filled(operator.rows.bias)),
            *(read.size, shape.n_channels),
        ]
    else:
        raise ValueError(f"node {number}: C has no {operator.kind}")
    values = ", ".join(map(str, fields))
    kind = f"sd_{operator.kind}_parameters"
    return "".join(arrays) + f"static const {kind} parameters_{number} = {{{values}}};\n\n"


def _half_up(rows: Rows) -> NDArray[np.int32]:
    """Biases with half a step, so that a shift alone rounds; the bound of the rows covers it."""
    return (rows.bias.astype(np.int64) + (1 << rows.shift >> 1)).astype(np.int32)


def _window(window: Window, read: Shape, shape: Shape) -> str:
    """Initialiser of an ``sd_window``."""
    sizes = [read.n_bands, shape.n_bands, *window.kernel, window.stride[1], window.padding[1]]
    return f"{{{', '.join(map(str, sizes))}}}"
