"""Features are equal bit for bit, whichever vector instructions NumPy and the C library use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

PROGRAM = """
import hashlib
import sys
from pathlib import Path

import numpy as np

from spoken_digits.config import read_config
from spoken_digits.features.registry import make_extractor

rng = np.random.default_rng(0)
clips = [(rng.normal(0, 0.1, n) * np.hanning(n)).astype(np.float32) for n in range(900, 9000, 90)]
config = read_config(Path("params.yaml"))
for kind in ("mfcc", "spectrogram"):
    print(hashlib.sha256(make_extractor(kind, config)(clips)[0].tobytes()).hexdigest())
print(hashlib.sha256(np.log10(rng.uniform(1e-9, 1, 10**5)).tobytes()).hexdigest())
"""


def digests(repository, environment: dict[str, str]) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=repository,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_features_do_not_depend_on_vector_instructions(repository):
    if not __cpu_features__.get("AVX2"):
        pytest.skip("this processor has no vector instructions to switch off")
    most = digests(repository, {})
    fewest = digests(
        repository,
        {
            "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__),
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
        },
    )
    assert fewest[:2] == most[:2]
    if __cpu_features__.get("AVX512F"):
        assert fewest[2] != most[2]  # NumPy's logarithm does depend on them
