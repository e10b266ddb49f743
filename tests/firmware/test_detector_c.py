"""The detector in C: every event and sample number as in NumPy, on the host and on boards."""

from __future__ import annotations

import ctypes
import shutil

import numpy as np
import pytest
from detectors import RATE, pcm, small, tone, words_in_noise
from recordings import REPOSITORY

from spoken_digits.embedded import boards, host_detector, host_stream
from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import Endpointer, levels, stretches
from spoken_digits.integer.detector.event import Verdict

FIRMWARE = REPOSITORY / "firmware"
CLANG = pytest.param(("graph", "clang", "-O3"), marks=pytest.mark.exhaustive)
BUILDS = [("graph", "gcc", "-O2"), ("int8", "gcc", "-O2"), CLANG]
M0_INSTRUCTIONS, M3_INSTRUCTIONS, RAM_BYTES = 3_000, 2_000, 512


@pytest.fixture(scope="module", params=BUILDS, ids=lambda build: "-".join(build[:2]))
def twins(request, tmp_path_factory):
    """The detector in C, and what makes the one in NumPy."""
    kind, compiler, optimisation = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    spec, network, frontend, recognise = small(kind)
    library = host_stream.build_host_library(
        *(FIRMWARE, spec, network, frontend, tmp_path_factory.mktemp(kind)),
        compiler=compiler,
        flags=(optimisation, *NO_FLOAT),
    )
    return host_detector.HostDetector(library), spec, recognise, network


def at(array: np.ndarray) -> ctypes.c_void_p:
    """Where it lies, for C."""
    return array.ctypes.data_as(ctypes.c_void_p)


def rough(seed: int) -> np.ndarray:
    """What is hard for fixed point: clipping, steps of DC, silence, all of it at once."""
    rng = np.random.default_rng(seed)
    parts = [words_in_noise(seed, 6)[0].astype(float), np.zeros(RATE)]
    for _ in range(4):
        loud = rng.normal(0, 10 ** rng.uniform(0, 5), int(rng.uniform(0.1, 1.5) * RATE))
        parts += [loud + rng.choice([-32768, 0, 32767]), np.zeros(int(rng.uniform(0, 1) * RATE))]
    return pcm(np.concatenate(parts))


def test_host_equals_numpy_in_blocks_of_any_size(twins):
    in_c, spec, recognise, _ = twins
    heard = set()
    for seed, blocks in ((9, (160,)), (10, (0, 1, 777)), (11, (1_000_000,)), (12, (1,))):
        samples = np.concatenate([words_in_noise(seed, 9)[0], rough(seed)])
        right = Detector(spec, recognise).hear(samples)
        in_c.restart()
        assert in_c.hear(samples, blocks) == right
        heard |= {event.verdict for event in right}
    assert heard >= {Verdict.WORD, Verdict.TOO_SHORT, Verdict.TOO_LONG}
    assert heard & {Verdict.UNSURE, Verdict.NOT_A_WORD}


def test_a_changed_threshold_is_noticed(twins):
    """Negative control."""
    in_c, spec, recognise, _ = twins
    samples, _ = words_in_noise(9, 9)
    in_c.restart(threshold=10_000)
    assert in_c.hear(samples) != Detector(spec, recognise).hear(samples)


def test_levels_are_those_of_numpy(twins):
    in_c, *_ = twins
    rng = np.random.default_rng(3)
    for n in (1, 2, 79, 160, 1023, 1024):
        frames = rng.integers(-(2**15), 2**15, (50, n)) >> rng.integers(0, 16, (50, 1))
        frames = np.vstack([frames, np.full(n, -(2**15)), 65535 * (np.arange(n) % 2) - 2**15])
        frames = np.ascontiguousarray(frames, np.int16)
        got = [
            in_c.library.sd_host_level(frame.ctypes.data_as(ctypes.c_void_p), n) for frame in frames
        ]
        assert got == levels(frames.ravel(), n).tolist()


def in_c_stretches(library, state, frame_levels):
    values, rows = np.ascontiguousarray(frame_levels, np.int32), np.zeros((9999, 4), np.int64)
    function = library.sd_host_endpoint
    pointer, count = ctypes.c_void_p, ctypes.c_uint64
    function.argtypes, function.restype = [pointer, pointer, count, pointer, count], ctypes.c_int64
    n = function(state.ctypes.data, values.ctypes.data, len(values), rows.ctypes.data, len(rows))
    return rows[:n]


def test_48_hours_without_drift_or_stop(twins):
    """A word every ten minutes, and the same minute of noise all the time."""
    in_c, spec, *_ = twins
    rng = np.random.default_rng(4)
    second = RATE // spec.endpoint.frame_length
    noise = rng.normal(5000, 130, 600 * second).astype(np.int32)  # frames of 10 minutes
    word = noise.copy()
    word[300 * second : 300 * second + 20] += 3000
    state = np.zeros(16, np.uint64)  # an sd_endpoint and more
    found = [in_c_stretches(in_c.library, state, word) for _ in range(6 * 48)]
    (first,) = stretches(Endpointer(spec.endpoint), word.tolist())
    rows, numbers = np.concatenate(found), np.arange(6 * 48)[:, None]
    right = np.array([first.change, first.start, first.end, first.decided])
    np.testing.assert_array_equal(rows, right + numbers * [0, *[len(word)] * 3])
    assert int(state[0]) == 48 * 3600 * second


def test_a_word_after_a_day_of_zeros_is_heard_as_after_a_second(twins):
    in_c, spec, *_ = twins
    second = RATE // spec.endpoint.frame_length
    word = np.zeros(2 * second, np.int32)
    word[:20] = 6000
    (short,) = stretches(Endpointer(spec.endpoint), [*[0] * second, *word.tolist()])
    state, hour = np.zeros(16, np.uint64), np.zeros(3600 * second, np.int32)
    for _ in range(24):
        assert not len(in_c_stretches(in_c.library, state, hour))
    (found,) = in_c_stretches(in_c.library, state, word)
    moved = 24 * 3600 * second - second
    assert found.tolist() == [
        short.change,
        *(x + moved for x in (short.start, short.end, short.decided)),
    ]


@pytest.mark.parametrize("board", boards.BOARDS)
def test_boards_equal_numpy_within_the_budget(board, tmp_path):
    if boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(boards.missing_tools())}")
    spec, network, frontend, recognise = small()
    samples = words_in_noise(9, 5)[0]
    whole = samples[: len(samples) // spec.endpoint.frame_length * spec.endpoint.frame_length]
    right = Detector(spec, recognise).hear(whole)
    on_board = host_detector.BoardDetector(
        boards.BOARDS[board], FIRMWARE, spec, network, frontend, tmp_path
    )
    events, cost = on_board.hear([samples])
    assert len(right) > 5
    assert events == right
    most = M0_INSTRUCTIONS if board == "m0" else M3_INSTRUCTIONS
    assert 500 < cost["frame_instructions_max"] <= most
    assert cost["detector_bytes"] <= RAM_BYTES
    assert cost["ring_bytes"] == 2 * spec.endpoint.ring_frames * spec.endpoint.frame_length


def test_the_code_is_free_of_floating_point_and_of_surprises(tmp_path):
    """Objects for a Cortex-M0: no library routine but the multiplication of 64 bits."""
    if boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(boards.missing_tools())}")
    for name in ("sd_detector.c", "sd_endpoint.c", "sd_confidence.c", "sd_ring.c"):
        output = boards.compile_object(
            boards.BOARDS["m0"], FIRMWARE / name, tmp_path / f"{name}.o", include_dirs=[FIRMWARE]
        )
        helpers = [s for s in boards.symbols(output) if s.startswith("__")]
        assert set(helpers) <= {"__aeabi_lmul", "__aeabi_memcpy", "__gnu_thumb1_case_uqi"}


# ---- misuse, by the functions of C


def test_every_misuse_has_a_status(twins):
    host, spec, _, network = twins
    c, memory = host.library, ctypes.c_char * 256
    detector, recogniser, event = memory(), memory(), memory()
    model = (ctypes.c_char * 64).in_dll(c, "sd_words_model")
    fixed = memory.in_dll(c, "sd_words_detector")
    kept = (ctypes.c_int16 * (spec.endpoint.ring_frames * spec.endpoint.frame_length))()
    logits, taken = (ctypes.c_int32 * network.n_classes)(), ctypes.c_uint32(7)
    null_pointer, other_model, not_initialised = 1, 3, 6

    def init(*arguments):
        return c.sd_detector_init(*arguments)

    assert init(detector, fixed, recogniser, kept, logits) == not_initialised
    assert c.sd_detector_hear(detector, None, 0, ctypes.byref(taken), event) == not_initialised
    identity, n_bytes = np.frombuffer(model, np.uint32)[[1, 12]].tolist()
    room = np.zeros(n_bytes // 8 + 1, np.uint64)
    assert (
        c.sd_recogniser_init(
            recogniser, model, identity, room.ctypes.data_as(ctypes.c_void_p), n_bytes
        )
        == 0
    )
    whole = [detector, fixed, recogniser, kept, logits]
    for i in range(5):
        assert init(*whole[:i], None, *whole[i + 1 :]) == null_pointer
    other = memory.from_buffer_copy(fixed)
    position = bytes(fixed).index(identity.to_bytes(4, "little"))
    other[position] = bytes([other[position][0] ^ 1])
    assert init(detector, other, recogniser, kept, logits) == other_model
    assert init(*whole) == 0
    assert c.sd_detector_hear(detector, None, 1, ctypes.byref(taken), event) == null_pointer
    assert taken.value == 7  # nothing has changed
    assert c.sd_detector_hear(detector, None, 0, ctypes.byref(taken), event) == 0
    assert taken.value == 0


def test_a_detector_of_another_recogniser_is_refused():
    spec, *_ = small()
    _, other, other_frontend, _ = small("int8")
    with pytest.raises(ValueError, match="a detector of"):
        c_detector.check(spec, other, other_frontend)


def test_a_tone_of_full_scale_and_what_follows(twins):
    """The loudest sound there is leaves no mark: the next word is heard."""
    in_c, spec, recognise, _ = twins
    rng = np.random.default_rng(6)
    square = np.tile([32767.0] * 4 + [-32768.0] * 4, RATE // 2)
    samples = pcm(
        np.concatenate([np.zeros(RATE), square, np.zeros(2 * RATE), tone(rng, 0.3), np.zeros(RATE)])
    )
    in_c.restart()
    events = in_c.hear(samples)
    assert events == Detector(spec, recognise).hear(samples)
    assert events[0].verdict is Verdict.TOO_LONG
    assert events[-1].word >= 0
