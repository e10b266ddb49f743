"""Describe the machine, make rows of results, measure time and memory of commands."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 2.0


def machine() -> str:
    """General description of this machine."""
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    fast = [kind for kind in ("avx2", "avx512_bf16", "amx_bf16") if kind in _processor_flags()]
    return ", ".join(
        [
            f"{os.cpu_count()} cores",
            " ".join([platform.machine(), *fast[-1:]]),
            *gpu,
            f"Python {platform.python_version()}",
            f"PyTorch {torch.__version__.partition('+')[0]}",
        ]
    )


def _processor_flags() -> set[str]:
    """Processor features as reported by Linux; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def row(
    name: str, ours_s: float, reference_s: float | None, note: str, **more: Any
) -> dict[str, Any]:
    """A row of results.json; `more` are keys of some rows only, such as peak_rss_mib."""
    return {
        "name": name,
        "ours_s": float(f"{ours_s:.5g}"),
        "reference_s": reference_s and float(f"{reference_s:.5g}"),
        "ratio": reference_s and round(reference_s / ours_s, 2),
        "note": note,
        **more,
    }


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Time and memory of a command."""

    seconds: float
    peak_rss_mib: float
    """Peak resident memory of the command and its children together. Shared memory counts once for
    each process, so this is an upper bound."""
    output: str


def measure(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run `command` in `folder`.

    Raises
    ------
    RuntimeError
        It failed; the message holds its output.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        peak = 0
        while True:
            # Less and less often: polling takes time from a command that keeps all cores busy.
            wait = min(LONGEST_POLL_SECONDS, POLL_SECONDS + (time.perf_counter() - start) / 100)
            try:
                output, _ = process.communicate(timeout=wait)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, _resident(process.pid))
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed in {folder}:\n{output}")
    return Measured(seconds=seconds, peak_rss_mib=round(peak / 2**20), output=output)


def _resident(pid: int) -> int:
    """Resident bytes of a process and all below it."""
    try:
        top = psutil.Process(pid)
        processes = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # ended meanwhile
    return total
