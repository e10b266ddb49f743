"""A network of operators on integers: the NumPy twin of ``firmware/sd_graph.c``, equal to the bit.

Nodes stand in the order in which they run; each reads results of earlier ones by index, or the
features. The last gives the logits, the first of which wins among equals.

Python runs a clip at once; C runs it frame by frame and keeps of every tensor only the frames that
a later node still needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators import OPERATORS
from spoken_digits.integer.operators.base import (
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
    Shape,
)

FEATURES = -1
"""As the input of a node: the features of the clip."""

MAX_NODES = 255

_CHUNK = 64  # clips at once
_FEATURE_REACH = 128
_KIND = "kind"
_INPUTS = "inputs"

_Operator = TypeVar("_Operator", FloatOperator, IntegerOperator)


@dataclass(frozen=True)
class Node(Generic[_Operator]):
    """An operator in its place."""

    operator: _Operator
    inputs: tuple[int, ...]
    """Index of the node that each tensor comes from, or `FEATURES`."""


@dataclass(frozen=True, kw_only=True)
class FloatGraph:
    """The graph in floating point, with batch normalisation folded in."""

    nodes: tuple[Node[FloatOperator], ...]
    n_inputs: int
    """Bands of the features."""
    n_frames: int
    """Frames of a clip."""

    def run(self, features: NDArray[np.generic]) -> list[Real]:
        """The result of every node.

        Parameters
        ----------
        features
            (n_clips, n_frames, n_inputs) in steps.

        Returns
        -------
        list of ndarray, each (n_clips, its frames, its bands, its channels)
        """
        first = np.asarray(features, np.float64)[..., None]
        results: list[Real] = []
        for node in self.nodes:
            read = [first if i == FEATURES else results[i] for i in node.inputs]
            results.append(node.operator.run(read))
        return results

    def logits(self, features: NDArray[np.generic]) -> Real:
        """(n_clips, n_classes)"""
        return self.run(features)[-1][:, 0, 0]


@dataclass(frozen=True, kw_only=True)
class IntegerGraph:
    """The graph in integers; checked on construction, so that C can rely on it."""

    nodes: tuple[Node[IntegerOperator], ...]
    n_inputs: int
    """Bands of the int8 features."""
    n_frames: int
    """Frames of a clip."""
    logit_step: float
    """Real value of one logit step."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.nodes) <= MAX_NODES:
            raise ValueError(f"a graph has 1 to {MAX_NODES} nodes, not {len(self.nodes)}")
        if not (np.isfinite(self.logit_step) and self.logit_step > 0):
            raise ValueError(f"logit_step is {self.logit_step}, must be positive")
        shapes, counts = self.shapes(), self.frame_counts()
        reaches: list[NDArray[np.int64]] = []
        features = np.full(1, _FEATURE_REACH)
        for number, node in enumerate(self.nodes):
            read = [features if i == FEATURES else reaches[i] for i in node.inputs]
            try:
                node.operator.check(*self._read(node, shapes, counts))
                reaches.append(node.operator.reach(read))
            except ValueError as error:
                raise ValueError(f"node {number}: {error}") from None
        if counts[-1] != 1 or shapes[-1].n_bands != 1:
            raise ValueError("the last node does not give one vector a clip")

    def shapes(self) -> list[Shape]:
        """Shape of the frames of each node's result; raises ValueError where nodes do not fit."""
        shapes: list[Shape] = []
        for number, node in enumerate(self.nodes):
            if len(node.inputs) != node.operator.n_inputs:
                raise ValueError(f"node {number} reads {len(node.inputs)} tensors")
            if not all(FEATURES <= i < number for i in node.inputs):
                raise ValueError(f"node {number} reads a node that does not run before it")
            read = [Shape(self.n_inputs, 1) if i == FEATURES else shapes[i] for i in node.inputs]
            try:
                shapes.append(node.operator.shape(read))
            except ValueError as error:
                raise ValueError(f"node {number}: {error}") from None
            if shapes[-1].size < 1:
                raise ValueError(f"node {number} gives no bands")
        return shapes

    def frame_counts(self) -> list[int]:
        """Frames that each node gives for a clip."""
        counts: list[int] = []
        for number, node in enumerate(self.nodes):
            read = {self.n_frames if i == FEATURES else counts[i] for i in node.inputs}
            if len(read) != 1:
                raise ValueError(f"node {number} reads tensors of different lengths")
            counts.append(node.operator.n_frames(read.pop()))
            if counts[-1] < 1:
                raise ValueError(f"node {number} gives no frame")
        return counts

    @property
    def n_classes(self) -> int:
        """Classes."""
        return self.shapes()[-1].n_channels

    @property
    def scheme(self) -> str:
        """How weights are stored."""
        return "int8"

    def logits(
        self, features: NDArray[np.int8], n_frames: NDArray[np.integer] | None = None
    ) -> NDArray[np.int32]:
        """Run clips through the network.

        Parameters
        ----------
        features
            (n_clips, n_frames, n_inputs) int8.
        n_frames
            (n_clips,): `n_frames` for every clip, since the silence around a word is heard too.

        Returns
        -------
        ndarray, shape (n_clips, n_classes), int32
            In steps of `logit_step`.
        """
        features = np.asarray(features)
        if features.dtype != np.int8 or features.shape[1:] != (self.n_frames, self.n_inputs):
            raise ValueError(
                f"features must be int8 of shape (clips, {self.n_frames}, {self.n_inputs})"
            )
        if n_frames is not None and not (np.asarray(n_frames) == self.n_frames).all():
            raise ValueError(f"every clip must have {self.n_frames} frames")
        parts = [
            self.run(features[i : i + _CHUNK])[-1][:, 0, 0] for i in range(0, len(features), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.n_classes), np.int32)

    def run(self, features: NDArray[np.int8]) -> list[IntArray]:
        """The result of every node, as `FloatGraph.run`."""
        first = features.astype(np.int32)[..., None]
        results: list[IntArray] = []
        for node in self.nodes:
            read = [first if i == FEATURES else results[i] for i in node.inputs]
            results.append(node.operator.run(read))
        return results

    def parameter_bytes(self) -> int:
        """Bytes of the constants of all nodes: weights, int32 biases, shifts, means, factors."""
        return sum(node.operator.n_bytes() for node in self.nodes)

    def multiply_accumulates(self) -> int:
        """Multiplications by weights for a clip."""
        shapes, counts = self.shapes(), self.frame_counts()
        return sum(
            node.operator.multiply_accumulates(*self._read(node, shapes, counts))
            for node in self.nodes
        )

    def _read(
        self, node: Node[IntegerOperator], shapes: list[Shape], counts: list[int]
    ) -> tuple[list[Shape], int]:
        """Shapes of the tensors that a node reads, and their frames a clip."""
        read = [Shape(self.n_inputs, 1) if i == FEATURES else shapes[i] for i in node.inputs]
        first = node.inputs[0]
        return read, self.n_frames if first == FEATURES else counts[first]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The whole graph as named arrays, for a file; back with :func:`from_arrays`."""
        named: dict[str, NDArray[np.generic]] = {
            "graph.shape": np.array([self.n_frames, self.n_inputs], np.int32),
            "graph.logit_step": np.array([self.logit_step], np.float64),
        }
        for number, node in enumerate(self.nodes):
            prefix = f"node_{number:03d}"
            named[f"{prefix}.{_KIND}"] = np.frombuffer(node.operator.kind.encode(), np.uint8)
            named[f"{prefix}.{_INPUTS}"] = np.array(node.inputs, np.int16)
            for name, array in node.operator.arrays().items():
                named[f"{prefix}.{name}"] = array
        return named


def from_arrays(named: Mapping[str, NDArray[np.generic]]) -> IntegerGraph:
    """The graph that :meth:`IntegerGraph.arrays` describes.

    Raises
    ------
    ValueError
        The arrays describe no graph that C could run.
    """
    try:
        n_frames, n_inputs = (int(size) for size in named["graph.shape"])
        logit_step = float(named["graph.logit_step"].item())
        nodes: list[Node[IntegerOperator]] = []
        while f"node_{len(nodes):03d}.{_KIND}" in named:
            prefix = f"node_{len(nodes):03d}."
            own = {
                name.removeprefix(prefix): array
                for name, array in named.items()
                if name.startswith(prefix)
            }
            kind = own[_KIND].astype(np.uint8).tobytes().decode("ascii", "replace")
            if kind not in OPERATORS:
                raise ValueError(f"node {len(nodes)} is of the unknown kind {kind!r}")
            inputs = tuple(int(i) for i in own[_INPUTS].reshape(-1))
            nodes.append(Node(OPERATORS[kind].from_arrays(own), inputs))
    except KeyError as error:
        raise ValueError(f"the graph lacks {error.args[0]}") from None
    except (IndexError, TypeError) as error:
        raise ValueError(f"the graph is damaged ({error})") from None
    return IntegerGraph(
        nodes=tuple(nodes), n_inputs=n_inputs, n_frames=n_frames, logit_step=logit_step
    )


def quantise(graph: FloatGraph, features: NDArray[np.int8]) -> IntegerGraph:
    """Post-training quantization.

    Parameters
    ----------
    features
        Calibration clips, from the train subset only: (n_clips, n_frames, n_inputs). They set
        the scale of every tensor.
    """
    scales: list[float] = []
    nodes: list[Node[IntegerOperator]] = []
    results = graph.run(features)
    for node, result in zip(graph.nodes, results, strict=True):
        read = tuple(1.0 if i == FEATURES else scales[i] for i in node.inputs)
        chosen = node.operator.scale(result)
        operator = node.operator.quantised(Scales(read, chosen if chosen is not None else 1.0))
        scales.append(chosen if chosen is not None else operator.output_scale(read[0]))
        nodes.append(Node(operator, node.inputs))
    return IntegerGraph(
        nodes=tuple(nodes),
        n_inputs=graph.n_inputs,
        n_frames=graph.n_frames,
        logit_step=1.0 / scales[-1],
    )
