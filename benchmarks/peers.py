"""Latency of one word through a convolutional network: our integer C99 against ONNX Runtime.

Float32 of the trained network, and int8 that ONNX Runtime made of it: static quantization with
quantizers and dequantizers (QDQ) around the operators, weights a scale a channel, ranges of the
activations from training clips. One clip, one thread, in turns, as in latency.py. ONNX Runtime
gets normalised float32 features; our network starts from the int8 features.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from latency import (
    CALLS,
    FLAGS,
    ROUNDS,
    Contender,
    agreements,
    bound_call,
    median_seconds,
    normalise,
    one_clip,
    one_thread,
    require_onnx,
    without_warnings,
)
from measuring import row
from numpy.typing import ArrayLike, NDArray
from onnx_lstm import Real, onnx_session

from spoken_digits.embedded import host_network
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.interchange.graph import FEATURES, N_FRAMES, Graph
from spoken_digits.interchange.networks import ds_cnn
from spoken_digits.models.architectures.ds_cnn import Network


def rows(
    name: str,
    network: Network,
    integers: IntegerGraph,
    mean: ArrayLike,
    std: ArrayLike,
    features: NDArray[np.int8],
    calibration: NDArray[np.int8],
    firmware: Path,
    *,
    rounds: int = ROUNDS,
) -> list[dict[str, Any]]:
    """Rows `latency_<name>.int8_vs_onnxruntime` and `..._onnxruntime_float32`.

    Parameters
    ----------
    network
        Trained, in float.
    integers
        What `network` became in integers.
    mean, std
        (n_bands,), or one for all: normalisation, in steps of the int8 features.
    features
        (n_clips, n_frames, n_bands) int8. The first clip is timed; on all of them the int8
        networks must agree with the float one.
    calibration
        (n, n_frames, n_bands) int8: clips that set the ranges of ONNX Runtime's activations.
    firmware
        Folder of the C sources.

    Returns
    -------
    list of dict
        As from `latency.rows`.

    Raises
    ------
    UserError
        No C compiler, no onnx or onnxruntime.
    RuntimeError
        A network agrees with the float one on less than `latency.MIN_AGREEMENT` of the clips.
    """
    require_onnx()
    network = network.cpu().eval()
    x = normalise(features, mean, std)
    frames = np.full(len(features), features.shape[1])
    with tempfile.TemporaryDirectory(prefix="peers-") as folder, one_thread():
        with torch.inference_mode():
            said = network(torch.from_numpy(x), torch.from_numpy(frames)).argmax(1).numpy()
        library = host_network.build_host_library(firmware, integers, Path(folder), flags=FLAGS)
        words = host_network.logits_on_host(library, features, frames, integers.n_classes)
        float32 = onnx_graph(network, features.shape[1:])
        int8 = onnx_int8(float32, normalise(calibration, mean, std), Path(folder))
        contenders = {
            "ours": (one_clip(library, features[0], integers.n_classes), words.argmax(1)),
            "onnxruntime": _onnx_runtime(int8, x),
            "onnxruntime_float32": _onnx_runtime(float32, x),
        }
        agreement = agreements(contenders, said)
        seconds = median_seconds({key: call for key, (call, _) in contenders.items()}, rounds)
    return [
        row(
            f"latency_{name}.int8_vs_{key}",
            seconds["ours"],
            seconds[key],
            f"{name}, one clip of {features.shape[1]} frames, one thread, median of "
            f"{rounds * CALLS} calls from Python, call included: C99 int8 "
            f"(gcc {' '.join(FLAGS)}, int8 features in) against {reference} (normalised float32 "
            f"features in); agreement with float {agreement['ours']:.1%} and {agreement[key]:.1%}",
        )
        for key, reference in (
            ("onnxruntime", "ONNX Runtime static int8"),
            ("onnxruntime_float32", "ONNX Runtime float32"),
        )
    ]


def onnx_graph(network: Network, shape: tuple[int, ...]) -> bytes:
    """The float network as an ONNX file of normalised features (clips, n_frames, n_bands)."""
    graph = Graph()
    ds_cnn(graph, network, FEATURES)
    model = graph.model("ds_cnn", ["clips", *shape], network.linear.out_features)
    return bytes(model.SerializeToString())


def onnx_int8(model: bytes, calibration: Real, folder: Path) -> bytes:
    """The model in int8 by ONNX Runtime's static quantization.

    Parameters
    ----------
    calibration
        (n, n_frames, n_bands), normalised.

    Raises
    ------
    RuntimeError
        A convolution stayed float.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Clips(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.clips: Iterator[Real] = iter(np.split(calibration, len(calibration)))

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            clip = next(self.clips, None)
            return None if clip is None else _feed(clip)

    float32, path = folder / "float32.onnx", folder / "int8.onnx"
    float32.write_bytes(model)
    with without_warnings():  # it advises folding constants first; there are none
        quantize_static(
            float32,
            path,
            Clips(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    made = onnx.load(path).graph
    quantized = {node.output[0] for node in made.node if node.op_type == "DequantizeLinear"}
    for node in made.node:
        if node.op_type == "Conv" and not set(node.input) <= quantized:
            raise RuntimeError(f"{path.name}: {node.name or node.output[0]} stayed float")
    return path.read_bytes()


def _onnx_runtime(model: bytes, x: Real) -> Contender:
    session = onnx_session(model)
    logits = [session.run(None, _feed(clip))[0] for clip in np.split(x, len(x))]
    return bound_call(session, _feed(x[:1])), np.concatenate(logits).argmax(1)


def _feed(clip: Real) -> dict[str, NDArray[Any]]:
    return {FEATURES: clip, N_FRAMES: np.array([clip.shape[1]], np.int32)}
