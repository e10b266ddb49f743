"""Clips that are none of the words: what they are made of, and of what they are not."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from spoken_digits import audio
from spoken_digits.corpora.speech_commands.silence import PARTS
from spoken_digits.data.clips import Clip
from spoken_digits.rejection import making, non_words, spoken
from spoken_digits.rejection.labels import SILENCE, UNKNOWN
from spoken_digits.rejection.noises import LEVEL_DBFS, NOISES, noise
from spoken_digits.rejection.params import RejectionParams, RepeatParams

RATE = 8000
PARAMS = RejectionParams(
    silence=14,
    reversed=3,
    scrambled=3,
    overlapped=3,
    babble=2,
    spoken=0,
    repeat_real=4,
    models={},
    repeat=RepeatParams(models=(), seeds=()),
)


def words_of(seed: int, n: int = 6) -> making.Words:
    rng = np.random.default_rng(seed)
    return making.Words(
        waveforms=[
            (np.round(3000 * rng.standard_normal(3200 + 100 * i)) / 32768).astype(np.float32)
            for i in range(n)
        ],
        labels=np.array([str(i % 3) for i in range(n)]),
        speakers=np.array([f"speaker{i % 2}" for i in range(n)]),
        sample_rate=RATE,
    )


def made(subset: str = "train", seed: int = 1, words: int = 1, **options) -> list[Clip]:
    noises = options.get("noises", [])
    return list(making.clips(PARAMS, subset, words_of(words), noises, ["0", "1"], seed))


def samples(clip: Clip) -> np.ndarray:
    return audio.decode(clip.wav, clip.path)[0]


def by_kind(clips: list[Clip], kind: str) -> list[Clip]:
    return [clip for clip in clips if making.kind_of(clip.utterance) == kind]


def test_there_are_as_many_of_each_kind_as_asked_for_in_its_class():
    clips = made()
    kinds = Counter((making.kind_of(clip.utterance), clip.label) for clip in clips)
    asked = {(kind, UNKNOWN): n for kind, n in PARAMS.made().items() if n}
    noises = {(kind, SILENCE): 2 for kind in NOISES}
    assert sum(kinds.values()) == 11 + 14
    assert {key: kinds[key] for key in asked} == asked
    assert all(kinds[key] in (2, 3) for key in noises)
    assert [clip.path for clip in clips] == sorted(clip.path for clip in clips)


def test_a_clip_is_decided_by_seed_kind_subset_and_number():
    first = made()
    assert made() == first
    noises = {clip.wav for clip in first if clip.label == SILENCE}
    for others in (made(seed=2), made(subset="val")):
        assert noises.isdisjoint(clip.wav for clip in others)
    fewer = dataclasses.replace(PARAMS, silence=3, reversed=1)
    some = making.clips(fewer, "train", words_of(1), [], ["0"], 1)
    assert all(clip.wav in {one.wav for one in first} for clip in some)


def test_non_words_are_made_of_the_clips_given_and_of_no_others():
    given = [word - word.mean() for word in words_of(1).waveforms]
    for clip in by_kind(made(), "reversed"):
        backwards = samples(clip)[::-1]
        same = [word for word in given if word.size == backwards.size]
        assert min(np.abs(word - backwards).max() for word in same) <= 1 / 32768
    assert {clip.speaker for clip in by_kind(made(), "babble")} <= {"speaker0", "speaker1"}


@pytest.mark.parametrize("seed", range(10))
def test_scrambled_pieces_neither_stay_nor_follow_their_own(seed):
    word = np.arange(1.0, 4001.0)
    found = non_words.scrambled(word, RATE, np.random.default_rng(seed))
    assert len(found) == len(word)
    untouched = np.diff(found) == 1.0  # both samples in one piece, and not faded
    assert untouched.mean() > 0.9
    starts = np.flatnonzero(untouched & ~np.roll(untouched, 1))
    assert 4 <= len(starts) <= 6
    assert np.mean(found == word) < 0.02  # no piece is where it was
    ends = np.flatnonzero(untouched & ~np.roll(untouched, -1)) + 1
    gaps = found[starts[1:]] - found[ends[:-1]]
    assert (np.abs(gaps - 65) > 100).all()  # 64 faded samples between pieces that were neighbours


def test_a_word_too_short_to_cut_comes_backwards():
    short = np.arange(1.0, 900.0)
    scrambled = non_words.scrambled(short, RATE, np.random.default_rng(1))
    np.testing.assert_array_equal(scrambled, short[::-1])


@pytest.mark.parametrize("kind", NOISES)
def test_noises_have_a_level_between_the_bounds_and_are_never_silent(kind):
    for seed in range(5):
        samples = noise(kind, 4000, RATE, np.random.default_rng(seed))
        level = 10 * np.log10(np.mean(samples**2))
        low, high = (-100.0, -78.0) if kind == "quiet" else LEVEL_DBFS
        assert low - 0.01 <= level <= high + 0.01


def test_a_clip_of_nothing_is_no_digital_silence():
    assert all(samples(clip).any() for clip in by_kind(made(), "quiet"))


def test_recordings_of_noise_are_cut_from_the_part_of_the_subset():
    level = {"train": 0.5, "val": 0.0, "test": -0.5}
    n = 20 * RATE
    recording = np.concatenate(
        [np.full(round((end - start) * n), level[subset]) for subset, (start, end) in PARTS.items()]
    )
    recording += 0.1 * np.sin(np.arange(n))
    for subset, mean in level.items():
        clips = by_kind(made(subset, noises=[recording]), making.RECORDED)
        assert len(clips) == 2
        for clip in clips:
            low, high = samples(clip).min(), samples(clip).max()
            assert (low > 0) == (mean > 0)
            assert (high < 0) == (mean < 0)


def test_subsets_say_other_words_none_of_which_is_a_digit_or_tested_on():
    words = {subset: set(spoken.words_of(subset, [])) for subset in ("train", "val", "test")}
    assert all(len(found) > 40 for found in words.values())
    assert not words["train"] & words["val"] | words["train"] & words["test"]
    assert not words["val"] & words["test"]
    real = "bed bird cat dog down go happy house left marvin no off on right sheila stop tree up"
    digits = "zero one two three four five six seven eight nine oh for to too won ate"
    tested = {*real.split(), "wow", "yes", *digits.split()}
    assert not set().union(*words.values()) & tested
    assert "water" in set().union(*words.values())
    for subset in words:
        assert "water" not in spoken.words_of(subset, ["Water"])
