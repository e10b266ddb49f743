"""Call the C front-end from Python: as a shared library on the host, or on emulated boards.

Both return what :func:`spoken_digits.integer.frontend.extraction.extract` returns for the same
specification, of cepstra or of log-mel bands, so all three can be compared directly.
"""

from __future__ import annotations

import ctypes
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spoken_digits.embedded import boards
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.host_build import build_shared_library
from spoken_digits.errors import UserError
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec

_SHARED = ("sd_fft.c", "sd_mel.c", "sd_frontend.c", "sd_frontend_constants.c")
_CEPSTRUM = ("sd_cepstrum.c",)
_WORD = ("sd_word.c", "sd_word_constants.c")

Features = tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]


def source_paths(firmware: Path, spec: Spec) -> list[Path]:
    """The C files that a front-end of this kind needs, in the folder `firmware`.

    The specification itself is generated: `spoken_digits.embedded.emit.tables`.
    """
    last_step = _WORD if isinstance(spec, LogMelSpec) else _CEPSTRUM
    return [firmware / name for name in (*_SHARED, *last_step)]


def _program(spec: Spec) -> str:
    """Stem of the programs for host and boards."""
    return "word" if isinstance(spec, LogMelSpec) else "frontend"


def build_host_library(
    firmware: Path,
    spec: Spec,
    output: Path,
    *,
    compiler: str = "gcc",
    flags: Sequence[str] = ("-O2",),
) -> Path:
    """Compile the front-end of `spec` into the shared library `output`; warnings are errors.

    Its specification is written beside `output`.
    """
    sources = [*source_paths(firmware, spec), c_tables.write(spec, output.parent)]
    sources.append(firmware / "host" / f"{_program(spec)}_host.c")
    return build_shared_library(
        output, sources, [output.parent, firmware], compiler=compiler, flags=flags
    )


def extract_on_host(
    library: Path,
    clips: Sequence[npt.NDArray[np.int16]],
    spec: Spec,
    *,
    block_samples: int = 160,
) -> Features:
    """Features computed by the shared library, pushing `block_samples` samples at a time."""
    function = ctypes.CDLL(str(library)).sd_host_features
    function.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p]
    function.restype = ctypes.c_uint32
    features = np.zeros((len(clips), spec.n_frames, spec.n_features), dtype=np.int8)
    counts = np.zeros(len(clips), dtype=np.int32)
    for row, clip in enumerate(clips):
        samples = np.ascontiguousarray(clip, dtype=np.int16)
        counts[row] = function(
            samples.ctypes.data, len(samples), block_samples, features[row].ctypes.data
        )
    return features, counts


def extract_on_board(
    board: boards.Board,
    firmware: Path,
    clips: Sequence[npt.NDArray[np.int16]],
    spec: Spec,
    *,
    optimisation: str = "-O2",
    timeout_s: float = 600.0,
) -> tuple[Features, dict[str, int]]:
    """Features computed by an emulated Cortex-M, and the cost of the run.

    Returns
    -------
    features
        As from `extract`.
    report
        ``frame_instructions_max``, ``frame_instructions_mean``, ``push_instructions_max``,
        ``stack_bytes``, ``state_bytes``, ``scratch_bytes``, ``flash_bytes``, ``ram_bytes``; of
        log-mel bands also ``finish_instructions_max`` and ``feature_instructions_max``.
    """
    content = b"".join(
        struct.pack("<I", len(clip)) + np.asarray(clip).astype("<i2").tobytes() for clip in clips
    )
    with tempfile.TemporaryDirectory(prefix="frontend-") as name:
        folder = Path(name)
        objects = compile_objects(board, firmware, spec, folder, optimisation=optimisation)
        image = boards.build_image(
            board,
            boards_dir=firmware / "boards",
            sources=[*objects, firmware / "boards" / f"{_program(spec)}_board.c"],
            include_dirs=[folder, firmware],
            output=folder / "frontend.elf",
            optimisation=optimisation,
        )
        outcome = boards.run_image(board, image, content, timeout_s=timeout_s)
        flash, static_ram = boards.object_sizes(objects)
    report = dict(outcome.report)
    report["flash_bytes"] = flash
    report["ram_bytes"] = static_ram + report["state_bytes"] + report["scratch_bytes"]
    return _decoded(outcome.output, len(clips), spec), report


def compile_objects(
    board: boards.Board,
    firmware: Path,
    spec: Spec,
    folder: Path,
    *,
    optimisation: str = "-O2",
) -> list[Path]:
    """Compile the front-end of `spec` for `board`, one object per file.

    That of its constants is in `folder`, and last.
    """
    return boards.compile_objects(
        board,
        [*source_paths(firmware, spec), c_tables.write(spec, folder)],
        folder,
        include_dirs=[folder, firmware],
        optimisation=optimisation,
    )


def _decoded(output: bytes, n_clips: int, spec: Spec) -> Features:
    """Features from ``output.bin`` (see ``frontend_board.c`` and ``word_board.c``)."""
    features = np.zeros((n_clips, spec.n_frames, spec.n_features), dtype=np.int8)
    counts = np.zeros(n_clips, dtype=np.int32)
    position = row = 0
    while position < len(output) and row < n_clips:
        if output[position] == 0:
            row, position = row + 1, position + 1
        else:
            values = np.frombuffer(output, np.int8, spec.n_features, position + 1)
            features[row, counts[row]] = values
            counts[row] += 1
            position += 1 + spec.n_features
    if position != len(output) or row != n_clips:
        raise UserError(f"the board wrote {row} of {n_clips} clips, {len(output)} bytes in all")
    return features, counts
