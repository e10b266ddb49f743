"""The portable models' bits on other processors, emulated: training, evaluation, quantization.

Emulation proves which kernels are chosen, and that they are the same; it does not prove
instructions whose result a maker may choose, such as the approximate square root.

One of the other maker than this machine's computes everything: features, long sums, networks,
metrics. The others compute networks: one on varied sound, LSTMs, one of every integer scheme.
`make test-all` adds the networks that have the same layers in other sizes, and matrix products at
full size, which take minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from workspace import REPOSITORY

from spoken_digits import arithmetic

QEMU = shutil.which("qemu-x86_64")


def is_amd() -> bool:
    """Whether this machine's processor is one of AMD's."""
    return "AuthenticAMD" in Path("/proc/cpuinfo").read_text()


NETWORKS = ("lstm", "lstm_36kb", "lstm_36kb_1layer", "tiny")
PROCESSORS: dict[str, tuple[str, ...]] = {
    "Haswell": () if is_amd() else NETWORKS,
    "EPYC-Rome": NETWORKS if is_amd() else (),
    "Icelake-Server": NETWORKS,
}
"""Two of Intel's, eight years apart, and one of AMD's; this machine's own is the fourth. To each,
the networks that it computes, or none for everything."""
UNPINNED = "Nehalem"
"""Without AVX2: whatever processor this is, unpinned libraries choose other kernels there."""
SMALL = "lstm_36kb"

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(QEMU is None, reason="qemu-x86_64 is missing: install qemu-user"),
    pytest.mark.skipif(
        arithmetic.why_not_portable() is not None, reason=str(arithmetic.why_not_portable())
    ),
]


def compute(processor: str | None, *arguments: str) -> dict[str, Any]:
    """The worker's output on an emulated processor, or on this machine's if None."""
    emulator: Sequence[str] = [QEMU, "-cpu", processor] if QEMU and processor else []
    environment = {k: v for k, v in os.environ.items() if k not in arithmetic.settings()}
    # Two emulated threads that spin on each other waste all the processor time.
    environment |= {"OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(REPOSITORY)}
    # librosa compiles helpers as it is imported, which takes minutes in emulation: for no
    # processor in particular, they come from the cache that this machine's own run leaves.
    environment |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    result = subprocess.run(
        [*emulator, sys.executable, "tests/portable_worker.py", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{processor}: {result.stderr[-2000:]}"
    printed: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return printed


@pytest.fixture(scope="module")
def computed() -> dict[tuple[str | None, str], dict[str, Any]]:
    """(processor, "pinned" or "unpinned") -> what it computed, two at a time."""
    calls: dict[tuple[str | None, str], tuple[str, ...]] = {
        **{(processor, "pinned"): share for processor, share in PROCESSORS.items()},
        (None, "pinned"): (),
        **{(processor, "unpinned"): ("--unpinned", SMALL) for processor in (UNPINNED, None)},
    }
    first = (None, "pinned")
    found = {first: compute(None, *calls.pop(first))}
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda key: compute(key[0], *calls[key]), calls)
        return found | dict(zip(calls, results, strict=True))


def of_share(result: str, processor: str) -> bool:
    """Whether a result is one that this processor computes, too."""
    network, _, what = result.partition(" ")
    return not PROCESSORS[processor] or (network in PROCESSORS[processor] and what != "metrics")


@pytest.mark.parametrize("processor", PROCESSORS)
def test_every_result_has_the_same_bits(computed, processor):
    here, there = computed[None, "pinned"], computed[processor, "pinned"]
    assert there["used"] == {"PyTorch": "AVX2", "NumPy": "AVX2"}
    expected = {
        name: digest for name, digest in here["hashes"].items() if of_share(name, processor)
    }
    assert there["hashes"] == expected
    assert len(expected) > (16 if PROCESSORS[processor] else 28)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["micro", "lstm_int8_36kb", "lstm_36kb_sound"])
def test_networks_that_others_cover_have_the_same_bits_too(name):
    here, *there = (compute(processor, name)["hashes"] for processor in (None, *PROCESSORS))
    assert len(here) > 2
    assert there == [here] * len(PROCESSORS)


@pytest.mark.exhaustive
def test_the_largest_products_have_the_same_bits():
    here, *there = (
        compute(processor, "--full-products")["hashes"] for processor in (None, *PROCESSORS)
    )
    assert list(here) == ["products"]
    assert there == [here] * len(PROCESSORS)


def test_without_the_settings_bits_differ(computed):
    """Negative control: a comparison that cannot fail would find these equal too."""
    here, there = computed[None, "unpinned"], computed[UNPINNED, "unpinned"]
    assert there["used"] != here["used"]
    for result in (f"{SMALL} weights", f"{SMALL} logits"):
        assert there["hashes"][result] != here["hashes"][result]
