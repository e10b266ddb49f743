"""Fuzz a recogniser in C: libFuzzer over samples and block sizes, with sanitizers.

``firmware/host/recogniser_fuzz.c`` says what must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import host_recogniser, objects
from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.commands import call
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Pcm = NDArray[np.int16]

PACKAGES = "clang libclang-rt-dev"

_FLAGS = (*("-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"),)


def build(firmware: Path, network: IntegerGraph, spec: Spec, folder: Path) -> Path:
    """Compile the fuzzer of a recogniser into `folder`.

    Raises
    ------
    UserError
        There is no clang, or it refuses the sources.
    """
    program = folder / "fuzz"
    sources = [
        *host_recogniser.source_paths(firmware, network, spec),
        *host_recogniser.write_model(network, spec, folder),
        firmware / "host" / "recogniser_fuzz.c",
    ]
    call(
        *("clang", *WARNINGS, *_FLAGS, f"-I{firmware}", f"-I{folder}"),
        *map(str, objects.compiled("clang", [*WARNINGS, *_FLAGS], sources)),
        *("-o", str(program)),
        packages=PACKAGES,
    )
    return program


def write_seeds(folder: Path, clips: Sequence[Pcm]) -> None:
    """Clips as inputs to begin with, in blocks of various sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(clips):
        head = bytes(
            [number % 16, (16 * number + 99) % 256, *((number + i) ** 2 % 256 for i in range(16))]
        )
        (folder / f"seed-{number}").write_bytes(head + clip.astype("<i2").tobytes())


def run(program: Path, folder: Path, *, seconds: int, n_runs: int = -1, seed: int = 0) -> None:
    """Fuzz for `seconds`, or `n_runs` inputs if that is less.

    Parameters
    ----------
    folder
        Inputs to begin with; new ones that reach other code are added. A failing input is left in
        it too, as ``crash-*``.
    seed
        0 for another one every time.

    Raises
    ------
    UserError
        It found something: the message tells what.
    """
    folder.mkdir(parents=True, exist_ok=True)
    limits = f"-max_total_time={seconds}", f"-runs={n_runs}", f"-seed={seed}"
    call(
        *(str(program.resolve()), *limits, "-max_len=32000", "-len_control=0", "-timeout=60"),
        # The C has no heap; what the sanitizers take depends on how the system lends its pages.
        "-rss_limit_mb=0",
        *(f"-artifact_prefix={folder.resolve()}/", str(folder.resolve())),
        packages=PACKAGES,
        folder=folder,
        timeout_s=seconds + 600.0,
    )
