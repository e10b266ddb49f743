"""The ring buffer between an interrupt and the main loop: two threads, under ThreadSanitizer."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from recordings import REPOSITORY

from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.host_build import build_shared_library

FIRMWARE = REPOSITORY / "firmware"
STANDARDS = ("c99", pytest.param("c11", marks=pytest.mark.exhaustive))


@pytest.mark.parametrize("standard", STANDARDS)
def test_two_threads_lose_and_repeat_nothing(standard, tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    program = tmp_path / "ring_threads"
    command = ["gcc", *WARNINGS, f"-std={standard}", "-D_POSIX_C_SOURCE=200809L", "-O1", "-g"]
    command += ["-fsanitize=thread", f"-I{FIRMWARE}", "-pthread", "-o", str(program)]
    command += [str(FIRMWARE / "sd_ring.c"), str(FIRMWARE / "host" / "ring_threads.c")]
    subprocess.run(command, check=True)
    done = subprocess.run([program, "30000"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[:2000]
    assert int(done.stdout) > 0  # it has been full


class Ring:
    """An sd_ring by the functions of C."""

    def __init__(self, library, capacity):
        self.c = ctypes.CDLL(str(library))
        self.memory = np.zeros(max(capacity, 1), np.int16)
        self.ring = (ctypes.c_uint32 * 16)()
        self.ready = self.c.sd_ring_init(self.ring, self._at(self.memory), capacity)

    @staticmethod
    def _at(samples):
        return samples.ctypes.data_as(ctypes.c_void_p)

    def write(self, samples):
        samples = np.ascontiguousarray(samples, np.int16)
        return self.c.sd_ring_write(self.ring, self._at(samples), len(samples))

    def read(self, n):
        samples = np.zeros(n, np.int16)
        return samples[: self.c.sd_ring_read(self.ring, self._at(samples), n)].tolist()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ring")
    return build_shared_library(
        folder / "ring.so", [FIRMWARE / "sd_ring.c"], [FIRMWARE], compiler="gcc", flags=("-O2",)
    )


def test_first_in_first_out_and_what_has_no_room_is_counted(library):
    ring = Ring(library, 8)
    assert ring.ready
    assert ring.read(5) == []
    assert ring.write([1, 2, 3]) == 3
    assert ring.read(2) == [1, 2]
    assert ring.write(range(10, 20)) == 7  # 8 less the 1 that waits
    assert ring.c.sd_ring_lost(ring.ring) == 3
    assert ring.read(99) == [3, *range(10, 17)]
    assert ring.write([]) == 0


def test_counts_may_pass_two_to_the_32(library):
    ring = Ring(library, 4)
    counts = np.frombuffer(ring.ring, np.uint32)
    counts[3:5] = 2**32 - 2  # written, taken, after pointer and capacity
    assert ring.write([5, 6, 7, 8, 9]) == 4
    assert ring.read(9) == [5, 6, 7, 8]
    assert counts[3:5].tolist() == [2, 2]


@pytest.mark.parametrize("capacity", [0, 3, 6, 2**16 - 1])
def test_a_capacity_that_is_no_power_of_two_is_refused(library, capacity):
    assert not Ring(library, capacity).ready
