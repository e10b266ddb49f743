"""The sliding window in C: every word and sample number as in NumPy, on the host and on boards."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil

import numpy as np
import pytest
from detectors import RATE, pcm, small_sliding, words_in_noise
from recordings import REPOSITORY

from spoken_digits.embedded import boards, host_recogniser, host_sliding, host_stream
from spoken_digits.embedded.emit import sliding as c_sliding
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.integer.detector.sliding import SlidingDetector

FIRMWARE = REPOSITORY / "firmware"
CLANG = pytest.param(("clang", "-O3"), marks=pytest.mark.exhaustive)
CODE_BYTES = 1250
"""Of what a sliding window adds to a recogniser, on an M0."""


@pytest.fixture(scope="module", params=[("gcc", "-O2"), CLANG], ids=lambda build: build[0])
def twins(request, tmp_path_factory):
    """The sliding window in C, and what makes the one in NumPy."""
    compiler, optimisation = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    spec, network, frontend, recognise = small_sliding(threshold=0.3)
    library = host_stream.build_host_library(
        *(FIRMWARE, spec, network, frontend, tmp_path_factory.mktemp("sliding")),
        compiler=compiler,
        flags=(optimisation, *NO_FLOAT),
    )
    return host_sliding.HostSliding(library, spec), spec, recognise, network


def rough(seed: int) -> np.ndarray:
    """Words among what is hard for fixed point: clipping, steps of DC, silence."""
    rng = np.random.default_rng(seed)
    parts = [words_in_noise(seed, 6)[0].astype(float), np.zeros(RATE)]
    for _ in range(4):
        loud = rng.normal(0, 10 ** rng.uniform(0, 5), int(rng.uniform(0.1, 1.5) * RATE))
        parts += [loud + rng.choice([-32768, 0, 32767]), np.zeros(int(rng.uniform(0, 1) * RATE))]
    return pcm(np.concatenate(parts))


def test_host_equals_numpy_in_blocks_of_any_size(twins):
    in_c, spec, recognise, _ = twins
    n_events = 0
    for seed, blocks in ((9, (160,)), (10, (0, 1, 777)), (11, (1_000_000,)), (12, (1,))):
        samples = rough(seed)
        right = SlidingDetector(spec, recognise).hear(samples)
        in_c.restart()
        assert in_c.hear(samples, blocks) == right
        n_events += len(right)
    assert n_events > 20


def test_the_logits_of_every_window_are_those_of_numpy(twins):
    """So the front-end, which C runs once, gives each window what NumPy computes anew."""
    in_c, spec, recognise, _ = twins
    samples = rough(7)
    in_c.restart()
    events, logits = in_c.hear_and_judge(samples, (999, 1))
    starts = range(0, len(samples) - spec.window + 1, spec.step)
    right = recognise([samples[start : start + spec.window] for start in starts])
    np.testing.assert_array_equal(logits, right)
    assert events == SlidingDetector(spec, recognise).hear(samples)


def test_any_threshold_gives_the_events_of_numpy(twins):
    in_c, spec, recognise, _ = twins
    samples, _ = words_in_noise(9, 9)
    counts = []
    for threshold in (1, 2500, 5000, 10_000):
        in_c.restart(threshold)
        events = in_c.hear(samples)
        other = dataclasses.replace(spec, threshold=threshold)
        assert events == SlidingDetector(other, recognise).hear(samples)
        counts.append(len(events))
    assert counts[0] > counts[2] > counts[3]  # a threshold makes a difference


def test_days_later_the_same_words_are_heard(twins):
    in_c, _, _, _ = twins
    samples, _ = words_in_noise(9, 9)
    later = in_c.library.sd_host_slide_later
    later.argtypes, later.restype = [ctypes.c_uint64], None
    in_c.restart()
    first = in_c.hear(samples)
    n = 30 * 24 * 3600 * RATE  # more than 2**32
    in_c.restart()
    later(n)
    shifted = [
        (e.word, e.confidence, e.start - n, e.end - n, e.decided - n) for e in in_c.hear(samples)
    ]
    assert shifted == [(e.word, e.confidence, e.start, e.end, e.decided) for e in first]
    assert len(first) > 5


def test_an_hour_leaves_no_mark(twins):
    """Zeros and noise of every loudness, and then the same logits as without them."""
    in_c, spec, _, _ = twins
    rng = np.random.default_rng(5)
    samples, _ = words_in_noise(9, 9)
    in_c.restart()
    _, right = in_c.hear_and_judge(samples)
    in_c.restart()
    minute = 600 * spec.step
    for _ in range(60):
        in_c.hear(pcm(rng.normal(0, rng.choice([0, 30, 30_000]), minute)), (4096,))
    _, logits = in_c.hear_and_judge(samples)
    np.testing.assert_array_equal(logits[-len(right) :], right)
    assert len(logits) > len(right)  # windows on the border


@pytest.mark.parametrize("board", boards.BOARDS)
def test_boards_equal_numpy(board, tmp_path):
    if boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(boards.missing_tools())}")
    spec, network, frontend, recognise = small_sliding(threshold=0.3)
    samples = words_in_noise(9, 3)[0]
    right = SlidingDetector(spec, recognise).hear(samples)
    events, cost = host_sliding.hear_on_board(
        boards.BOARDS[board], FIRMWARE, spec, network, frontend, samples, tmp_path
    )
    assert len(right) > 5
    assert events == right
    assert cost["block_instructions_max"] < cost["window_instructions_max"]
    ram = c_sliding.ram_bytes(spec, network, frontend)
    assert [cost["memory_bytes"], cost["sliding_bytes"]] == [ram["memory"], ram["sliding"]]


def test_the_code_is_small_and_free_of_floating_point(tmp_path):
    if boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(boards.missing_tools())}")
    output = boards.compile_object(
        boards.BOARDS["m0"], FIRMWARE / "sd_sliding.c", tmp_path / "o", include_dirs=[FIRMWARE]
    )
    helpers = [name for name in boards.symbols(output) if name.startswith("__")]
    assert set(helpers) <= {"__aeabi_lmul"}
    assert boards.object_sizes([output])[0] <= CODE_BYTES


def test_who_does_not_slide_pays_nothing(tmp_path):
    """The recogniser's files know nothing of it."""
    _, network, frontend, _ = small_sliding()
    names = {path.name for path in host_recogniser.source_paths(FIRMWARE, network, frontend)}
    assert "sd_sliding.c" not in names
    assert all("sd_sliding" not in (FIRMWARE / name).read_text() for name in names)


# ---- misuse, by the functions of C


def test_every_misuse_has_a_status(twins):
    host, *_ = twins
    c, room = host.library, ctypes.c_char * 256
    sliding, event, taken = room(), room(), ctypes.c_uint32(7)
    fixed = room.in_dll(c, "sd_words_sliding")
    model = ctypes.cast(fixed, ctypes.POINTER(ctypes.c_void_p))[0]
    identity, n_bytes = np.frombuffer(ctypes.string_at(model, 64), np.uint32)[[1, 12]].tolist()
    memory = np.zeros(n_bytes // 8 + 1, np.uint64).ctypes
    null_pointer, other_model, unaligned, small, not_initialised = 1, 3, 4, 5, 6

    def init(*arguments):
        return c.sd_sliding_init(*arguments)

    whole = [sliding, fixed, identity, memory.data_as(ctypes.c_void_p), n_bytes]
    assert c.sd_sliding_hear(sliding, None, 0, ctypes.byref(taken), event) == not_initialised
    for i in (0, 1, 3):
        assert init(*whole[:i], None, *whole[i + 1 :]) == null_pointer
    assert init(*whole[:2], identity ^ 1, *whole[3:]) == other_model
    assert init(*whole[:3], ctypes.c_void_p(memory.data + 1), n_bytes) == unaligned
    assert init(*whole[:4], n_bytes - 1) == small
    assert c.sd_sliding_hear(sliding, None, 0, ctypes.byref(taken), event) == not_initialised
    assert init(*whole) == 0
    assert c.sd_sliding_hear(sliding, None, 1, ctypes.byref(taken), event) == null_pointer
    assert taken.value == 7  # nothing has changed
    assert c.sd_sliding_hear(sliding, None, 0, ctypes.byref(taken), event) == 0
    assert taken.value == 0
