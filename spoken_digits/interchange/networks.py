"""The float networks as ONNX graphs, one function an architecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from spoken_digits.interchange.graph import LOGITS, N_FRAMES, Graph

_FLOAT = 1  # onnx.TensorProto.FLOAT


def ds_cnn(graph: Graph, network: Any, x: str) -> str:
    """Depthwise separable convolutions, pooled by maximum and mean, and a linear layer."""
    x = _normalised(graph, network.stem, "stem", graph.picture(x))
    for i, block in enumerate(network.blocks):
        y = _normalised(graph, block.depthwise, f"block{i}.depthwise", x)
        y = _normalised(graph, block.pointwise, f"block{i}.pointwise", y)
        x = graph.node("Add", f"block{i}.sum", [x, y]) if block.residual else y
    pooled = [
        graph.node(f"Reduce{kind}", f"pooled.{kind}", [x], axes=[2, 3], keepdims=0)
        for kind in ("Max", "Mean")
    ]
    return graph.linear(network.linear, LOGITS, graph.node("Concat", "pooled", pooled, axis=1))


def cnn(graph: Graph, network: Any, x: str) -> str:
    """Convolutions and wide linear layers."""
    maps = _sequence(graph, network.convolutions, "convolutions", graph.picture(x))
    flat = graph.node("Flatten", "flat", [maps])
    *hidden, last = (layer for layer in network.linears if isinstance(layer, nn.Linear))
    for i, layer in enumerate(hidden):
        flat = graph.node("Relu", f"linear{i}.relu", [graph.linear(layer, f"linear{i}", flat)])
    return graph.linear(last, LOGITS, flat)


def cnn_lstm(graph: Graph, network: Any, x: str) -> str:
    """A convolution whose maps, cut along time, are the steps of an LSTM."""
    maps = graph.convolution(network.convolution, "convolution", graph.picture(x))
    pooled = _pooled(graph, network.pool, "pool", maps)
    maps = graph.node("Relu", "maps", [pooled])
    # (clips, channels, bands, frames) -> (n_steps, clips, inputs a step)
    cut = graph.constant("cut", np.array([0, 0, 0, network.n_steps, -1]))
    steps = graph.node("Reshape", "steps", [maps, cut])
    first = graph.node("Transpose", "steps_first", [steps], perm=[3, 0, 1, 2, 4])
    joined = graph.constant("joined", np.array([0, 0, network.lstm.input_size]))
    states = graph.lstm(network.lstm, graph.node("Reshape", "inputs", [first, joined]))
    return graph.linear(network.linear, LOGITS, _last(graph, states))


def lstm(graph: Graph, network: Any, x: str) -> str:
    """An LSTM over the frames, pooled, and a linear layer."""
    has_mean = network.pooling == "mean"
    if not has_mean:  # here padding matters
        x = graph.node("Mul", "padded", [x, _valid(graph, network.input_shape[0])])
    x = graph.node("Transpose", "frames_first", [x], perm=[1, 0, 2])
    if has_mean:
        return lstm_mean(graph, network, x)
    return graph.linear(network.linear, LOGITS, _last(graph, graph.lstm(network.lstm, x)))


def lstm_mean(graph: Graph, network: Any, x: str) -> str:
    """The same with pooling "mean", of features (n_frames, clips, n_coefficients)."""
    states = graph.lstm(network.lstm, x, N_FRAMES)
    # Past a clip's valid frames the states are zero: the mean is the sum by the length.
    total = graph.node("ReduceSum", "total", [states, graph.axes(0)], keepdims=0)
    length = graph.node("Cast", "length", [N_FRAMES], to=_FLOAT)
    length = graph.node("Unsqueeze", "divisor", [length, graph.axes(1)])
    return graph.linear(network.linear, LOGITS, graph.node("Div", "pooled", [total, length]))


ARCHITECTURES: dict[str, Callable[[Graph, Any, str], str]] = {
    "cnn": cnn,
    "cnn_lstm": cnn_lstm,
    "ds_cnn": ds_cnn,
    "lstm": lstm,
}
"""Name of an architecture -> what adds it to a graph, from normalised features to logits."""


def _normalised(graph: Graph, layers: nn.Sequential, name: str, x: str) -> str:
    """A convolution, its batch normalisation, and perhaps a ReLU."""
    convolution, norm, *after = layers
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    x = graph.convolution(convolution, name, x, norm)
    return graph.node("Relu", f"{name}.relu", [x]) if after else x


def _sequence(graph: Graph, layers: nn.Sequential, name: str, x: str) -> str:
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            x = graph.convolution(layer, f"{name}{i}", x)
        elif isinstance(layer, nn.MaxPool2d):
            x = _pooled(graph, layer, f"{name}{i}", x)
        elif isinstance(layer, nn.ReLU):
            x = graph.node("Relu", f"{name}{i}", [x])
        else:
            raise TypeError(f"{name}: no ONNX form of {type(layer).__name__}")
    return x


def _pooled(graph: Graph, layer: nn.MaxPool2d, name: str, x: str) -> str:
    size, step = int(layer.kernel_size), int(layer.stride)  # type: ignore[arg-type]
    return graph.node("MaxPool", name, [x], kernel_shape=[size, size], strides=[step, step])


def _last(graph: Graph, states: str) -> str:
    """(n_frames, clips, h) -> the last one of each clip (clips, h)."""
    index = graph.constant("last_frame", np.array(-1, np.int64))
    return graph.node("Gather", "last", [states, index], axis=0)


def _valid(graph: Graph, n_frames: int) -> str:
    """(clips, n_frames, 1): one in the valid frames of a clip, zero past them."""
    frames = graph.constant("frames", np.arange(n_frames, dtype=np.int32)[None, :, None])
    counts = graph.node("Unsqueeze", "counts", [N_FRAMES, graph.axes(1, 2)])
    return graph.node(
        "Cast", "valid", [graph.node("Less", "is_valid", [frames, counts])], to=_FLOAT
    )
