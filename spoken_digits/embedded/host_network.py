"""Call a graph in C from Python: as a shared library on the host, or on emulated boards.

Both return what its ``logits`` returns.
"""

from __future__ import annotations

import ctypes
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.host_build import build_shared_library
from spoken_digits.integer.graph import IntegerGraph

MODEL = "sd_model"
"""C name of the networks generated here."""


def sources_of(firmware: Path, network: IntegerGraph) -> list[Path]:
    """The C files that run `network`, in the folder `firmware`; excludes those of the model."""
    return [firmware / name for name in c_graph.sources(network)]


def write_model(network: IntegerGraph, folder: Path) -> Path:
    """Write ``sd_model.h`` and ``sd_model.c`` into `folder`; return the latter."""
    labels = [str(number) for number in range(network.n_classes)]
    for name, text in c_graph.c_files(network, MODEL, labels=labels, provenance={}).items():
        (folder / name).write_text(text, encoding="ascii")
    return folder / f"{MODEL}.c"


def build_host_library(
    firmware: Path,
    network: IntegerGraph,
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
    sources.append(firmware / "host" / "graph_host.c")
    return build_shared_library(
        folder / "network.so", sources, [firmware, folder], compiler=compiler, flags=flags
    )


def logits_on_host(
    library: Path,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    n_classes: int,
) -> NDArray[np.int32]:
    """Logits computed by the shared library: (n_clips, n_classes).

    Raises
    ------
    ValueError
        A clip has more or fewer frames than the graph takes.
    """
    function = ctypes.CDLL(str(library)).sd_host_logits
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
    function.restype = ctypes.c_int32
    features = np.ascontiguousarray(features, np.int8)
    logits = np.zeros((len(features), n_classes), np.int32)
    for clip, count, row in zip(features, n_frames, logits, strict=True):
        status = function(clip.ctypes.data, int(count), row.ctypes.data)
        if status != 0:
            raise ValueError(f"a clip of {count} frames has status {status}: see sd_graph_status")
    return logits


def logits_on_board(
    board: boards.Board,
    firmware: Path,
    network: IntegerGraph,
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
            sources=[*objects, firmware / "boards" / "graph_board.c"],
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
    network: IntegerGraph,
    folder: Path,
    *,
    optimisation: str = "-O2",
) -> list[Path]:
    """Compile the network's files and its model for `board`, one object each.

    That of the model is in `folder`, and last.
    """
    return boards.compile_objects(
        board,
        [*sources_of(firmware, network), write_model(network, folder)],
        folder,
        include_dirs=[firmware, folder],
        optimisation=optimisation,
    )
