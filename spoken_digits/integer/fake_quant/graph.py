"""A graph of fake-quantised twins, to be trained in place of its integer graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spoken_digits.integer.fake_quant import TWINS
from spoken_digits.integer.fake_quant.base import Step
from spoken_digits.integer.float_graph import Calibrated
from spoken_digits.integer.graph import FEATURES, IntegerGraph, Node
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.operators.base import FloatOperator
from spoken_digits.integer.operators.rows import FloatRows


class FakeQuantGraph(nn.Module):
    """A float graph whose forward pass is that of its integer twin.

    Parameters
    ----------
    start
        Where training starts; all but weights and biases stays as it is there, scales too.
    code
        How weights are stored.
    dtype
        float32 for training; float64 to reproduce the integer logits exactly.
    """

    def __init__(self, start: Calibrated, code: Scheme, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        layers = [one for node in start.graph.nodes if isinstance(one := node.operator, FloatRows)]

        def tensors(arrays: Sequence[NDArray[np.float64]]) -> nn.ParameterList:
            return nn.ParameterList(
                [nn.Parameter(torch.tensor(one, dtype=dtype)) for one in arrays]
            )

        self.code, self._start = code, start
        self.weights = tensors([layer.weight for layer in layers])
        self.biases = tensors([layer.bias for layer in layers])

    def parent(self) -> Calibrated:
        """The float network as trained so far."""
        trained = zip(self.weights, self.biases, strict=True)
        nodes: list[Node[FloatOperator]] = []
        for node in self._start.graph.nodes:
            operator = node.operator
            if isinstance(operator, FloatRows):
                weight, bias = (one.detach().numpy().astype(np.float64) for one in next(trained))
                operator = replace(operator, weight=weight, bias=bias)
            nodes.append(Node(operator, node.inputs))
        return replace(self._start, graph=replace(self._start.graph, nodes=tuple(nodes)))

    def integers(self) -> IntegerGraph:
        """The integer network as trained so far."""
        return self.parent().quantised(self.code)

    def forward(self, features: Tensor, n_frames: Tensor) -> Tensor:
        """Logits of int8 features.

        Parameters
        ----------
        features
            (n_clips, max_frames, n_inputs) int8
        n_frames
            (n_clips,) int64

        Returns
        -------
        Tensor, shape (n_clips, n_classes)
            Real values: integer logits times their step.
        """
        results, scales = self._results(features, n_frames)
        return results[-1][:, 0, 0] / scales[-1]

    def run(self, features: Tensor, n_frames: Tensor) -> list[Tensor]:
        """The integers of every node; parameters as for `forward`."""
        return self._results(features, n_frames)[0]

    def _results(self, features: Tensor, n_frames: Tensor) -> tuple[list[Tensor], list[float]]:
        """Integers of every node, and their scales."""
        parent = self.parent()
        made, scales = parent.rounded(self.code)
        trained = zip(self.weights, self.biases, strict=True)
        first = features[..., None].to(self.weights[0].dtype)
        results: list[Tensor] = []
        for number, (node, whole) in enumerate(zip(parent.graph.nodes, made.nodes, strict=True)):
            source = node.inputs[0]
            step = Step(
                inputs=tuple(first if i == FEATURES else results[i] for i in node.inputs),
                n_frames=n_frames,
                parent=node.operator,
                trained=next(trained) if isinstance(node.operator, FloatRows) else (),
                input_scale=1.0 if source == FEATURES else scales[source],
                output_scale=scales[number],
            )
            results.append(TWINS[type(whole.operator)](whole.operator, step))
        return results, scales
