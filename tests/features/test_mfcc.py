from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.fft
import torch
import torchaudio

from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.registry import extractor_from

PARAMS = MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36)
RATE = 8000


def speech_like(duration_s: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(int(duration_s * RATE)) / RATE
    tones = sum(rng.uniform(0.1, 1) * np.sin(2 * np.pi * f * t) for f in (150, 480, 1700, 2600))
    return (0.2 * tones * np.exp(-((t - duration_s / 2) ** 2) / 0.02)).astype(
        np.float32
    ) + rng.normal(0, 1e-3, t.size).astype(np.float32)


def torchaudio_mfcc(wave: np.ndarray) -> np.ndarray:
    mel = {"n_fft": 400, "hop_length": 160, "n_mels": 40}
    transform = torchaudio.transforms.MFCC(RATE, 13, melkwargs=mel)
    centred = wave - wave.mean()
    return transform(torch.from_numpy(centred / np.abs(centred).max())).numpy().T


@pytest.mark.parametrize("duration_s", [0.14, 0.44, 0.719, 0.72, 1.3])
def test_equals_torchaudio(duration_s):
    wave = speech_like(duration_s)
    expected = torchaudio_mfcc(wave)[:36]
    features, n_frames = Mfcc(PARAMS, RATE)([wave])
    assert n_frames[0] == len(expected) == min(36, 1 + wave.size // 160)
    np.testing.assert_allclose(features[0, : len(expected)], expected, atol=2e-3)
    assert not features[0, len(expected) :].any()


def test_a_clip_does_not_depend_on_its_neighbours():
    quiet, loud = 1e-3 * speech_like(0.4, 1), speech_like(0.6, 2)
    alone, _ = Mfcc(PARAMS, RATE)([quiet])
    together, _ = Mfcc(PARAMS, RATE)([loud, quiet])
    np.testing.assert_array_equal(together[1], alone[0])


@pytest.mark.parametrize("offset", [0.02, -0.1])
def test_an_offset_of_a_clip_does_not_matter(offset):
    wave = speech_like(0.5)
    plain, _ = Mfcc(PARAMS, RATE)([wave])
    shifted, _ = Mfcc(PARAMS, RATE)([wave + np.float32(offset)])
    np.testing.assert_allclose(shifted, plain, atol=5e-3)


def test_a_constant_offset_is_silence():
    silent, _ = Mfcc(PARAMS, RATE)([np.zeros(4001, np.float32)])
    constant, _ = Mfcc(PARAMS, RATE)([np.full(4001, 0.1, np.float32)])
    np.testing.assert_array_equal(constant, silent)


@pytest.mark.parametrize("n_samples", [1, 200, 201, 5800, 5801, 9000])
def test_length_for_is_the_fewest_frames_that_cover_a_clip(n_samples):
    n_frames = Mfcc(PARAMS, RATE).length_for(n_samples)
    assert heard(n_frames) >= n_samples
    assert n_frames == 1 or heard(n_frames - 1) < n_samples


def test_a_frame_uses_no_sample_after_the_heard_ones():
    wave = 0.01 * speech_like(1.2)
    extractor = Mfcc(PARAMS, RATE)
    assert extractor.heard_samples == 35 * 160 + 200

    def with_click(position: int) -> np.ndarray:
        changed = wave.copy()
        changed[[100, 300]] = 0.9, -0.9  # the peak, and so the level, stays
        changed[[position, position + 1000]] += np.array([0.5, -0.5], np.float32)
        return extractor([changed])[0]

    after = with_click(extractor.heard_samples + 1)
    np.testing.assert_allclose(with_click(extractor.heard_samples + 50), after, atol=5e-3)
    assert np.abs(with_click(extractor.heard_samples - 20) - after).max() > 0.5


def heard(n_frames: int) -> int:
    return Mfcc(dataclasses.replace(PARAMS, n_frames=n_frames), RATE).heard_samples


def test_the_level_of_a_clip_does_not_matter():
    wave = speech_like(0.5)
    features, _ = Mfcc(PARAMS, RATE)([wave, wave / 64])
    np.testing.assert_allclose(features[0], features[1], atol=1e-5)


@pytest.mark.parametrize("frequency_hz", [300.0, 1000.0, 2500.0])
def test_a_pure_tone_lands_in_its_mel_band(frequency_hz):
    # All 40 coefficients undo to the 40 bands: the largest must be the tone's.
    every = Mfcc(dataclasses.replace(PARAMS, n_mfcc=40), RATE)
    t = np.arange(4000) / RATE
    features, _ = every([np.sin(2 * np.pi * frequency_hz * t).astype(np.float32)])
    bands = scipy.fft.idct(features[0, 10], norm="ortho")
    weights = torchaudio.functional.melscale_fbanks(201, 0.0, 4000.0, 40, RATE).numpy()
    assert bands.argmax() == weights[round(frequency_hz / 20)].argmax()


def test_silence_is_flat():
    features, n_frames = Mfcc(PARAMS, RATE)([np.zeros(1600, np.float32)])
    assert n_frames[0] == 11
    floor = -100.0 * np.sqrt(40)  # every band at 10 log10(1e-10)
    np.testing.assert_allclose(features[0, :11, 0], floor, rtol=1e-5)
    np.testing.assert_allclose(features[0, :11, 1:], 0, atol=1e-3)


def test_a_click_shows_at_its_time():
    wave = np.zeros(3200, np.float32)
    wave[1600] = 1.0
    features, _ = Mfcc(PARAMS, RATE)([wave])
    assert features[0, :21, 0].argmax() == 10
    heard = features[0, :21, 0] > features[0, 0, 0] + 1
    assert set(np.flatnonzero(heard)) <= {9, 10, 11}


@pytest.mark.parametrize("n_samples", [1, 159, 160, 200, 201])
def test_the_shortest_clips_have_frames(n_samples):
    wave = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    features, n_frames = Mfcc(PARAMS, RATE)([wave])
    assert n_frames[0] >= 1
    assert np.isfinite(features).all()


def test_an_extractor_is_restored_from_its_description():
    extractor = Mfcc(PARAMS, RATE)
    again = extractor_from(extractor.describe())
    wave = speech_like(0.4)
    np.testing.assert_array_equal(again([wave])[0], extractor([wave])[0])
