"""Prove that C equals NumPy bit for bit; measure an integer model on a Cortex-M.

Front-end and network are compared one by one, and then the whole recogniser, from samples to
logits, as an export has it. All are compiled for the model's own specification. The counts are of
instructions that QEMU executes, not of cycles.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards, host_frontend, host_network, host_recogniser
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Pcm = NDArray[np.int16]

_HOST_BUILDS = {
    "gcc -O0": ("gcc", ("-O0",)),
    "gcc -O3": ("gcc", ("-O3",)),
    "clang -O3": ("clang", ("-O3",)),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One build of front-end and network, compared with NumPy."""

    build: str
    """Compiler and level, or board."""
    n_clips: int
    mismatches: int
    """Clips with a feature or a logit that differs."""
    counts: dict[str, int]
    """The emulator's counts; empty for host builds."""


def on_host(network: IntegerGraph, spec: Spec, clips: Sequence[Pcm], firmware: Path) -> list[Run]:
    """Run `clips` through the builds of every installed host compiler.

    Raises
    ------
    UserError
        There is no gcc, or the C does not compile.
    """
    expected, n_frames = extraction.extract(clips, spec)
    logits = network.logits(expected, n_frames)
    runs = []
    for name, (compiler, flags) in _HOST_BUILDS.items():
        if compiler != "gcc" and shutil.which(compiler) is None:
            continue
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            library = host_frontend.build_host_library(
                firmware, spec, Path(folder) / "frontend.so", compiler=compiler, flags=flags
            )
            features, counts = host_frontend.extract_on_host(library, clips, spec)
            library = host_network.build_host_library(
                firmware, network, Path(folder), compiler=compiler, flags=flags
            )
            found = host_network.logits_on_host(library, features, counts, network.n_classes)
            library = host_recogniser.build_host_library(
                firmware, network, spec, Path(folder), compiler=compiler, flags=flags
            )
            answers, _ = host_recogniser.logits_on_host(library, clips, network.n_classes)
        wrong = _differs(expected, features) | _differs(logits, found) | (counts != n_frames)
        wrong |= _differs(logits, answers)
        runs.append(Run(build=name, n_clips=len(clips), mismatches=int(wrong.sum()), counts={}))
    return runs


def on_boards(network: IntegerGraph, spec: Spec, clips: Sequence[Pcm], firmware: Path) -> list[Run]:
    """Run `clips` on every emulated board.

    Raises
    ------
    UserError
        The cross-compiler or the emulator is missing, or the C does not compile.
    """
    expected, n_frames = extraction.extract(clips, spec)
    logits = network.logits(expected, n_frames)
    runs = []
    for name, board in boards.BOARDS.items():
        (features, counts), front = host_frontend.extract_on_board(board, firmware, clips, spec)
        found, net = host_network.logits_on_board(board, firmware, network, features, counts)
        answers, whole = host_recogniser.logits_on_board(board, firmware, network, spec, clips)
        wrong = _differs(expected, features) | _differs(logits, found) | (counts != n_frames)
        wrong |= _differs(logits, answers)
        totals = {f"frontend_{key}": value for key, value in front.items()} | net
        totals |= {f"recogniser_{key}": value for key, value in whole.items()}
        runs.append(Run(build=name, n_clips=len(clips), mismatches=int(wrong.sum()), counts=totals))
    return runs


def cost_metrics(runs: Sequence[Run]) -> dict[str, int]:
    """Figures for metrics/cortex_m/<model>.<scheme>.json from the runs on host and boards.

    ``flash_bytes`` and ``ram_bytes`` are the network's totals, ``frontend_*`` the front-end's,
    ``recogniser_*`` those of the whole, in which both share memory; its instructions are for a clip
    from the first sample to the word. ``stack_bytes`` is the deepest of the three stacks.
    ``instructions_*`` are for one clip of full length through the network,
    ``frontend_instructions_*`` for one frame. A figure that stands for all boards is the largest.
    """
    boards = {run.build: run.counts for run in runs if run.counts}

    def largest(*keys: str) -> int:
        return max(counts[key] for counts in boards.values() for key in keys)

    metrics = {"mismatches": sum(run.mismatches for run in runs)}
    if not boards:
        return metrics
    metrics |= {
        "flash_bytes": largest("flash_bytes"),
        "ram_bytes": largest("ram_bytes"),
        "stack_bytes": largest("stack_bytes", "frontend_stack_bytes", "recogniser_stack_bytes"),
        "frontend_flash_bytes": largest("frontend_flash_bytes"),
        "frontend_ram_bytes": largest("frontend_ram_bytes"),
        "recogniser_flash_bytes": largest("recogniser_flash_bytes"),
        "recogniser_ram_bytes": largest("recogniser_ram_bytes"),
    }
    for name, counts in boards.items():
        metrics[f"instructions_{name}"] = counts["clip_instructions_max"]
        metrics[f"frontend_instructions_{name}"] = counts["frontend_frame_instructions_max"]
        metrics[f"recogniser_instructions_{name}"] = counts["recogniser_clip_instructions_max"]
    return metrics


def _differs(expected: NDArray[np.generic], found: NDArray[np.generic]) -> NDArray[np.bool_]:
    """(n_clips,) whether a clip differs anywhere."""
    return np.asarray((expected != found).reshape(len(expected), -1).any(axis=1))
