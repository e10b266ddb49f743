"""Emit an integer graph as C constants for ``firmware/sd_graph.c``; reproducible to the byte.

``firmware/sd_operators.h`` describes the constants of each operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spoken_digits.embedded.emit import operators, schedule
from spoken_digits.embedded.emit.model import check_names, header, label_array
from spoken_digits.embedded.emit.schedule import Layout, Needs, Steps
from spoken_digits.integer.graph import FEATURES, IntegerGraph
from spoken_digits.integer.operators.base import IntegerOperator, Shape
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import Lstm

_FEATURES = "SD_FEATURES"


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
    name
        A C identifier; the files are ``{name}.h`` and ``{name}.c``.
    labels
        (n_classes,) the words, in the order of the logits.
    provenance
        Facts about the model for the model card, one a line: corpus, split, accuracy,
        parameters, versions. Must not hold a time or a path.

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
    executor = ["sd_graph.c"] if graph.any_length else ["sd_graph.c", "sd_graph_windows.c"]
    return [*executor, *sorted(set().union(*(operators.sources(n.operator) for n in graph.nodes)))]


def check(graph: IntegerGraph) -> None:
    """Refuse what C cannot run."""
    last = len(graph.nodes) - 1
    for number, node in enumerate(graph.nodes):
        operator = node.operator
        for i in node.inputs:
            read = None if i == FEATURES else type(graph.nodes[i].operator)
            if read not in operators.READS[type(operator)]:
                source = "the features" if i == FEATURES else f"a {graph.nodes[i].operator.kind}"
                raise ValueError(f"node {number}: a {operator.kind} cannot read {source} in C")
        if isinstance(operator, Linear) != (number == last):
            raise ValueError(f"node {number}: the last node, and no other, must be a linear one")
        if isinstance(operator, Depthwise) and operator.rows.weight.shape[1] > operators.MAX_TAPS:
            raise ValueError(
                f"node {number}: a depthwise window has at most {operators.MAX_TAPS} values"
            )
        if isinstance(operator, Lstm):
            others = [i for i in range(number) if graph.nodes[i].inputs == node.inputs]
            if others or not graph.any_length:
                raise ValueError(
                    f"node {number}: in C an lstm must read alone, in clips of any length"
                )


def layout(graph: IntegerGraph) -> Layout:
    """Where the memory of the graph holds what."""
    shapes = graph.shapes()
    needs = []
    for node, shape in zip(graph.nodes, shapes, strict=True):
        operator = node.operator
        read = Shape(graph.n_inputs, 1) if node.inputs[0] == FEATURES else shapes[node.inputs[0]]
        needs.append(
            Needs(
                # the logits go to the caller
                frame=0 if isinstance(operator, Linear) else _frame_bytes(operator, shape),
                state=operators.state_bytes(operator, read),
                scratch=operators.scratch_bytes(operator),
            )
        )
    where = schedule.layout(graph, needs)
    if where.n_bytes >= 2**16:
        raise ValueError(
            f"the graph needs {where.n_bytes} bytes of memory, C has offsets of 16 bits"
        )
    return where


def _frame_bytes(operator: IntegerOperator, shape: Shape) -> int:
    return shape.size * operators.value_bytes(operator)


def _header(
    graph: IntegerGraph,
    name: str,
    labels: Sequence[str],
    provenance: Mapping[str, object],
    where: Layout,
) -> str:
    if graph.any_length:
        a_frame = graph.multiply_accumulates(2) - graph.multiply_accumulates(1)
        clip, cost = f"Up to {graph.n_frames} frames", f"{a_frame} multiplications a frame"
    else:
        clip, cost = f"{graph.n_frames} frames", f"{graph.multiply_accumulates()} multiplications"
    card = [
        f"{clip} of {graph.n_inputs} int8 features, {len(graph.nodes)} operators,",
        f"{cost}, {graph.n_classes} classes; weights {graph.scheme},",
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
    parameters, entries = [], []
    n_zeros = 0
    for number, (node, shape) in enumerate(zip(graph.nodes, shapes, strict=True)):
        read = Shape(graph.n_inputs, 1) if node.inputs[0] == FEATURES else shapes[node.inputs[0]]
        wide = node.inputs[0] != FEATURES and isinstance(
            graph.nodes[node.inputs[0]].operator, Centring
        )
        parameters.append(operators.constants(number, node.operator, read, shape, wide=wide))
        entries.append(_entry(number, node.operator, shape, steps[number], where))
        if isinstance(node.operator, Depthwise):
            n_zeros = max(n_zeros, shape.n_channels)
    schedule_of_clips = "0" if graph.any_length else "sd_graph_windows"
    n_cleared = where.n_bytes // 4 if graph.any_length else len(entries) + 1
    zeros = f"static const uint8_t zeros[{n_zeros}] = {{0}};\n\n" if n_zeros else ""
    return f"""/* Weights of {name}.h. Generated: do not edit. */
#include "{name}.h"

{zeros}{"".join(parameters)}static const sd_node nodes[{len(entries)}] = {{
{"".join(entries)}}};

const sd_graph {name} = {{
    nodes, {schedule_of_clips}, {graph.n_frames}, {n_cleared}, {len(entries)},
}};

{label_array(name, labels)}"""


def _entry(
    number: int, operator: IntegerOperator, shape: Shape, steps: Steps, where: Layout
) -> str:
    """Initialiser of a node."""
    inputs = [_FEATURES if i == FEATURES else str(i) for i in steps.inputs]
    fields = [
        *(operators.function(operator), f"&parameters_{number}"),
        *(where.output[number], where.state[number], where.scratch[number]),
        _frame_bytes(operator, shape),
        *(steps.n_steps, steps.first, steps.window, steps.stride, where.ring[number]),
        *(len(inputs), "{" + ", ".join([*inputs, "0"][:2]) + "}", int(steps.pools)),
    ]
    return f"    {{{', '.join(map(str, fields))}}},\n"
