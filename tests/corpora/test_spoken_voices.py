"""Synthesised voices: each says every word once, whoever else speaks."""

from __future__ import annotations

import dataclasses
import itertools
import random

import japanese_voices
import numpy as np
import pytest
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.corpora import spoken_voices
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.corpora.spoken_voices import draw_speakers, open_spoken_voices
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError
from spoken_digits.synthesis import accents, kokoro

WORDS = ["6", "1", "yes"]
RATE = 8000
PARAMS = SpokenVoicesParams(blends=1, seed=3)
NAMES = ("jf_alpha", "jm_kumo")


@pytest.fixture(scope="module")
def synthesiser() -> kokoro.Synthesiser:
    return kokoro.Synthesiser()


@pytest.fixture(scope="module")
def styles() -> dict[str, kokoro.Style]:
    """Two of the voices that are installed with the network."""
    return japanese_voices.styles(*NAMES)


@pytest.fixture(scope="module")
def clips(synthesiser, styles) -> list[Clip]:
    """Two voices and one between them."""
    return list(open_spoken_voices(synthesiser, styles, WORDS, RATE, PARAMS, workers=2).clips)


def waveform(clip: Clip) -> NDArray[np.float64]:
    samples, found = audio.decode(clip.wav, clip.path)
    assert found.sample_rate == RATE
    return samples.astype(np.float64)


def hiss(samples: NDArray[np.float64]) -> float:
    """Share of the energy above 2.5 kHz in the 40 ms where it is largest."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 320)[::80]
    power = np.abs(np.fft.rfft(frames * np.hanning(320))) ** 2
    return float((power[:, 100:].sum(axis=1) / power.sum(axis=1)).max())


def test_every_speaker_says_every_word_once_and_long_enough(clips):
    assert [(clip.speaker, clip.label) for clip in clips] == [
        (speaker, word) for speaker in ("kv0001", "kv0002", "kv0003") for word in sorted(WORDS)
    ]
    assert [clip.path for clip in clips] == sorted(clip.path for clip in clips)
    for clip in clips:
        samples = waveform(clip)
        assert spoken_voices.SHORTEST_S <= len(samples) / RATE < 1.5
        assert np.max(np.abs(samples)) == pytest.approx(0.6, abs=0.001)


def test_words_are_whole_and_hold_nothing_of_their_neighbours(clips):
    """An s is heard at both ends of "six" and at the end of "yes", and none in "one"."""
    for clip in clips:
        samples = waveform(clip)
        beginning, end = np.array_split(samples, 2)
        hissing = {"6": (True, True), "yes": (False, True), "1": (False, False)}[clip.label]
        assert (hiss(beginning) > 0.25, hiss(end) > 0.25) == hissing, clip.utterance


def test_words_are_parted_at_the_quietest_place_between_them():
    power = np.ones(20_000)
    power[[2_000, 9_000, 12_000]] = 0.1, 0.5, 0.2
    bounds = np.array([3_000, 6_000, 8_000, 10_800, 11_400, 14_000])
    assert spoken_voices._edges(power, bounds, [(0, 2), (3, 5)]) == [2_000, 9_000, 17_600]
    power[10_000:10_300] = 0
    assert spoken_voices._edges(power, bounds, [(0, 2), (3, 5)])[1] == 10_000
    # Nothing lies between: the second word begins where the first has ended.
    assert spoken_voices._edges(power, bounds, [(0, 3), (3, 5)])[1] == 10_200


def test_quiet_is_cut_off_and_silence_is_no_word():
    word = np.concatenate([np.zeros(5_000), np.ones(2_000), np.zeros(5_000)])
    trimmed = spoken_voices._trimmed(word, word**2)
    assert trimmed.sum() > 1_700
    assert len(trimmed) == 2_000 + 2 * 300 - 1
    assert len(spoken_voices._trimmed(np.zeros(500), np.zeros(500))) == 0


def test_a_speaker_depends_on_nobody_else(synthesiser, styles, clips):
    alone = dataclasses.replace(PARAMS, blends=0)
    again = open_spoken_voices(synthesiser, styles, WORDS, RATE, alone, workers=1)
    assert list(again.clips) == [clip for clip in clips if clip.speaker != "kv0003"]


def test_the_corpus_says_that_it_is_synthetic_and_who_speaks(synthesiser, styles):
    corpus = open_spoken_voices(synthesiser, styles, WORDS, RATE, PARAMS)
    assert (corpus.synthetic, corpus.role, corpus.n_clips) == (True, "train", 9)
    assert "Apache-2.0" in corpus.licence
    voices = {name: about["speaker_voice"] for name, about in corpus.speakers.items()}
    assert voices["kv0001"] == "jf_alpha"
    assert sorted(voices["kv0003"].split("+")) == sorted(NAMES)


def test_as_a_corpus_it_has_the_words_and_no_more_clips_than_wanted(styles, monkeypatch, tmp_path):
    monkeypatch.setattr(kokoro, "read_styles", lambda root: styles)
    corpus = spoken_voices.open_spoken(tmp_path, ["yes", "6"], PARAMS, limit=5)
    clips = list(corpus.clips)
    # Whole speakers, with the words alone and none of those said among them.
    assert [clip.path for clip in clips] == [
        f"kv000{speaker}_{word}.wav" for speaker in (1, 2) for word in ("6", "yes")
    ]
    assert (corpus.name, corpus.role, corpus.n_clips) == ("spoken", None, 4)
    assert corpus.synthetic
    assert list(corpus.speakers) == ["kv0001", "kv0002"]
    for clip in clips:
        assert audio.decode(clip.wav, clip.path)[1].sample_rate == spoken_voices.SAMPLE_RATE
    monkeypatch.setattr(kokoro, "read_styles", lambda root: None)
    with pytest.raises(UserError, match="is not in reach"):
        spoken_voices.open_spoken(tmp_path, ["yes", "6"], PARAMS, limit=None)


def test_few_words_are_said_among_others():
    rng = random.Random(0)
    filled = spoken_voices._filled(["yes", "river"], rng, {"yes", "river", "no"})
    assert len(filled) == spoken_voices.FEWEST_WORDS == len(set(filled))
    assert {"yes", "river"} < set(filled)
    many = [f"w{number}" for number in range(10)]
    assert spoken_voices._filled(many, rng, set(many)) == many


def test_a_word_that_is_no_english_is_refused(synthesiser, styles):
    with pytest.raises(UserError, match="the word '日本' cannot be synthesised"):
        open_spoken_voices(synthesiser, styles, ["日本"], RATE, PARAMS)


def test_words_are_shared_out_evenly_and_an_utterance_is_never_too_long():
    words = [f"w{number:02}" for number in range(11)]
    parts = spoken_voices._utterances(words, dict.fromkeys(words, "sˈɛvən"))
    assert list(itertools.chain(*parts)) == words
    assert sorted(map(len, parts)) == [5, 6]
    parts = spoken_voices._utterances(words[:10], dict.fromkeys(words, "ə" * 200))
    assert list(itertools.chain(*parts)) == words[:10]
    assert max(map(len, parts)) == 2
    with pytest.raises(UserError, match=r"'w00' is too long to be synthesised: 401 phonemes"):
        spoken_voices._utterances(words[:1], {"w00": "ə" * 401})


def test_speakers_differ_and_most_of_the_others_have_an_accent():
    names = [f"{language}f_{i:02}" for language in "az" for i in range(100)]
    speakers = draw_speakers(names, SpokenVoicesParams(blends=20, seed=0))
    assert len({(s.shares, s.accent, s.speed) for s in speakers}) == 220
    accented = [speaker.accent != accents.NATIVE for speaker in speakers]
    assert 30 < sum(accented[:100]) < 70 < sum(accented[100:200]) < 90
    assert all(len(speaker.shares) == 2 for speaker in speakers[200:])
    assert {speaker.english for speaker in speakers} == {"en-us", "en-gb-x-rp"}
    other = draw_speakers(names, SpokenVoicesParams(blends=20, seed=1))
    assert [s.speed for s in other] != [s.speed for s in speakers]
