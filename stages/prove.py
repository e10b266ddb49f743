"""Prove that NumPy, C here and C on emulated Cortex-M agree bit for bit on every clip.

Reads   data/raw/, models/*.int8.safetensors, models/*.pow2.safetensors, firmware/
Writes  nothing; prints a table, exits with 1 on any mismatch
Run     python stages/prove.py [--clips 300]

Not part of `dvc repro`: `make firmware-test` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from spoken_digits import audio, errors
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.data import manifest
from spoken_digits.data.clips import ClipArchive
from spoken_digits.embedded import boards, host_frontend, host_network
from spoken_digits.errors import UserError
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

RAW = Path("data/raw")
MODELS = Path("models")
FIRMWARE = Path("firmware")
PACKAGES = f"gcc {boards.PACKAGES}"
NO_FLOAT = host_frontend.NO_FLOAT if platform.machine() == "x86_64" else ()
HOST_BUILDS = {
    "gcc -O0": ("gcc", ("-O0", *NO_FLOAT)),
    "gcc -O3": ("gcc", ("-O3", *NO_FLOAT)),
    "gcc -O3 -march=native": ("gcc", ("-O3", "-march=native")),
    "clang -O3": ("clang", ("-O3", *NO_FLOAT)),
}
TIMEOUT_S = 3600.0
HEAD = ("what", "runs on", "clips", "mismatches", "instructions", "flash", "RAM", "stack")

Clips = list[NDArray[np.int16]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    runs_on: str
    n_clips: int
    n_mismatches: int
    report: dict[str, int]
    """Empty on the host."""
    instructions: str = ""
    """Key in `report` of the instructions."""

    def cells(self) -> tuple[str, ...]:
        costs = (self.instructions, "flash_bytes", "ram_bytes", "stack_bytes")
        known = (f"{self.report[key]:,}" if key in self.report else "" for key in costs)
        return self.what, self.runs_on, str(self.n_clips), str(self.n_mismatches), *known


def main() -> None:
    n_clips = parse_arguments().clips
    check_tools()
    models = read_models()
    rows: list[Row] = []
    for spec in dict.fromkeys(spec for spec, _ in models.values()):
        clips = read_clips(spec.sample_rate, n_clips)
        features, n_frames = extraction.extract(clips, spec)
        networks = {name: network for name, (own, network) in models.items() if own == spec}
        rows += progress(prove_frontend(spec, clips, features, n_frames))
        for name, network in networks.items():
            rows += progress(prove_network(name, network, features, n_frames))
    n_mismatches = sum(row.n_mismatches for row in rows)
    print(table([row.cells() for row in rows]))
    print(
        "instructions: executed, not cycles; the most of any frame (front-end) or clip (network)\n"
        "flash, RAM, stack: bytes at -O2"
    )
    print(f"{n_mismatches} mismatches in {len(rows)} comparisons with NumPy")
    sys.exit(n_mismatches > 0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--clips", type=int, help="number of clips, spread over the corpus (default: all)"
    )
    arguments = parser.parse_args()
    if arguments.clips is not None and arguments.clips < 1:
        parser.error("--clips must be 1 or more")
    return arguments


def check_tools() -> None:
    missing = [] if shutil.which("gcc") else ["gcc"]
    missing += boards.missing_tools()
    if missing:
        raise UserError(
            f"not installed: {', '.join(missing)}; Debian's packages: apt-get install {PACKAGES}"
        )
    if shutil.which("clang") is None:
        print("clang is not installed: left out")


def read_models() -> dict[str, tuple[Spec, IntegerGraph]]:
    """Front-end and network of every integer model file, by name."""
    found = {}
    paths = [path for scheme in SCHEMES for path in MODELS.glob(f"*.{scheme}.safetensors")]
    for path in sorted(paths):
        card, tensors = read_model(path)
        found[path.name.removesuffix(".safetensors")] = (
            integer_spec(card.features),
            integer.restore(card, tensors),
        )
    if not found:
        raise UserError(f"{MODELS} holds no integer network: make them with `dvc repro quantize`")
    return found


def read_clips(sample_rate: int, n_clips: int | None) -> Clips:
    """Recordings as int16 at the device's rate: all, or `n_clips` spread evenly."""
    table = manifest.read_manifest(RAW / "manifest.csv")[["path", "sha256"]]
    if n_clips is not None and n_clips < len(table):
        table = table.iloc[np.linspace(0, len(table) - 1, n_clips).round().astype(int)]
    archive = ClipArchive(RAW / "audio.zip")
    clips = []
    for path, digest in table.to_numpy():
        waveform, audio_format = audio.decode(archive.read(path, digest), path)
        clips.append(to_pcm(audio.resample(waveform, audio_format.sample_rate, sample_rate)))
    return clips


def progress(steps: Iterator[Row]) -> list[Row]:
    bar = tqdm(steps, desc="prove", unit="build", disable=None)
    rows = []
    for row in bar:
        bar.set_postfix_str(f"{row.what} on {row.runs_on}")
        rows.append(row)
    return rows


def prove_frontend(
    spec: Spec, clips: Clips, features: NDArray[np.int8], n_frames: NDArray[np.int32]
) -> Iterator[Row]:
    what = f"front-end {spec.fingerprint()[:8]}"

    def row(runs_on: str, found: host_frontend.Features, report: dict[str, int]) -> Row:
        different = (found[0] != features).any(axis=(1, 2)) | (found[1] != n_frames)
        return Row(
            what=what,
            runs_on=runs_on,
            n_clips=len(clips),
            n_mismatches=int(different.sum()),
            report=report,
            instructions="frame_instructions_max",
        )

    for label, (compiler, flags) in host_builds():
        with tempfile.TemporaryDirectory(prefix="prove-") as folder:
            library = host_frontend.build_host_library(
                FIRMWARE, spec, Path(folder) / "frontend.so", compiler=compiler, flags=flags
            )
            found = host_frontend.extract_on_host(library, clips, spec)
        yield row(label, found, {})
    for board in boards.BOARDS.values():
        found, report = host_frontend.extract_on_board(
            board, FIRMWARE, clips, spec, timeout_s=TIMEOUT_S
        )
        yield row(f"{board.cpu} emulated", found, report)


def prove_network(
    name: str, network: IntegerGraph, features: NDArray[np.int8], n_frames: NDArray[np.int32]
) -> Iterator[Row]:
    logits = network.logits(features, n_frames)

    def row(runs_on: str, found: NDArray[np.int32], report: dict[str, int]) -> Row:
        return Row(
            what=name,
            runs_on=runs_on,
            n_clips=len(features),
            n_mismatches=int((found != logits).any(axis=1).sum()),
            report=report,
            instructions="clip_instructions_max",
        )

    for label, (compiler, flags) in host_builds():
        with tempfile.TemporaryDirectory(prefix="prove-") as folder:
            library = host_network.build_host_library(
                FIRMWARE, network, Path(folder), compiler=compiler, flags=flags
            )
            found = host_network.logits_on_host(library, features, n_frames, network.n_classes)
        yield row(label, found, {})
    for board in boards.BOARDS.values():
        found, report = host_network.logits_on_board(
            board, FIRMWARE, network, features, n_frames, timeout_s=TIMEOUT_S
        )
        yield row(f"{board.cpu} emulated", found, report)


def host_builds() -> list[tuple[str, tuple[str, tuple[str, ...]]]]:
    """Label, compiler and flags of each build for this machine."""
    return [
        (label, build) for label, build in HOST_BUILDS.items() if shutil.which(build[0]) is not None
    ]


def table(rows: list[tuple[str, ...]]) -> str:
    """Align columns: the first two hold text, the others numbers."""
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [HEAD, *rows]
    )


if __name__ == "__main__":
    errors.run(main)
