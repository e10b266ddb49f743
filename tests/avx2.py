"""The build that most desktops can run, for tests of C on this machine."""

from __future__ import annotations

from pathlib import Path

_CPU = Path("/proc/cpuinfo")

AVX2_ALONE = [("gcc", ("-O3", "-mavx2"))] if _CPU.exists() and " avx2 " in _CPU.read_text() else []
"""``-march=native`` is more than that where one instruction multiplies and adds."""
