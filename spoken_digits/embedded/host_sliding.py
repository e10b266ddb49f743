"""Call a sliding window in C from Python, on the host or on emulated boards.

Its twin is `integer.detector.sliding`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards
from spoken_digits.embedded.host_stream import build_image, event_of
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.specification import SlidingSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Pcm = NDArray[np.int16]


class HostSliding:
    """A sliding window in C. A library holds one, so of two the later one listens.

    Parameters
    ----------
    library
        As built.
    spec
        What it was built from.
    """

    def __init__(self, library: Path, spec: SlidingSpec) -> None:
        self.library = ctypes.CDLL(str(library))
        self._spec = spec
        pointer, count, length = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
        self._slide = self.library.sd_host_slide
        self._slide.argtypes = [
            *(pointer, length, pointer, count, pointer, length),
            *(pointer, length, ctypes.POINTER(ctypes.c_uint64)),
        ]
        self._slide.restype = ctypes.c_int64
        self.restart()

    def restart(self, threshold: int | None = None) -> None:
        """Listen from the beginning; `threshold` of `CERTAIN` replaces that of the spec."""
        status = self.library.sd_host_slide_from_now(-1 if threshold is None else threshold)
        if status != 0:
            raise RuntimeError(f"sd_sliding_init: status {status}")

    def hear(self, samples: Pcm, blocks: Sequence[int] = (160,)) -> list[Event]:
        """Take samples in blocks whose sizes repeat, not all 0; return the events in order."""
        return self._run(samples, blocks, None)[0]

    def hear_and_judge(
        self, samples: Pcm, blocks: Sequence[int] = (160,)
    ) -> tuple[list[Event], NDArray[np.int32]]:
        """As `hear`; and the logits (n_windows, n_classes) of every window that is completed."""
        logits = np.zeros((self._most_windows(samples), len(self._spec.silent)), np.int32)
        events, n_windows = self._run(samples, blocks, logits)
        return events, logits[:n_windows]

    def _most_windows(self, samples: Pcm) -> int:
        return 1 + len(samples) // self._spec.step

    def _run(
        self, samples: Pcm, blocks: Sequence[int], logits: NDArray[np.int32] | None
    ) -> tuple[list[Event], int]:
        pcm, sizes = np.ascontiguousarray(samples, np.int16), np.array(blocks, np.uint32)
        rows = np.zeros((self._most_windows(pcm), 6), np.int64)
        n_windows = ctypes.c_uint64()
        n = self._slide(
            *(pcm.ctypes.data, len(pcm), sizes.ctypes.data, len(sizes)),
            *(rows.ctypes.data, len(rows)),
            *(None if logits is None else logits.ctypes.data, 0 if logits is None else len(logits)),
            ctypes.byref(n_windows),
        )
        if not 0 <= n <= len(rows):
            raise RuntimeError(f"sd_sliding_hear: status {-n}")
        return [event_of(row) for row in rows[:n].tolist()], n_windows.value


def hear_on_board(
    board: boards.Board,
    firmware: Path,
    spec: SlidingSpec,
    network: IntegerGraph,
    frontend: Spec,
    samples: Pcm,
    folder: Path,
    *,
    optimisation: str = "-O2",
    ram_kib: int | None = None,
    timeout_s: float = 600.0,
) -> tuple[list[Event], dict[str, int]]:
    """Events of a stream on an emulated Cortex-M, and the cost.

    Parameters
    ----------
    folder
        Where the image is built.
    ram_kib
        As of `boards.build_image`.

    Returns
    -------
    events
        In order.
    report : dict
        As in ``firmware/boards/sliding_board.c``.
    """
    image = build_image(
        *(board, firmware, spec, network, frontend, folder),
        optimisation=optimisation,
        ram_kib=ram_kib,
    )
    content = np.ascontiguousarray(samples, "<i2").tobytes()
    outcome = boards.run_image(board, image, content, timeout_s=timeout_s)
    rows = np.frombuffer(outcome.output, "<i8").reshape(-1, 6)
    return [event_of(row) for row in rows.tolist()], outcome.report
