"""Call a C network from Python: as a shared library on the host, or on emulated boards.

Both return what ``logits`` of the network returns, an LSTM or a graph of operators.
"""

from __future__ import annotations

import ctypes
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import network as c_network
from spoken_digits.embedded.host_build import build_shared_library
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.network import IntegerLSTM

MODEL = "sd_model"
"""C name of the networks generated here."""

Network = IntegerLSTM | IntegerGraph

NO_FLOAT = ("-mgeneral-regs-only",)
"""x86-64: any floating-point type in a function's code is an error."""


def source_paths(firmware: Path, scheme: Scheme) -> list[Path]:
    """The C files of an LSTM in the folder `firmware`; excludes those of the model."""
    return [firmware / name for name in ("sd_network.c", f"sd_{scheme}.c", "sd_activation.c")]


def sources_of(firmware: Path, network: Network) -> list[Path]:
    """The C files that run `network`, in the folder `firmware`; excludes those of the model."""
    if isinstance(network, IntegerGraph):
        return [firmware / name for name in c_graph.sources(network)]
    return source_paths(firmware, network.scheme)


def model_files(
    network: Network, name: str, *, labels: Sequence[str], provenance: Mapping[str, object]
) -> dict[str, str]:
    """Header and source that define `network` in C under `name`."""
    if isinstance(network, IntegerGraph):
        return c_graph.c_files(network, name, labels=labels, provenance=provenance)
    return c_network.c_files(network, name, labels=labels, provenance=provenance)


def _program(network: Network, where: str) -> str:
    """File name of the program for the ``host`` or a ``board``."""
    return f"{'graph' if isinstance(network, IntegerGraph) else 'network'}_{where}.c"


def write_model(network: Network, folder: Path) -> Path:
    """Write ``sd_model.h`` and ``sd_model.c`` into `folder`; return the latter."""
    labels = [str(number) for number in range(network.n_classes)]
    for name, text in model_files(network, MODEL, labels=labels, provenance={}).items():
        (folder / name).write_text(text, encoding="ascii")
    return folder / f"{MODEL}.c"


def build_host_library(
    firmware: Path,
    network: Network,
    folder: Path,
    *,
    compiler: str = "gcc",
    flags: Sequence[str] = ("-O3",),
) -> Path:
    """Compile `network` into a shared library in `folder`; warnings are errors.

    ``-march=native`` among `flags` enables the AVX2 path where the machine has it;
    ``-DSD_PORTABLE`` disables it.
    """
    sources = [*sources_of(firmware, network), write_model(network, folder)]
    sources.append(firmware / "host" / _program(network, "host"))
    return build_shared_library(
        folder / "network.so", sources, [firmware, folder], compiler=compiler, flags=flags
    )


def logits_on_host(
    library: Path,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    n_classes: int,
) -> NDArray[np.int32]:
    """Logits computed by the shared library: (n_clips, n_classes)."""
    function = ctypes.CDLL(str(library)).sd_host_logits
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
    function.restype = None
    features = np.ascontiguousarray(features, np.int8)
    logits = np.zeros((len(features), n_classes), np.int32)
    for clip, count, row in zip(features, n_frames, logits, strict=True):
        function(clip.ctypes.data, int(count), row.ctypes.data)
    return logits


def logits_on_board(
    board: boards.Board,
    firmware: Path,
    network: Network,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    *,
    optimisation: str = "-O2",
    timeout_s: float = 600.0,
) -> tuple[NDArray[np.int32], dict[str, int]]:
    """Logits computed by an emulated Cortex-M, and the cost of the run.

    Returns
    -------
    logits : ndarray, shape (n_clips, n_classes)
    report : dict
        ``clips``, ``clip_instructions_max`` (of the longest clip, from reset to logits),
        ``stack_bytes``, ``state_bytes``, ``flash_bytes`` (code, weights, tables), ``ram_bytes``.
    """
    content = b"".join(
        struct.pack("<I", count) + clip[:count].tobytes()
        for clip, count in zip(np.asarray(features), np.asarray(n_frames).tolist(), strict=True)
    )
    with tempfile.TemporaryDirectory(prefix="network-") as name:
        folder = Path(name)
        objects = compile_objects(board, firmware, network, folder, optimisation=optimisation)
        image = boards.build_image(
            board,
            boards_dir=firmware / "boards",
            sources=[
                *sources_of(firmware, network),
                folder / f"{MODEL}.c",
                firmware / "boards" / _program(network, "board"),
            ],
            include_dirs=[firmware, folder],
            output=folder / "network.elf",
            optimisation=optimisation,
        )
        outcome = boards.run_image(board, image, content, timeout_s=timeout_s)
        flash, static_ram = boards.object_sizes(objects)
    report = dict(outcome.report)
    report["flash_bytes"] = flash
    report["ram_bytes"] = static_ram + report["state_bytes"]
    return np.frombuffer(outcome.output, "<i4").reshape(-1, network.n_classes), report


def compile_objects(
    board: boards.Board,
    firmware: Path,
    network: Network,
    folder: Path,
    *,
    optimisation: str = "-O2",
) -> list[Path]:
    """Compile the network's files and its model for `board` into `folder`, one object each."""
    sources = [*sources_of(firmware, network), write_model(network, folder)]
    return [
        boards.compile_object(
            board,
            source,
            folder / f"{source.stem}.o",
            include_dirs=[firmware, folder],
            optimisation=optimisation,
        )
        for source in sources
    ]
