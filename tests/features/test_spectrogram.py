from __future__ import annotations

import librosa
import numpy as np
import pytest

from spoken_digits import audio
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams

PARAMS = SpectrogramParams(sample_rate=16000, n_samples=16000, n_fft=2048, hop_length=512)
HALF_STEP = 2.0**-11  # float16 near 1


@pytest.mark.parametrize("n_samples", [500, 7000, 16000, 30000])
def test_equals_librosa(n_samples):
    rng = np.random.default_rng(0)
    wave = (rng.normal(0, 0.1, n_samples) * np.hanning(n_samples)).astype(np.float32)
    fixed = librosa.util.fix_length(wave - wave.mean(), size=16000)
    stft = librosa.stft(fixed, n_fft=2048, hop_length=512)
    decibels = librosa.amplitude_to_db(np.abs(stft), ref=np.max)
    features, n_frames = Spectrogram(PARAMS)([wave])
    assert features.shape == (1, 32, 1025)
    assert n_frames[0] == min(32, 1 + n_samples // 512)
    np.testing.assert_allclose(features[0].T, (decibels + 80) / 80, atol=2 * HALF_STEP)


@pytest.mark.parametrize("frequency_hz", [440.0, 1000.0, 5000.0])
def test_a_pure_tone_lands_in_its_bin(frequency_hz):
    t = np.arange(16000) / 16000
    features, _ = Spectrogram(PARAMS)([np.sin(2 * np.pi * frequency_hz * t).astype(np.float32)])
    middle = features[0, 10:20].astype(np.float32)
    assert set(middle.argmax(axis=1)) == {round(frequency_hz * 2048 / 16000)}
    far = np.abs(np.arange(1025) * 16000 / 2048 - frequency_hz) > 200
    assert middle[:, far].max() < 0.35  # 50 dB down


def test_silence_has_no_peak():
    features, _ = Spectrogram(PARAMS)([np.zeros(16000, np.float32)])
    assert np.unique(features).size == 1


def test_a_click_is_one_column_of_all_frequencies():
    wave = np.zeros(16000, np.float32)
    wave[[5120, 13312]] = 1.0, -1.0  # two, so that the mean is 0
    features, _ = Spectrogram(PARAMS)([wave])
    assert (features[0, 10] == 1).all()  # frame 10 is centred on the click
    assert not features[0, 14:22].any()


@pytest.mark.parametrize("offset", [0.05, -0.1])
def test_an_offset_of_a_clip_does_not_matter_at_its_own_rate_or_another(offset):
    rng = np.random.default_rng(0)
    wave = (rng.normal(0, 0.1, 4000) * np.hanning(4000)).astype(np.float32)
    for rate in (8000, 16000):
        clips = [audio.resample(w, rate, 16000) for w in (wave, wave + np.float32(offset))]
        features, _ = Spectrogram(PARAMS)(clips)
        np.testing.assert_allclose(features[0], features[1], atol=2 * HALF_STEP)


def test_a_clip_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(0)
    quiet, loud = (rng.normal(0, s, n).astype(np.float32) for s, n in ((1e-3, 5000), (0.3, 20000)))
    alone, _ = Spectrogram(PARAMS)([quiet])
    together, _ = Spectrogram(PARAMS)([loud, quiet])
    np.testing.assert_array_equal(together[1], alone[0])


def test_values_lie_between_nothing_and_one():
    wave = np.random.default_rng(1).normal(0, 0.2, 9000).astype(np.float32)
    features, _ = Spectrogram(PARAMS)([wave, wave / 8])
    assert features.min() == 0
    assert features.max() == 1
    np.testing.assert_allclose(features[0], features[1], atol=2 * HALF_STEP)  # level is taken out
