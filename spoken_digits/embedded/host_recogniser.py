"""Call a whole recogniser in C from Python, samples to logits: on the host, or on emulated boards.

Both return what ``logits`` of the network returns for the features of
:func:`spoken_digits.integer.frontend.extraction.extract`.
"""

from __future__ import annotations

import ctypes
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards, host_frontend, host_network
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.host_build import build_shared_library, write_sources
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

NAME = "sd_words"
"""C name of the models generated here."""

Pcm = NDArray[np.int16]


def source_paths(firmware: Path, network: IntegerGraph, spec: Spec) -> list[Path]:
    """The C files of a recogniser in the folder `firmware`; excludes those of the model."""
    return [
        *(firmware / name for name in c_recogniser.sources(network)),
        *host_frontend.source_paths(firmware, spec),
        *host_network.sources_of(firmware, network),
    ]


def model_files(
    network: IntegerGraph,
    spec: Spec,
    name: str,
    *,
    labels: Sequence[str],
    provenance: Mapping[str, object],
) -> dict[str, str]:
    """All generated files of a recogniser: network, front-end, model, ``model.h``.

    Raises
    ------
    ValueError
        Front-end and network do not match, or C cannot run them.
    """
    c_recogniser.check(network, spec)
    return {
        **c_graph.c_files(network, name, labels=labels, provenance=provenance),
        **c_tables.c_files(spec, name),
        **c_recogniser.c_files(network, spec, name, list(labels)),
    }


def write_model(network: IntegerGraph, spec: Spec, folder: Path, name: str = NAME) -> list[Path]:
    """Write the generated files into `folder`; return the sources."""
    labels = [str(number) for number in range(network.n_classes)]
    texts = model_files(network, spec, name, labels=labels, provenance={})
    return write_sources(texts, folder)


def build_host_library(
    firmware: Path,
    network: IntegerGraph,
    spec: Spec,
    folder: Path,
    *,
    compiler: str = "gcc",
    flags: Sequence[str] = ("-O2",),
) -> Path:
    """Compile the recogniser into a shared library in `folder`; warnings are errors."""
    sources = [*source_paths(firmware, network, spec), *write_model(network, spec, folder)]
    sources.append(firmware / "host" / "recogniser_host.c")
    return build_shared_library(
        folder / "recogniser.so", sources, [firmware, folder], compiler=compiler, flags=flags
    )


def logits_on_host(
    library: Path,
    clips: Sequence[Pcm],
    n_classes: int,
    *,
    blocks: Sequence[int] = (160,),
) -> tuple[NDArray[np.int32], list[int]]:
    """Logits (n_clips, n_classes) by the shared library, and the status of each clip.

    The logits of a clip that gets no answer are 0.

    Parameters
    ----------
    blocks
        Sizes of the blocks in which a clip is heard, over and over; not all 0.
    """
    function = ctypes.CDLL(str(library)).sd_host_recognise
    pointer, count = ctypes.c_void_p, ctypes.c_uint32
    function.argtypes = [pointer, count, pointer, count, pointer, pointer]
    function.restype = ctypes.c_int32
    sizes = np.array(blocks, np.uint32)
    logits = np.zeros((len(clips), n_classes), np.int32)
    statuses = []
    for clip, row in zip(clips, logits, strict=True):
        samples, word = np.ascontiguousarray(clip, np.int16), ctypes.c_uint16()
        statuses.append(
            function(
                *(samples.ctypes.data, len(samples), sizes.ctypes.data, len(sizes)),
                *(row.ctypes.data, ctypes.byref(word)),
            )
        )
    return logits, statuses


def encoded(clips: Sequence[Pcm], byte_order: str = "<") -> bytes:
    """The input of ``firmware/boards/recogniser_board.c`` on a processor of this byte order."""
    return b"".join(
        struct.pack(f"{byte_order}I", len(clip))
        + np.asarray(clip).astype(f"{byte_order}i2").tobytes()
        for clip in clips
    )


def logits_on_board(
    board: boards.Board,
    firmware: Path,
    network: IntegerGraph,
    spec: Spec,
    clips: Sequence[Pcm],
    *,
    optimisation: str = "-O2",
    timeout_s: float = 600.0,
) -> tuple[NDArray[np.int32], dict[str, int]]:
    """Logits computed by an emulated Cortex-M from samples, and the cost of the run.

    Returns
    -------
    logits : ndarray, shape (n_clips, n_classes)
    report : dict
        ``clips``, ``hear_instructions_max`` (100 samples), ``clip_instructions_max`` (from the
        first sample of a clip to its word), ``stack_bytes``, ``state_bytes`` (recogniser and its
        memory), ``flash_bytes`` (code and constants), ``ram_bytes``.
    """
    with tempfile.TemporaryDirectory(prefix="recogniser-") as name:
        folder = Path(name)
        objects = compile_objects(board, firmware, network, spec, folder, optimisation=optimisation)
        image = boards.build_image(
            board,
            boards_dir=firmware / "boards",
            sources=[*objects, firmware / "boards" / "recogniser_board.c"],
            include_dirs=[folder, firmware],
            output=folder / "recogniser.elf",
            optimisation=optimisation,
        )
        outcome = boards.run_image(board, image, encoded(clips), timeout_s=timeout_s)
        flash, static_ram = boards.object_sizes(objects)
    report = dict(outcome.report)
    report["flash_bytes"] = flash
    report["ram_bytes"] = static_ram + report["state_bytes"]
    return np.frombuffer(outcome.output, "<i4").reshape(-1, network.n_classes), report


def compile_objects(
    board: boards.Board,
    firmware: Path,
    network: IntegerGraph,
    spec: Spec,
    folder: Path,
    *,
    optimisation: str = "-O2",
) -> list[Path]:
    """Compile the recogniser's files and its model for `board`, one object each.

    Those of the model are in `folder`, and last.
    """
    return boards.compile_objects(
        board,
        [*source_paths(firmware, network, spec), *write_model(network, spec, folder)],
        folder,
        include_dirs=[folder, firmware],
        optimisation=optimisation,
    )
