"""Latency of one spoken word: our integer C99 against PyTorch's int8 and ONNX Runtime.

All hold the same trained weights and run one clip at a time on one thread, called from
Python in turns within the same run. PyTorch and ONNX Runtime get normalised float32
features and keep activations in float; our network starts from the int8 features.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import row
from numpy.typing import ArrayLike, NDArray
from onnx_lstm import Real, onnx_feed, onnx_graph, onnx_logits, onnx_session

from spoken_digits.embedded import host_network
from spoken_digits.errors import UserError
from spoken_digits.integer import lstm
from spoken_digits.integer.float_graph import quantise
from spoken_digits.interchange.graph import LOGITS
from spoken_digits.models.architectures.lstm import Network as Lstm
from spoken_digits.quantization import int8_dynamic

FLAGS = ("-O3", "-march=native")
ROUNDS = 40
CALLS = 25
"""Timed calls of each contender in a round."""

MIN_AGREEMENT = 0.95
"""Least share of clips on which a quantized network must agree with the float one."""

Contender = tuple[Callable[[], Any], NDArray[np.integer]]
"""A call to time, and its predictions for all clips."""


def rows(
    network: Lstm,
    mean: ArrayLike,
    std: ArrayLike,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    firmware: Path,
    *,
    rounds: int = ROUNDS,
) -> list[dict[str, Any]]:
    """Rows `latency_int8_vs_torch_dynamic`, `..._onnxruntime` and `..._onnxruntime_float32`.

    Parameters
    ----------
    network
        Trained, with pooling "mean".
    mean, std
        (n_inputs,): normalisation, in steps of the int8 features.
    features
        (n_clips, max_frames, n_inputs) int8. The longest clip is timed, at `max_frames` frames;
        on all of them the int8 networks must agree with the float one.
    n_frames
        (n_clips,): valid frames of each clip, at least 1.
    firmware
        Folder of the C sources.

    Returns
    -------
    list of dict
        ``name``; ``ours_s`` and ``reference_s``, median seconds a clip; ``ratio`` of the second
        to the first; ``note``.

    Raises
    ------
    UserError
        No C compiler, no onnx or onnxruntime.
    ValueError
        Pooling is not "mean", or a clip has no frames.
    RuntimeError
        A quantized network agrees with the float one on less than `MIN_AGREEMENT` of the clips.
    """
    require_onnx()
    if np.min(n_frames) < 1:
        raise ValueError("every clip must have at least one frame")
    n_frames = np.asarray(n_frames)
    network = network.cpu().eval()
    x = normalise(features, mean, std)
    longest = int(np.argmax(n_frames))
    with tempfile.TemporaryDirectory(prefix="latency-") as name, one_thread():
        with torch.inference_mode():
            said = network(torch.from_numpy(x), torch.from_numpy(n_frames)).argmax(1).numpy()
        contenders = {
            "ours": _integer(network, mean, std, features, n_frames, longest, firmware, Path(name)),
            "torch": _torch_dynamic(network, x, n_frames, longest),
            "onnxruntime": _onnx_runtime(_onnx_int8(network, Path(name)), x, n_frames, longest),
            "onnxruntime_float32": _onnx_runtime(
                onnx_graph(network).SerializeToString(), x, n_frames, longest
            ),
        }
        agreement = agreements(contenders, said)
        seconds = median_seconds({key: call for key, (call, _) in contenders.items()}, rounds)
    lstm = network.lstm
    return [
        row(
            f"latency_int8_vs_{suffix}",
            seconds["ours"],
            seconds[key],
            f"{lstm.num_layers}x{lstm.hidden_size} LSTM, one clip of {features.shape[1]} frames, "
            f"one thread, median of {rounds * CALLS} calls from Python, call included: C99 int8 "
            f"(gcc {' '.join(FLAGS)}, int8 features in) against {reference} (normalised float32 "
            f"features in); agreement with float {agreement['ours']:.1%} and {agreement[key]:.1%}",
        )
        for suffix, key, reference in (
            ("torch_dynamic", "torch", "PyTorch dynamic int8"),
            ("onnxruntime", "onnxruntime", "ONNX Runtime dynamic int8"),
            ("onnxruntime_float32", "onnxruntime_float32", "ONNX Runtime float32"),
        )
    ]


def agreements(contenders: Mapping[str, Contender], said: NDArray[np.integer]) -> dict[str, float]:
    """Share of clips on which each contender says what the float network `said`.

    Raises
    ------
    RuntimeError
        A share is below `MIN_AGREEMENT`.
    """
    shares = {key: float((words == said).mean()) for key, (_, words) in contenders.items()}
    for key, share in shares.items():
        if share < MIN_AGREEMENT:
            raise RuntimeError(
                f"latency: {key} agrees with the float network on {share:.1%} of "
                f"{len(said)} clips, under {MIN_AGREEMENT:.0%}: not the same network"
            )
    return shares


def normalise(features: NDArray[np.int8], mean: ArrayLike, std: ArrayLike) -> Real:
    """Inputs of the float network: (n_clips, max_frames, n_inputs) float32."""
    return ((features - np.asarray(mean)) / np.asarray(std)).astype(np.float32)


def median_seconds(
    calls: Mapping[str, Callable[[], Any]], rounds: int, n_calls: int = CALLS
) -> dict[str, float]:
    """Median seconds per call; contenders take turns, so that all see the same conditions.

    Each is called `n_calls` times per round, after a fifth as many untimed calls.
    """
    seconds: dict[str, list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            for _ in range(-(-n_calls // 5)):
                call()
            for _ in range(n_calls):
                start = time.perf_counter()
                call()
                seconds[key].append(time.perf_counter() - start)
    return {key: statistics.median(values) for key, values in seconds.items()}


def _integer(
    network: Lstm,
    mean: ArrayLike,
    std: ArrayLike,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    timed: int,
    firmware: Path,
    folder: Path,
) -> Contender:
    """Our C99 network; a call is one ctypes call from int8 features to int32 logits."""
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    parent = lstm.from_state(state, mean=mean, std=std, output="linear")
    integers = quantise(parent, features, n_frames)
    library = host_network.build_host_library(firmware, integers, folder, flags=FLAGS)
    words = host_network.logits_on_host(library, features, n_frames, integers.n_classes).argmax(1)
    return one_clip(library, features[timed], integers.n_classes), words


def one_clip(library: Path, clip: NDArray[np.int8], n_classes: int) -> Callable[[], Any]:
    """A call of the C network on `clip` (n_frames, n_inputs), with preallocated memory."""
    function = ctypes.CDLL(str(library)).sd_host_logits
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
    function.restype = ctypes.c_int32
    # ctypes memory that a bound call keeps alive
    features = (ctypes.c_int8 * clip.size)(*clip.ravel().tolist())
    logits = (ctypes.c_int32 * n_classes)()
    return functools.partial(function, features, len(clip), logits)


def _torch_dynamic(network: Lstm, x: Real, n_frames: NDArray[np.integer], timed: int) -> Contender:
    """PyTorch's dynamic int8, weights of LSTM and output layer quantized."""
    quantized = int8_dynamic.quantize(network, ("lstm", "linear"))
    count = torch.tensor([x.shape[1]])
    clip = torch.from_numpy(x[timed : timed + 1])  # (1, max_frames, n_inputs)
    with torch.inference_mode():
        # one clip at a time, as in the timing: dynamic scales depend on the batch
        words = [
            int(quantized(one[None], n[None]).argmax())
            for one, n in zip(torch.from_numpy(x), torch.from_numpy(n_frames), strict=True)
        ]

    def call() -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = quantized(clip, count)
            return logits

    return call, np.array(words)


def _onnx_int8(network: Lstm, folder: Path) -> bytes:
    """The network in ONNX Runtime's dynamic int8 (DynamicQuantizeLSTM)."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path = folder / "int8.onnx"
    with without_warnings():  # it advises folding constants first; there are none
        quantize_dynamic(onnx_graph(network), path, weight_type=QuantType.QInt8)
    operators = [node.op_type for node in onnx.load(path).graph.node]
    if operators.count("DynamicQuantizeLSTM") != network.lstm.num_layers:
        raise RuntimeError(f"{path.name}: an LSTM stayed float: {', '.join(operators)}")
    return path.read_bytes()


def _onnx_runtime(model: bytes, x: Real, n_frames: NDArray[np.integer], timed: int) -> Contender:
    """ONNX Runtime on a model of the same weights."""
    session = onnx_session(model)
    words = onnx_logits(session, x, n_frames).argmax(1)
    feed = onnx_feed(x[timed : timed + 1], np.array([x.shape[1]]))
    return bound_call(session, feed), words


def bound_call(session: Any, feed: Mapping[str, NDArray[Any]]) -> Callable[[], Any]:
    """ONNX Runtime's fastest call on `feed`: several microseconds less than `run`."""
    binding = session.io_binding()
    for name, value in feed.items():
        binding.bind_cpu_input(name, value)
    binding.bind_output(LOGITS)

    def call() -> Any:
        session.run_with_iobinding(binding)
        return feed  # the binding points into it, so it must outlive the call

    return call


def require_onnx() -> None:
    """Refuse to go on without ONNX Runtime."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"{error.name} is not installed: the latency benchmark compares with ONNX Runtime; "
            "install the extra `onnx` (`pip install -e .[onnx]`)"
        ) from None


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def without_warnings() -> Iterator[None]:
    """ONNX Runtime's quantizer warns through the root logger."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)
