"""The trained LSTM as an ONNX graph, and ONNX Runtime to run it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.models.architectures.lstm import Network as Lstm

OPSET, IR_VERSION = 17, 8  # of 2022: any ONNX Runtime since 1.12 reads them

Real = NDArray[np.float32]


def onnx_graph(network: Lstm) -> Any:
    """The float network as an ONNX model.

    Reads ``x`` (n_frames, n_clips, n_inputs) float32 and ``n_frames`` (n_clips,) int32, the
    valid frames of each clip; gives ``logits`` (n_clips, n_classes). An ONNX LSTM told the
    lengths leaves zeros past them, so that the mean over valid frames is sum by length.

    Raises
    ------
    ValueError
        Pooling is not "mean".
    """
    from onnx import TensorProto, helper, numpy_helper

    if network.pooling != "mean":
        raise ValueError(f"latency: pooling must be 'mean', not {network.pooling!r}")
    lstm, units = network.lstm, network.lstm.hidden_size
    arrays: dict[str, NDArray[Any]] = {
        "first_axis": np.array([0]),
        "direction_axis": np.array([1]),
        "output.weight": network.linear.weight.detach().numpy(),
        "output.bias": network.linear.bias.detach().numpy(),
    }
    nodes, below = [], "x"
    for layer in range(lstm.num_layers):
        tensors = {key: f"l{layer}.{key}" for key in ("W", "R", "B", "all", "above")}
        arrays |= {tensors[key]: value for key, value in _onnx_weights(network, layer).items()}
        inputs = [below, tensors["W"], tensors["R"], tensors["B"], "n_frames"]
        nodes += [
            helper.make_node("LSTM", inputs, [tensors["all"]], hidden_size=units),
            # (n_frames, 1, n_clips, h) -> (n_frames, n_clips, h)
            helper.make_node("Squeeze", [tensors["all"], "direction_axis"], [tensors["above"]]),
        ]
        below = tensors["above"]
    nodes += [
        helper.make_node("ReduceSum", [below, "first_axis"], ["sum"], keepdims=0),  # (n_clips, h)
        helper.make_node("Cast", ["n_frames"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["count", "direction_axis"], ["divisor"]),  # (n_clips, 1)
        helper.make_node("Div", ["sum", "divisor"], ["pooled"]),
        helper.make_node("Gemm", ["pooled", "output.weight", "output.bias"], ["logits"], transB=1),
    ]
    n_classes = network.linear.out_features
    graph = helper.make_graph(
        nodes,
        "lstm",
        [
            helper.make_tensor_value_info(
                "x", TensorProto.FLOAT, ["frames", "clips", lstm.input_size]
            ),
            helper.make_tensor_value_info("n_frames", TensorProto.INT32, ["clips"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["clips", n_classes])],
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in arrays.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def _onnx_weights(network: Lstm, layer: int) -> dict[str, Real]:
    """W (1, 4 h, n_in), R (1, 4 h, h), B (1, 8 h) of one layer, gates i, o, f, c."""

    def reorder(name: str) -> Real:
        value = network.lstm.get_parameter(f"{name}_l{layer}").detach().numpy()
        i, f, g, o = np.split(value, 4)
        return np.concatenate([i, o, f, g])[None]

    biases = [reorder("bias_ih"), reorder("bias_hh")]
    return {
        "W": reorder("weight_ih"),
        "R": reorder("weight_hh"),
        "B": np.concatenate(biases, axis=1),
    }


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
        "x": np.ascontiguousarray(x.transpose(1, 0, 2)),  # (max_frames, n_clips, n_inputs)
        "n_frames": n_frames.astype(np.int32),
    }
