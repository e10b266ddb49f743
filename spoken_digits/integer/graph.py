"""A network of operators on integers: the NumPy twin of ``firmware/sd_graph.c``, equal bit for bit.

Nodes stand in the order in which they run; each reads results of earlier ones by index, or the
features. The last gives the logits, the first of which wins among equals.

Every clip has the same number of frames, or any number up to a limit if all operators allow it.
Python runs a clip at once; C runs it frame by frame and keeps of every tensor only the frames that
a later node still needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.operators import OPERATORS
from spoken_digits.integer.operators.base import (
    Counts,
    FloatOperator,
    IntegerOperator,
    Shape,
)

FEATURES = -1
"""As the input of a node: the features of the clip."""

FEATURE_REACH = np.full(1, 128)
"""Largest absolute feature."""

MAX_NODES = 255
MAX_FRAMES = 2**16 - 1

_CHUNK = 64  # clips at once: keeps the working set in the cache
_CHUNK_ANY_LENGTH = 256  # a recurrent operator works through them one frame at a time
_KIND = "kind"
_INPUTS = "inputs"
_ANY_LENGTH = "graph.any_length"

_Operator = TypeVar("_Operator", FloatOperator, IntegerOperator)


@dataclass(frozen=True)
class Node(Generic[_Operator]):
    """An operator in its place."""

    operator: _Operator
    inputs: tuple[int, ...]
    """Index of the node that each tensor comes from, or `FEATURES`."""


@dataclass(frozen=True, kw_only=True)
class IntegerGraph:
    """The graph in integers; checked on construction, so that C can rely on it."""

    nodes: tuple[Node[IntegerOperator], ...]
    n_inputs: int
    """Bands of the int8 features."""
    n_frames: int
    """Frames of a clip, or the most that it may have."""
    any_length: bool = False
    """Whether a clip may have fewer frames, even none."""
    logit_step: float
    """Real value of one logit step."""

    def __post_init__(self) -> None:
        if not 1 <= self.n_frames <= MAX_FRAMES:
            raise ValueError(f"a clip has 1 to {MAX_FRAMES} frames, not {self.n_frames}")
        if not 1 <= len(self.nodes) <= MAX_NODES:
            raise ValueError(f"a graph has 1 to {MAX_NODES} nodes, not {len(self.nodes)}")
        if not (np.isfinite(self.logit_step) and self.logit_step > 0):
            raise ValueError(f"logit_step is {self.logit_step}, must be positive")
        for number, node in enumerate(self.nodes):
            if self.any_length and not node.operator.any_length:
                raise ValueError(f"node {number}: a {node.operator.kind} needs clips of one length")
        shapes, counts = self.shapes(), self.frame_counts()
        reaches: list[NDArray[np.int64]] = []
        for number, node in enumerate(self.nodes):
            read = [FEATURE_REACH if i == FEATURES else reaches[i] for i in node.inputs]
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
        """How weights are stored: ``int8``, ``pow2``, or both joined by ``+``."""
        codes = {node.operator.code for node in self.nodes}
        return "+".join(sorted(code for code in codes if code is not None))

    def logits(
        self, features: NDArray[np.int8], n_frames: Counts | None = None
    ) -> NDArray[np.int32]:
        """Run clips through the network.

        Parameters
        ----------
        features
            (n_clips, n_frames, n_inputs) int8; fewer frames where clips may have any number.
        n_frames
            (n_clips,) valid frames of each clip; those after them are not looked at. None: all.
            Where clips have one length it is that of each, since the silence around a word is
            heard too.

        Returns
        -------
        ndarray, shape (n_clips, n_classes), int32
            In steps of `logit_step`.
        """
        features = np.asarray(features)
        if features.dtype != np.int8 or features.ndim != 3 or not self._fits(*features.shape[1:]):
            most = f"at most {self.n_frames}" if self.any_length else self.n_frames
            raise ValueError(f"features must be int8 of shape (clips, {most}, {self.n_inputs})")
        counts = clip_lengths(features, n_frames)
        if not self.any_length and not (counts == self.n_frames).all():
            raise ValueError(f"every clip must have {self.n_frames} frames")
        if (
            counts.shape != features.shape[:1]
            or not ((counts >= 0) & (counts <= features.shape[1])).all()
        ):
            raise ValueError("n_frames must be, for each clip, a number of its frames")
        chunk = _CHUNK_ANY_LENGTH if self.any_length else _CHUNK
        parts = []
        for i in range(0, len(features), chunk):
            own = counts[i : i + chunk]
            clips = features[i : i + chunk, : int(own.max())]
            parts.append(self.run(clips, own)[-1][:, 0, 0])
        return np.concatenate(parts) if parts else np.zeros((0, self.n_classes), np.int32)

    def _fits(self, n_frames: int, n_inputs: int) -> bool:
        enough = n_frames <= self.n_frames if self.any_length else n_frames == self.n_frames
        return enough and n_inputs == self.n_inputs

    def run(self, features: NDArray[np.int8], n_frames: Counts | None = None) -> list[IntArray]:
        """The result of every node, each (n_clips, its frames, its bands, its channels)."""
        counts = clip_lengths(features, n_frames)
        first = features.astype(np.int32)[..., None]
        results: list[IntArray] = []
        for node in self.nodes:
            read = [first if i == FEATURES else results[i] for i in node.inputs]
            results.append(node.operator.run_valid(read, counts))
        return results

    def parameter_bytes(self) -> int:
        """Bytes of the constants of all nodes, and of the tables that they share."""
        tables: dict[str, int] = {}
        for node in self.nodes:
            tables |= node.operator.tables()
        return sum(node.operator.n_bytes() for node in self.nodes) + sum(tables.values())

    def multiply_accumulates(self, n_frames: int | None = None) -> int:
        """Multiplications by weights for a clip of `n_frames`; None: of the most that it has."""
        if n_frames is not None:
            return replace(self, n_frames=n_frames).multiply_accumulates()
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
        if self.any_length:
            named[_ANY_LENGTH] = np.ones(1, np.uint8)
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
        any_length = _ANY_LENGTH in named and bool(named[_ANY_LENGTH].item())
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
        nodes=tuple(nodes),
        n_inputs=n_inputs,
        n_frames=n_frames,
        any_length=any_length,
        logit_step=logit_step,
    )


def predict(logits: NDArray[np.int32]) -> NDArray[np.int64]:
    """Winning class of each clip: the largest logit, the lowest index among equals.

    Parameters
    ----------
    logits
        (n_clips, n_classes)
    """
    winners: NDArray[np.int64] = logits.argmax(axis=1)
    return winners


def clip_lengths(features: NDArray[np.generic], n_frames: Counts | None) -> Counts:
    """Valid frames of each clip."""
    if n_frames is None:
        return np.full(len(features), features.shape[1])
    return np.asarray(n_frames).astype(np.int64)
