"""The sliding window in NumPy: what each window hears, what the mean says, when it keeps quiet."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from detectors import PARAMS, RATE, SILENT, detector_of, noise, pcm, small_sliding, words_in_noise
from frontend_spec import committed_log_mel_spec, committed_spec
from recognisers import make

from spoken_digits.integer.detector.confidence import confidences, probabilities
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.integer.detector.sliding import SlidingDetector, Smoother, Spotter
from spoken_digits.integer.detector.specification import CERTAIN, specify_sliding
from spoken_digits.rejection.labels import NOT_WORDS


@pytest.fixture(scope="module")
def small():
    spec, _, _, recognise = small_sliding(threshold=0.3)
    return spec, recognise


def heard(spec, recognise, samples, sizes=(10**9,)):
    detector, events, done, sizes = SlidingDetector(spec, recognise), [], 0, itertools.cycle(sizes)
    while done < len(samples):
        size = next(sizes)
        events += detector.hear(samples[done : done + size])
        done += size
    return events


# ---- probabilities


def test_probabilities_are_the_softmax_and_the_greatest_is_the_confidence():
    network, _ = make("graph")
    spec = detector_of(network, list("abcde"), temperature=1.7)
    logits = np.random.default_rng(1).integers(-3000, 3000, (400, 5)).astype(np.int32)
    step = network.logit_step / 1.7
    real = np.exp((logits - logits.max(axis=1, keepdims=True)) * step)
    real /= real.sum(axis=1, keepdims=True)
    found = probabilities(logits, spec)
    np.testing.assert_allclose(found / CERTAIN, real, atol=0.004)
    np.testing.assert_array_equal(found.max(axis=1), confidences(logits, spec))
    assert (found.sum(axis=1) <= CERTAIN).all()
    tied = np.array([[7, 7, 7, 7, 7], [2**31 - 1, -(2**31), 0, 0, 2**31 - 1]], np.int32)
    assert probabilities(tied, spec).tolist() == [[2000] * 5, [5000, 0, 0, 0, 5000]]


# ---- the mean over windows


def test_the_mean_is_over_the_last_windows_and_the_first_wins_among_equals(small):
    spec, _ = small
    logits = np.random.default_rng(2).integers(-900, 900, (50, 5)).astype(np.int32)
    words, means = Smoother(spec)(logits)
    chances = probabilities(logits, spec)
    for i in range(50):
        sums = chances[max(0, i - spec.n_smoothed + 1) : i + 1].sum(axis=0)
        assert words[i] == sums.argmax()
        assert means[i] == sums.max() // spec.n_smoothed
    words, _ = Smoother(spec)(np.zeros((4, 5), np.int32))
    assert words.tolist() == [0] * 4


def test_windows_may_come_one_by_one(small):
    spec, _ = small
    logits = np.random.default_rng(3).integers(-900, 900, (30, 5)).astype(np.int32)
    whole = np.array(Smoother(spec)(logits))
    one_by_one = Smoother(spec)
    parts = [one_by_one(logits[i:j]) for i, j in ((0, 1), (1, 1), (1, 2), (2, 9), (9, 30))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_a_word_lies_in_what_all_windows_of_the_mean_heard(small):
    spec, _ = small
    means = np.array([0, spec.threshold - 1, spec.threshold, 0])
    (event,) = Spotter(spec)(np.array([0, 1, 1, 0]), means)
    assert (event.verdict, event.word, event.confidence) == (Verdict.WORD, 1, spec.threshold)
    assert event.start == 2 * spec.step
    assert event.end == spec.window
    assert event.decided == spec.window + 2 * spec.step


def test_no_two_words_overlap_and_the_refractory_time_lies_between(small):
    spec, _ = small
    n = 90
    for refractory in (0, RATE // 5, 2 * RATE):
        patient = dataclasses.replace(spec, refractory=refractory)
        events = Spotter(patient)(np.ones(n, int), np.full(n, CERTAIN))
        gaps = [b.start - a.end for a, b in itertools.pairwise(events)]
        assert len(gaps) > 2
        assert all(refractory <= gap < refractory + spec.step for gap in gaps)


@pytest.mark.parametrize("silent", [SILENT, SILENT - 1])
def test_silence_and_unknown_words_are_never_reported(small, silent):
    spec, _ = small
    assert Spotter(spec)(np.full(9, silent), np.full(9, CERTAIN)) == []


# ---- the whole


def test_every_window_is_heard_once_and_whole(small):
    spec, _ = small
    samples = np.arange(9 * RATE).astype(np.int16)
    clips = []

    def recognise(windows):
        clips.extend(windows)
        return np.zeros((len(windows), 5), np.int32)

    assert heard(spec, recognise, samples, (77, 0, 4001)) == []
    starts = range(0, len(samples) - spec.window + 1, spec.step)
    assert [clip.tolist() for clip in clips] == [
        samples[start : start + spec.window].tolist() for start in starts
    ]


def test_any_block_size_gives_the_same_words_in_bounded_memory(small):
    spec, recognise = small
    samples, _ = words_in_noise(9, 9)
    events = heard(spec, recognise, samples)
    assert len({event.word for event in events}) > 1
    assert heard(spec, recognise, samples, (0, 1, 159, 160, 161)) == events
    assert heard(spec, recognise, samples, (5000,)) == events
    detector = SlidingDetector(spec, recognise)
    for start in range(0, len(samples), 333):
        detector.hear(samples[start : start + 333])
        assert len(detector._kept) < spec.window + spec.step


def test_steps_longer_than_the_window_skip_what_lies_between(small):
    spec, recognise = small
    sparse = dataclasses.replace(spec, step=3 * spec.window, n_smoothed=1, threshold=1)
    samples, _ = words_in_noise(9, 9)
    events = heard(sparse, recognise, samples)
    assert heard(sparse, recognise, samples, (160,)) == events
    assert all(event.start % sparse.step == 0 for event in events)


def test_after_the_settling_time_nothing_more_comes(small):
    spec, recognise = small
    silent = np.array(spec.silent)
    detector = SlidingDetector(dataclasses.replace(spec, threshold=1), recognise)
    detector.hear(words_in_noise(10, 2)[0])
    detector.hear(np.zeros(detector.settling, np.int16))
    (likeliest,) = recognise([np.zeros(spec.window, np.int16)])
    after = detector.hear(np.zeros(9 * spec.window, np.int16))
    assert {event.word for event in after} == {int(likeliest.argmax())} - set(np.nonzero(silent)[0])
    rng = np.random.default_rng(1)
    listener = Detector(detector_of(make("graph")[0], list("abcde")), recognise)
    listener.hear(pcm(np.concatenate([noise(rng, 1), noise(rng, 0.4, 3000)])))
    assert listener.hear(pcm(noise(rng, listener.settling / RATE)))


# ---- what it is for


def make_spec(labels=(*"abc", *NOT_WORDS), frontend=None, **changes):
    return specify_sliding(
        dataclasses.replace(PARAMS.sliding, **changes),
        frontend or committed_log_mel_spec(),
        labels=labels,
        logit_step=0.01,
        temperature=1.0,
        threshold=0.8,
    )


def test_a_window_is_as_long_as_the_word_and_a_step_is_whole_frames():
    spec = make_spec()
    assert (spec.window, spec.step, spec.n_smoothed) == (53 * 100 + 200, 800, 3)
    assert make_spec(step_ms=1.0, smoothed_windows=1).step == 100
    assert make_spec(step_ms=94.0).step == 800
    assert make_spec(refractory_ms=250.0).refractory == 2000


@pytest.mark.parametrize("labels", ["abcde", (*"abcd", NOT_WORDS[0]), (*"abcd", NOT_WORDS[1])])
def test_a_model_that_takes_every_sound_for_a_word_is_refused(labels):
    with pytest.raises(ValueError, match="^the model has no class _"):
        make_spec(labels=labels)


def test_a_model_of_clips_of_any_length_is_refused():
    with pytest.raises(ValueError, match="^the model hears clips of any length"):
        make_spec(frontend=committed_spec())


def test_windows_without_sound_in_common_are_refused():
    with pytest.raises(ValueError, match=r"^`sliding.smoothed_windows` is 8: .* 687.5 ms"):
        make_spec(smoothed_windows=8)
    assert make_spec(smoothed_windows=7).n_smoothed == 7
