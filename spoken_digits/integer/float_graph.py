"""A network of operators in floating point, and how it becomes integer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.graph import (
    FEATURE_REACH,
    FEATURES,
    IntegerGraph,
    Node,
    clip_lengths,
)
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.operators.base import (
    Counts,
    FloatOperator,
    IntegerOperator,
    Real,
    Scales,
)

_CHUNK = 64  # clips at once: the results of all nodes are held


@dataclass(frozen=True, kw_only=True)
class FloatGraph:
    """The graph in floating point, with batch normalisation folded in."""

    nodes: tuple[Node[FloatOperator], ...]
    n_inputs: int
    """Bands of the features."""
    n_frames: int
    """Frames of a clip, or the most that it may have."""
    any_length: bool = False
    """Whether a clip may have fewer frames."""

    def run(self, features: NDArray[np.generic], n_frames: Counts | None = None) -> list[Real]:
        """The result of every node.

        Parameters
        ----------
        features
            (n_clips, n_frames, n_inputs) in steps.
        n_frames
            (n_clips,) valid frames of each; None: all.

        Returns
        -------
        list of ndarray, each (n_clips, its frames, its bands, its channels)
        """
        counts = clip_lengths(features, n_frames)
        first = np.asarray(features, np.float64)[..., None]
        results: list[Real] = []
        for node in self.nodes:
            read = [first if i == FEATURES else results[i] for i in node.inputs]
            results.append(node.operator.run_valid(read, counts))
        return results

    def logits(self, features: NDArray[np.generic], n_frames: Counts | None = None) -> Real:
        """(n_clips, n_classes)"""
        counts = clip_lengths(features, n_frames)
        parts = [
            self.run(features[i : i + _CHUNK], counts[i : i + _CHUNK])[-1][:, 0, 0]
            for i in range(0, max(len(features), 1), _CHUNK)
        ]
        return np.concatenate(parts)

    def calibrated(
        self, features: NDArray[np.generic], n_frames: Counts | None = None
    ) -> FloatGraph:
        """The graph with the ranges inside its operators; parameters as for `run`."""
        counts = clip_lengths(features, n_frames)
        first = np.asarray(features, np.float64)[..., None]
        results = self.run(features, n_frames)
        nodes = [
            Node(
                node.operator.calibrated(
                    [first if i == FEATURES else results[i] for i in node.inputs], counts
                ),
                node.inputs,
            )
            for node in self.nodes
        ]
        return replace(self, nodes=tuple(nodes))


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A float graph, and how its tensors are held as integers."""

    graph: FloatGraph
    """With the ranges inside its operators."""
    scales: tuple[float | None, ...]
    """Of each node's result, integers per unit; None: it follows from the scale of its input."""

    def quantised(self, code: Scheme) -> IntegerGraph:
        """The graph in integers, weights stored as `code`."""
        return self.rounded(code)[0]

    def rounded(self, code: Scheme) -> tuple[IntegerGraph, list[float]]:
        """The graph in integers, and the scale of each node's result."""
        known: list[float] = []
        reaches: list[NDArray[np.int64]] = []
        nodes: list[Node[IntegerOperator]] = []
        for node, chosen in zip(self.graph.nodes, self.scales, strict=True):
            read = tuple(1.0 if i == FEATURES else known[i] for i in node.inputs)
            reach = [FEATURE_REACH if i == FEATURES else reaches[i] for i in node.inputs]
            operator = node.operator.quantised(
                Scales(read, 1.0 if chosen is None else chosen, reach[0], code)
            )
            known.append(operator.output_scale(read[0]) if chosen is None else chosen)
            reaches.append(operator.reach(reach))
            nodes.append(Node(operator, node.inputs))
        graph = IntegerGraph(
            nodes=tuple(nodes),
            n_inputs=self.graph.n_inputs,
            n_frames=self.graph.n_frames,
            any_length=self.graph.any_length,
            logit_step=1.0 / known[-1],
        )
        return graph, known


def calibrate(
    graph: FloatGraph, features: NDArray[np.int8], n_frames: Counts | None = None
) -> Calibrated:
    """Choose the scales by what the graph makes of calibration clips.

    Parameters
    ----------
    features, n_frames
        Clips of the train subset only: as for :meth:`FloatGraph.run`.
    """
    graph = graph.calibrated(features, n_frames)
    results = graph.run(features, n_frames)
    scales = [
        node.operator.scale(result) for node, result in zip(graph.nodes, results, strict=True)
    ]
    return Calibrated(graph=graph, scales=tuple(scales))


def quantise(
    graph: FloatGraph,
    features: NDArray[np.int8],
    n_frames: Counts | None = None,
    *,
    code: Scheme = "int8",
) -> IntegerGraph:
    """Post-training quantization.

    Parameters
    ----------
    features, n_frames
        As for :func:`calibrate`.
    code
        How to store weights.
    """
    return calibrate(graph, features, n_frames).quantised(code)
