"""The decimator in C equals its NumPy twin in every bit, for blocks of any size, in place too."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from spoken_digits.embedded import boards
from spoken_digits.embedded.host_build import build_shared_library
from spoken_digits.integer.frontend.decimator import SIDE_TAPS, Decimator, decimate, taps

INSTRUCTIONS = {"m0": 30_000, "m3": 19_000, "m4": 19_000}  # for 20 ms
RNG = np.random.default_rng(5)
CLIPS = [
    RNG.integers(-32768, 32768, 3001, dtype=np.int16),
    np.where(np.resize(taps() > 0, 500), 32767, -32768).astype(np.int16),  # the largest sums
    np.where(np.resize(taps() > 0, 500), -32768, 32767).astype(np.int16),
    np.full(64, -32768, np.int16),
    np.array([7], np.int16),
    np.zeros(0, np.int16),
]


@pytest.fixture(scope="module")
def function(firmware, tmp_path_factory):
    output = tmp_path_factory.mktemp("decimator") / "decimator.so"
    sources = [firmware / "sd_decimator.c", firmware / "host" / "decimator_host.c"]
    flags = ("-O2", "-fsanitize=undefined", "-fno-sanitize-recover")
    build_shared_library(output, sources, [firmware], compiler="gcc", flags=flags)
    loaded = ctypes.CDLL(str(output)).sd_host_decimate
    loaded.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p]
    loaded.restype = ctypes.c_uint32
    return loaded


@pytest.mark.parametrize("block", [1, 2, 7, 320])
@pytest.mark.parametrize("in_place", [False, True])
def test_c_equals_numpy(function, block, in_place):
    for clip in CLIPS:
        samples = clip.copy()
        output = samples if in_place else np.zeros(len(clip) // 2 + 1, np.int16)
        n = function(samples.ctypes.data, len(samples), block, output.ctypes.data)
        np.testing.assert_array_equal(output[:n], decimate(clip))
        assert n == (len(clip) + 1) // 2


@pytest.mark.parametrize("core", boards.BOARDS)
def test_emulated_boards_equal_numpy_at_a_known_cost(core, firmware, tmp_path):
    if boards.missing_tools():
        pytest.skip("no tools for boards")
    board = boards.BOARDS[core]
    image = boards.build_image(
        board,
        boards_dir=firmware / "boards",
        sources=[firmware / "sd_decimator.c", firmware / "boards" / "decimator_board.c"],
        include_dirs=[firmware],
        output=tmp_path / "decimator.elf",
    )
    clip = np.concatenate(CLIPS)
    outcome = boards.run_image(board, image, clip.astype("<i2").tobytes(), timeout_s=60.0)
    np.testing.assert_array_equal(np.frombuffer(outcome.output, "<i2"), decimate(clip))
    assert outcome.report["state_bytes"] == 220
    assert outcome.report["block_instructions_max"] <= INSTRUCTIONS[core]


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 0, 5), (100, 201)])
def test_blocks_of_any_size_give_the_same(sizes):
    clip = CLIPS[0][: sum(sizes)]
    parts = np.split(clip, np.cumsum(sizes)[:-1])
    decimator = Decimator()
    np.testing.assert_array_equal(
        np.concatenate([decimator.push(p) for p in parts]), decimate(clip)
    )


def test_it_passes_speech_and_stops_what_would_fold_onto_it():
    gain = np.abs(np.fft.rfft(taps() / 2**15, 16000))  # a hertz a step
    decibel = 20 * np.log10(np.maximum(gain, 1e-9))
    assert np.abs(decibel[:3401]).max() <= 0.1
    assert decibel[4600:].max() <= -55
    assert taps().sum() == 2**15
    assert len(taps()) == 47 == 4 * len(SIDE_TAPS) - 1


@pytest.mark.parametrize("offset", [-9000, 1, 12345])
def test_a_constant_offset_stays_just_that(offset):
    quiet = (CLIPS[0] // 4).astype(np.int16)
    moved = decimate((quiet + offset).astype(np.int16))
    np.testing.assert_array_equal(moved, decimate(quiet) + offset)


def test_no_sum_can_leave_int32():
    assert np.abs(taps()).sum() * 32768 + 2**14 < 2**31


def test_other_samples_are_refused():
    with pytest.raises(ValueError, match="int16"):
        decimate(np.zeros(4, np.float32))
