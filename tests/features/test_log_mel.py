from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spoken_digits.config import Config
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.features.spectral import SpectralExtractor

PARAMS = LogMelParams(
    window_length=200,
    n_fft=256,
    hop_length=100,
    n_mels=40,
    fmin=64.0,
    fmax=4000.0,
    floor_db=25.0,
    step_db=0.5,
    n_frames=54,
)
EXTRACTOR = LogMel(PARAMS, 8000)


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def tone(hz: float, n_samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(n_samples) / 8000).astype(np.float32)


def test_it_is_made_of_mel_bands():
    assert isinstance(EXTRACTOR, SpectralExtractor)


def test_a_short_clip_is_centred_in_silence():
    features, n_frames = EXTRACTOR([noise(2100)])  # 20 frames
    heard = np.flatnonzero((features[0] > -PARAMS.floor_db).any(axis=1))
    assert (heard[0], heard[-1]) == (17, 36)
    assert n_frames.tolist() == [54]
    assert features.shape == (1, 54, 40)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 8.0])
def test_level_changes_nothing(gain):
    clip = noise(3000)
    (plain, scaled), _ = EXTRACTOR([clip, gain * clip])
    np.testing.assert_allclose(plain, scaled, atol=PARAMS.step_db)  # a tie may round either way
    assert (plain != scaled).mean() < 0.01


def test_a_constant_offset_changes_nothing():
    (plain, offset), _ = EXTRACTOR([noise(3000), noise(3000) + 0.1])
    np.testing.assert_allclose(plain, offset, atol=PARAMS.step_db)
    assert (plain != offset).mean() < 0.01


@pytest.mark.parametrize("hz", [300.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_its_band(hz):
    features, _ = EXTRACTOR([tone(hz, 4000)])
    band = int(features[0, 27].argmax())
    assert EXTRACTOR.edges_hz[band] < hz < EXTRACTOR.edges_hz[band + 2]


def test_of_a_long_clip_the_loudest_stretch_is_kept():
    word = noise(4000)
    clip = np.concatenate([1e-3 * noise(9000, 1), word, 1e-3 * noise(7000, 2)])
    features, _ = EXTRACTOR([clip])
    loud = (features[0] > -10).mean(axis=1) > 0.5
    assert loud.sum() >= 39  # all frames of the word
    start = EXTRACTOR.first_heard(clip)
    assert start <= 9000
    assert start + EXTRACTOR.heard_samples >= 13000
    assert EXTRACTOR.first_heard(word) == 0


def test_features_are_whole_steps():
    features, _ = EXTRACTOR([noise(3000)])
    np.testing.assert_array_equal(features, np.round(features / 0.5) * 0.5)
    exact, _ = LogMel(dataclasses.replace(PARAMS, step_db=None), 8000)([noise(3000)])
    assert 0 < np.abs(features - exact).max() <= 0.25


def test_silence_is_the_floor():
    features, _ = EXTRACTOR([np.zeros(3000, np.float32), np.zeros(1, np.float32)])
    np.testing.assert_array_equal(features, -PARAMS.floor_db)


def test_a_clip_does_not_depend_on_its_neighbours():
    clips = [noise(n, n) for n in (150, 2000, 6000)]
    together, _ = EXTRACTOR(clips)
    alone = np.concatenate([EXTRACTOR([clip])[0] for clip in clips])
    np.testing.assert_array_equal(together, alone)


def test_description_makes_it_again():
    again = LogMel.from_description(EXTRACTOR.describe(), "a test")
    np.testing.assert_array_equal(EXTRACTOR([noise(3000)])[0], again([noise(3000)])[0])


@pytest.mark.parametrize(
    ("change", "named"), [({"window_length": 300}, "window_length"), ({"fmin": 4000.0}, "fmin")]
)
def test_parameters_that_do_not_fit_are_refused(change, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        dataclasses.replace(PARAMS, **change)


def test_bands_end_at_half_the_sample_rate(default_params):
    features = default_params["features"]
    features["log_mel"]["fmax"] = features["sample_rate"] / 2
    LogMel.from_config(Config(default_params))
    features["log_mel"]["fmax"] += 1
    with pytest.raises(UserError, match=r"`features\.log_mel\.fmax` is 4001, must be at most half"):
        LogMel.from_config(Config(default_params))


def test_length_for_covers_the_clip():
    n_samples = 7321
    n_frames = EXTRACTOR.length_for(n_samples)
    longer = LogMel(dataclasses.replace(PARAMS, n_frames=n_frames), 8000)
    shorter = LogMel(dataclasses.replace(PARAMS, n_frames=n_frames - 1), 8000)
    assert shorter.heard_samples < n_samples <= longer.heard_samples
