"""Arithmetic that gives the same bits on every x86-64 processor with AVX2.

NumPy, PyTorch, MKL, oneDNN and OpenBLAS each choose their kernels by the processor they run on,
and different kernels round differently. They choose once, while they are loaded, and read the
environment then: so it must be set before NumPy or PyTorch is first imported. Importing one of
two modules sets it, and every stage imports one of them first:

`spoken_digits.arithmetic.portable`
    pins the kernels;
`spoken_digits.arithmetic.by_model`
    pins them unless the model named on the command line has ``arithmetic: fast``.

docs/reproducibility.md says what is promised and what is not.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

from spoken_digits.errors import UserError

Arithmetic = Literal["portable", "fast"]
"""`train.arithmetic`: the same bits on every processor, or whatever is fastest on this one."""

_COMMON: Mapping[str, str] = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # MKL's other modes, AVX2 and AVX2,STRICT, differ between makers in small products.
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
    # OpenBLAS takes as many threads as there are cores, and rounds by their number.
    "OPENBLAS_NUM_THREADS": "1",
}
_NUMPY = "NPY_DISABLE_CPU_FEATURES"
_ABOVE_AVX2 = {
    (2, 4): "X86_V4 AVX512_ICL AVX512_SPR",
    (2, 0): "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
}
"""First version of NumPy -> instruction sets that it must not use; it warns of unknown names."""
_NEEDED = {"avx2", "fma"}
_CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def settings() -> dict[str, str]:
    """Environment variables of portable arithmetic, for the installed NumPy."""
    major, minor = metadata.version("numpy").split(".")[:2]
    known = [first for first in _ABOVE_AVX2 if first <= (int(major), int(minor))]
    return {**_COMMON, _NUMPY: _ABOVE_AVX2[max(known)]}


def is_pinned() -> bool:
    """Whether this process computes with portable kernels."""
    return all(os.environ.get(name) == value for name, value in settings().items())


def pin() -> None:
    """Make NumPy and PyTorch, not loaded yet, choose portable kernels; child processes inherit it.

    Where the machine cannot, a line on stderr says so and nothing is changed.

    Raises
    ------
    UserError
        NumPy or PyTorch has been loaded already, with other settings.
    """
    if is_pinned():
        return
    obstacle = why_not_portable()
    if obstacle is not None:
        print(
            f"note: {obstacle}: results may differ from the recorded ones in the last digits, "
            "and so in the end (docs/reproducibility.md)",
            file=sys.stderr,
        )
        return
    loaded = [name for name in ("numpy", "torch") if name in sys.modules]
    if loaded:
        raise UserError(
            f"portable arithmetic was asked for after {' and '.join(loaded)} had been imported: "
            "import spoken_digits.arithmetic.portable before anything else"
        )
    os.environ.update(settings())


def require(arithmetic: str) -> None:
    """Check that this process computes with `arithmetic`; ``fast`` asks for nothing.

    Raises
    ------
    UserError
        The libraries chose other kernels than portable ones, on a machine that has these.
    """
    if arithmetic != "portable" or why_not_portable() is not None:
        return
    if not is_pinned():
        raise UserError(
            "`train.arithmetic: portable` needs kernels that are chosen before NumPy and PyTorch "
            "are imported: import spoken_digits.arithmetic.portable first"
        )
    other = {name: found for name, found in effective().items() if found != "AVX2"}
    if other:
        raise UserError(
            "`train.arithmetic: portable` came too late: "
            + ", ".join(f"{name} computes with {found}" for name, found in other.items())
            + "; import spoken_digits.arithmetic.portable before anything else"
        )


def effective() -> dict[str, str]:
    """Library -> the instruction set that it says it uses."""
    import torch

    umath: Any = import_module("numpy._core._multiarray_umath")
    features: dict[str, bool] = umath.__cpu_features__
    above = {name for names in _ABOVE_AVX2.values() for name in names.split()}
    used = [name for name in umath.__cpu_dispatch__ if name in above and features[name]]
    best = "AVX2" if features.get("AVX2") else "less than AVX2"
    return {
        "PyTorch": torch.backends.cpu.get_cpu_capability(),
        "NumPy": used[-1] if used else best,
    }


def why_not_portable() -> str | None:
    """Why this machine cannot compute portably; None where it can."""
    machine = platform.machine()
    if machine.lower() not in ("x86_64", "amd64"):
        return f"portable arithmetic is proven on x86-64 processors, and this is {machine}"
    if _CPUINFO.exists():
        lacking = _NEEDED - processor_flags()
        if lacking:
            names = " and ".join(sorted(name.upper() for name in lacking))
            return f"portable arithmetic needs {names}, which this processor lacks"
    return None


@functools.cache
def processor_flags() -> frozenset[str]:
    """Instruction sets that Linux lists for the first processor."""
    for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
