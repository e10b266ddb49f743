"""firmware/sd_fixed.h against its Python twin."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest

from spoken_digits.embedded import boards
from spoken_digits.integer.fixed import bit_length, round_shift, saturate

WRAPPERS = """
#include "sd_fixed.h"
int32_t wrapped_round_shift(int32_t x, uint32_t shift);
int32_t wrapped_saturate(int32_t x, uint32_t bits);
uint32_t wrapped_bit_length(uint32_t x);
int32_t wrapped_round_shift(int32_t x, uint32_t shift) { return sd_round_shift(x, shift); }
int32_t wrapped_saturate(int32_t x, uint32_t bits) { return sd_saturate(x, bits); }
uint32_t wrapped_bit_length(uint32_t x) { return sd_bit_length(x); }
"""


@pytest.fixture(scope="module")
def library(firmware, tmp_path_factory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "wrappers.c").write_text(WRAPPERS)
    command = ["gcc", "-shared", "-fPIC", "-O2", *boards.WARNINGS, f"-I{firmware}"]
    command += [str(folder / "wrappers.c"), "-o", str(folder / "fixed.so")]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(folder / "fixed.so"))
    library.wrapped_bit_length.argtypes = [ctypes.c_uint32]
    library.wrapped_bit_length.restype = ctypes.c_uint32
    return library


@pytest.fixture
def numbers() -> np.ndarray:
    """Integers of every magnitude up to 2**30, both signs, and the corners."""
    rng = np.random.default_rng(11)
    random = rng.integers(-(2**30), 2**30, 400) >> rng.integers(0, 31, 400)
    return np.concatenate([random, [-(2**30), -1, 0, 1, 2**30 - 1]]).astype(np.int32)


def test_round_shift_is_the_same(library, numbers):
    for shift in range(31):
        actual = [library.wrapped_round_shift(int(x), shift) for x in numbers]
        np.testing.assert_array_equal(actual, round_shift(numbers, shift))


@pytest.mark.parametrize("bits", [2, 8, 16, 31])
def test_saturate_is_the_same(library, numbers, bits):
    actual = [library.wrapped_saturate(int(x), bits) for x in numbers]
    np.testing.assert_array_equal(actual, saturate(numbers, bits))


def test_bit_length_is_the_same(library, numbers):
    magnitudes = np.concatenate([np.abs(numbers.astype(np.int64)), [2**31, 2**32 - 1]])
    actual = [library.wrapped_bit_length(int(x)) for x in magnitudes]
    np.testing.assert_array_equal(actual, bit_length(magnitudes))
