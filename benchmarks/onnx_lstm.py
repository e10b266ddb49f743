"""The trained LSTM as an ONNX graph, and ONNX Runtime to run it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.interchange.graph import FEATURES, N_FRAMES, Graph
from spoken_digits.interchange.networks import lstm_mean
from spoken_digits.models.architectures.lstm import Network as Lstm

Real = NDArray[np.float32]


def onnx_graph(network: Lstm) -> Any:
    """The float network as an ONNX model whose features have the frames first, as its LSTM does.

    Reads ``features`` (n_frames, n_clips, n_inputs) float32, normalised, and ``n_frames``
    (n_clips,) int32, the valid frames of each clip; gives ``logits`` (n_clips, n_classes).

    Raises
    ------
    ValueError
        Pooling is not "mean".
    """
    if network.pooling != "mean":
        raise ValueError(f"latency: pooling must be 'mean', not {network.pooling!r}")
    graph = Graph()
    lstm_mean(graph, network, FEATURES)
    shape = ["frames", "clips", network.lstm.input_size]
    return graph.model("lstm", shape, network.linear.out_features)


def onnx_session(model: bytes) -> Any:
    """A session that runs the serialised `model` on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnx_logits(session: Any, x: Real, n_frames: NDArray[np.integer]) -> Real:
    """Logits of clips one at a time, as in the timing: dynamic scales depend on the batch.

    Parameters
    ----------
    x
        (n_clips, max_frames, n_inputs), normalised.
    """
    clips = zip(np.split(x, len(x)), np.split(n_frames, len(x)), strict=True)
    return np.concatenate([session.run(None, onnx_feed(clip, count))[0] for clip, count in clips])


def onnx_feed(x: Real, n_frames: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
    """Clips first, as PyTorch has them -> frames first, as ONNX has them."""
    return {
        FEATURES: np.ascontiguousarray(x.transpose(1, 0, 2)),  # (max_frames, n_clips, n_inputs)
        N_FRAMES: n_frames.astype(np.int32),
    }
