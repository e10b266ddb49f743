"""The detector in NumPy: where words begin and end, how sure it is, when it keeps quiet."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from detectors import PARAMS, RATE, SILENT, noise, pcm, small, tone, words_in_noise

from spoken_digits.integer.detector.confidence import confidences
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import (
    Change,
    Endpointer,
    State,
    levels,
    stretches,
)
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.specification import CERTAIN, dbfs, endpoint_spec, specify

SPEC = endpoint_spec(PARAMS, RATE)
FRAME = SPEC.frame_length
LATENCY_MS = 350


def found(samples, params=PARAMS):
    spec = endpoint_spec(params, RATE)
    whole = len(samples) // spec.frame_length * spec.frame_length
    return stretches(Endpointer(spec), levels(samples[:whole], spec.frame_length).tolist())


# ---- levels


def test_a_level_is_the_log_of_the_variance_whatever_the_constant_part():
    rng = np.random.default_rng(0)
    frames = pcm(rng.normal(0, 10 ** rng.uniform(0.5, 3.7, (200, 1)), (200, FRAME)))
    variance = frames.astype(float).var(axis=1) * FRAME**2
    level = levels(frames.ravel(), FRAME)
    np.testing.assert_allclose(level / 256, np.log2(variance), atol=0.005)
    shifted = frames[np.abs(frames).max(axis=1) < 2**14] + np.int16(2**14 - 1)
    np.testing.assert_array_equal(
        levels(shifted.ravel(), FRAME), level[np.abs(frames).max(axis=1) < 2**14]
    )


def test_levels_of_the_extremes():
    full = np.where(np.arange(1024) % 2, -(2**15), 2**15 - 1).astype(np.int16)
    zeros, one = np.zeros(1024, np.int16), np.eye(1, 1024, dtype=np.int16)[0]
    got = levels(np.concatenate([zeros, full, one, np.full(1024, -(2**15), np.int16)]), 1024)
    wide = int((full.astype(object) ** 2).sum() * 1024 - full.astype(object).sum() ** 2)
    assert got.tolist() == [0, round(math.log2(wide) * 256), round(math.log2(1023) * 256), 0]
    assert got.max() < 2**14


# ---- endpoints


def test_words_in_noise_are_found_one_by_one_in_time():
    samples, spans = words_in_noise(1, 24)
    ended = [s for s in found(samples) if s.change is Change.ENDED]
    assert len(ended) == len(spans)
    for stretch, (start, end) in zip(ended, spans, strict=True):
        assert -0.1 * RATE <= stretch.start * FRAME - start <= 0
        assert 0 <= stretch.end * FRAME - end <= 0.1 * RATE
        assert 0 <= stretch.decided * FRAME - end <= LATENCY_MS / 1000 * RATE
        assert stretch.decided - stretch.end == SPEC.hangover - SPEC.post_roll


def test_clicks_and_sounds_that_go_on_are_no_words():
    rng = np.random.default_rng(2)
    quiet = noise(rng, 1.0)
    parts = [quiet, tone(rng, 0.03), quiet, tone(rng, 0.06), quiet, tone(rng, 3.0), quiet]
    got = found(pcm(np.concatenate(parts)))
    assert [stretch.change for stretch in got] == [Change.TOO_SHORT, Change.TOO_LONG]
    after = pcm(np.concatenate([*parts, tone(rng, 0.4), quiet]))
    assert found(after)[-1].change is Change.ENDED


def test_a_pause_within_a_word_does_not_end_it():
    rng = np.random.default_rng(3)
    for pause, n_words in ((0.15, 1), (0.4, 2)):
        parts = [noise(rng, 1), tone(rng, 0.3), noise(rng, pause), tone(rng, 0.2), noise(rng, 1)]
        assert [s.change for s in found(pcm(np.concatenate(parts)))] == [Change.ENDED] * n_words


def test_the_floor_follows_noise_that_grows_and_falls():
    rng = np.random.default_rng(4)
    parts = []
    for rms in (10, 1000, 3, 300):
        parts += [noise(rng, 8, rms), tone(rng, 0.4, 12 * rms), noise(rng, 1, rms)]
    got = found(pcm(np.concatenate(parts)))
    starts = [round(s.start * FRAME / RATE) for s in got if s.change is Change.ENDED]
    assert starts == [8, 17, 27, 36]  # one word in each noise
    assert sum(s.change is not Change.ENDED for s in got) == 2  # where it becomes louder


def test_the_tail_of_a_room_ends_a_word_before_the_noise_does():
    rng = np.random.default_rng(5)
    tail = rng.normal(0, 6000, 2 * RATE) * 10 ** (-3 * np.arange(2 * RATE) / RATE / 0.8)
    samples = pcm(np.concatenate([noise(rng, 1, 1), tone(rng, 0.4, 6000), tail, noise(rng, 1, 1)]))
    (early,) = [s for s in found(samples) if s.change is Change.ENDED]
    patient = dataclasses.replace(PARAMS, drop_db=120.0, longest_ms=3000.0)
    (late,) = [s for s in found(samples, patient) if s.change is Change.ENDED]
    assert early.decided < late.decided - 10


@pytest.mark.parametrize("value", [0, 17, -(2**15), 2**15 - 1])
def test_nothing_is_heard_in_what_never_changes(value):
    assert found(np.full(60 * RATE, value, np.int16)) == []


def test_nothing_is_heard_below_the_quietest_level():
    rng = np.random.default_rng(6)
    whisper = pcm(np.concatenate([np.zeros(RATE), tone(rng, 0.4, 12), np.zeros(RATE)]))
    assert found(whisper) == []  # -69 dBFS
    assert len(found(whisper * np.int16(4))) == 1


def test_an_endpointer_does_not_care_when_it_was_started():
    """After two days: the same decisions, later by exactly as many frames."""
    samples, _ = words_in_noise(7, 6)
    level = levels(samples[: len(samples) // FRAME * FRAME], FRAME).tolist()
    early, late = Endpointer(SPEC), Endpointer(SPEC)
    days = 48 * 3600 * 1000 // PARAMS.frame_ms
    late.n_frames = days
    late.floor = level[0] << 4
    first, second = stretches(early, level), stretches(late, level)
    assert len(first) >= 6
    assert [(s.start - days, s.end - days, s.decided - days) for s in second] == [
        (s.start, s.end, s.decided) for s in first
    ]
    assert late.state is State.WAITING


def test_the_worked_example_of_the_page_on_listening():
    """docs/listening.md, "A worked example"."""
    heard_db = [*[-56] * 50, -44, -31, -28, -25, *[-30] * 7, -38, -40, *[-53] * 3, *[-56] * 8]
    full = dbfs(0.0, FRAME)
    level = [round((db - full) / (10 * math.log10(2)) * 256) for db in heard_db]
    (word,) = stretches(Endpointer(SPEC), level)
    assert (word.change, word.start, word.end, word.decided) == (Change.ENDED, 47, 66, 74)
    level[70] = level[52]
    assert stretches(Endpointer(SPEC), level) == []  # it goes on


# ---- confidence


def test_confidence_is_the_softmax_at_the_temperature():
    rng = np.random.default_rng(8)
    step, temperature = 0.013, 1.7
    spec = dataclasses.replace(
        specify(
            PARAMS,
            RATE,
            labels="abcdefg",
            logit_step=step,
            temperature=temperature,
            threshold=0.5,
        )
    )
    logits = rng.integers(-2000, 2000, (300, 7)).astype(np.int32)
    real = np.exp((logits - logits.max(axis=1, keepdims=True)) * step / temperature)
    np.testing.assert_allclose(
        confidences(logits, spec) / CERTAIN, 1 / real.sum(axis=1), atol=0.004
    )
    extremes = np.array([[-(2**31), 2**31 - 1, *[0] * 5], [5] * 7, [2**31 - 1] * 7], np.int32)
    assert confidences(extremes, spec).tolist() == [CERTAIN, CERTAIN // 7, CERTAIN // 7]


# ---- the whole


def test_any_block_size_gives_the_same_events():
    spec, _, _, recognise = small()
    samples, spans = words_in_noise(9, 12)
    events = Detector(spec, recognise).hear(samples)
    verdicts = {event.verdict for event in events}
    assert verdicts == set(Verdict) - {Verdict.TOO_SOON}
    assert sum(event.word >= 0 for event in events) == len(spans)
    for sizes in ([0, 1, 159, 160, 161], [5000], [333]):
        detector, got, done, i = Detector(spec, recognise), [], 0, 0
        while done < len(samples):
            size = sizes[i % len(sizes)]
            got += detector.hear(samples[done : done + size])
            done, i = done + size, i + 1
            assert len(detector._kept) <= (SPEC.longest + 4 * SPEC.hangover) * FRAME  # bounded
        assert got == events


def test_what_is_never_reported_unsure_or_too_soon():
    samples, _ = words_in_noise(10, 20)
    spec, _, _, recognise = small(threshold=0.0)
    events = Detector(spec, recognise).hear(samples)
    known = [event for event in events if event.word >= 0]
    assert all((e.word == SILENT) == (e.verdict is Verdict.NOT_A_WORD) for e in known)
    assert {e.verdict for e in known} == {Verdict.NOT_A_WORD, Verdict.WORD}
    middle = int(np.median([e.confidence for e in known]))
    strict = Detector(dataclasses.replace(spec, threshold=middle), recognise).hear(samples)
    for event in strict:
        if event.word not in (-1, SILENT):
            assert (event.confidence < middle) == (event.verdict is Verdict.UNSURE)
    patient = Detector(dataclasses.replace(spec, refractory=3 * RATE), recognise).hear(samples)
    words = [event for event in patient if event.verdict is Verdict.WORD]
    assert all(b.start - a.end >= 3 * RATE for a, b in itertools.pairwise(words))
    assert Verdict.TOO_SOON in {event.verdict for event in patient}


# ---- parameters


def test_durations_become_whole_frames():
    for frame_ms, rate in ((10, 8000), (20, 16000)):
        spec = endpoint_spec(dataclasses.replace(PARAMS, frame_ms=frame_ms), rate)
        assert spec.frame_length == frame_ms * rate // 1000
        assert spec.hangover == math.ceil(PARAMS.hangover_ms / frame_ms)
        assert spec.shortest == int(PARAMS.shortest_ms // frame_ms)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"offset_db": 12.0}, "offset_db"),
        ({"post_roll_ms": 400.0}, "post_roll_ms"),
        ({"longest_ms": 90.0}, "longest_ms"),
    ],
)
def test_parameters_that_contradict_each_other(changes, key):
    with pytest.raises(ValueError, match=f"^`{key}`"):
        dataclasses.replace(PARAMS, **changes)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": 1e-9}, "temperature"),
        ({"temperature": 1e9}, "temperature"),
        ({"threshold": 1.01}, "threshold"),
    ],
)
def test_values_that_integers_cannot_hold(changes, key):
    with pytest.raises(ValueError, match=f"^`{key}`"):
        small(**changes)


def test_a_rate_without_whole_frames():
    with pytest.raises(ValueError, match=r"^`frame_ms` is 10: at 11025 Hz that is 110.25 samples"):
        endpoint_spec(dataclasses.replace(PARAMS, frame_ms=10), 11025)
    assert isinstance(PARAMS, DetectorParams)
