"""Call a whole detector in C from Python, on the host or on emulated boards.

Its twin is `integer.detector`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards
from spoken_digits.embedded.host_stream import build_image, event_of
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.specification import DetectorSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Pcm = NDArray[np.int16]

_ROWS = 16  # beside one a frame of 10 ms at 8 kHz


class HostDetector:
    """A detector in C. A library holds one, so of two the later one listens."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        pointer, count, length = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
        self._detect = self.library.sd_host_detect
        self._detect.argtypes = [pointer, length, pointer, count, pointer, length]
        self._detect.restype = ctypes.c_int64
        self.restart()

    def restart(self, threshold: int | None = None) -> None:
        """Listen from the beginning; `threshold` of `CERTAIN` replaces that of the spec."""
        status = self.library.sd_host_listen(-1 if threshold is None else threshold)
        if status != 0:
            raise RuntimeError(f"sd_detector_init: status {status}")

    def hear(self, samples: Pcm, blocks: Sequence[int] = (160,)) -> list[Event]:
        """Take samples in blocks whose sizes repeat, not all 0; return the events in order."""
        pcm, sizes = np.ascontiguousarray(samples, np.int16), np.array(blocks, np.uint32)
        rows = np.zeros((_ROWS + len(pcm) // 80, 6), np.int64)
        n = self._detect(
            *(pcm.ctypes.data, len(pcm), sizes.ctypes.data, len(sizes)),
            *(rows.ctypes.data, len(rows)),
        )
        if not 0 <= n <= len(rows):
            raise RuntimeError(f"sd_detector_hear: status {-n}")
        return [event_of(row) for row in rows[:n].tolist()]


class BoardDetector:
    """A detector on an emulated Cortex-M.

    Parameters
    ----------
    board
        The board.
    firmware
        Folder of the C sources.
    spec, network, frontend
        The detector and its recogniser.
    folder
        Where the image is built.
    ram_kib
        As of `boards.build_image`.
    """

    def __init__(
        self,
        board: boards.Board,
        firmware: Path,
        spec: DetectorSpec,
        network: IntegerGraph,
        frontend: Spec,
        folder: Path,
        *,
        optimisation: str = "-O2",
        ram_kib: int | None = None,
    ) -> None:
        self._board = board
        self._image = build_image(
            *(board, firmware, spec, network, frontend, folder),
            optimisation=optimisation,
            ram_kib=ram_kib,
        )

    def hear(
        self, blocks: Iterable[Pcm], *, timeout_s: float = 600.0
    ) -> tuple[list[Event], dict[str, int]]:
        """Events of the whole frames of a stream, from its beginning, and the cost.

        Returns
        -------
        events
            In order.
        report : dict
            ``frames``, ``frame_instructions_max`` (a frame of which the recogniser hears nothing),
            ``word_instructions_max`` (any frame), ``stack_bytes``, ``detector_bytes`` (beside ring
            and logits), ``ring_bytes``.
        """
        content = b"".join(np.ascontiguousarray(block, "<i2").tobytes() for block in blocks)
        outcome = boards.run_image(self._board, self._image, content, timeout_s=timeout_s)
        rows = np.frombuffer(outcome.output, "<i8").reshape(-1, 6)
        return [event_of(row) for row in rows.tolist()], outcome.report
