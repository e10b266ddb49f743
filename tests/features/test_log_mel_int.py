from __future__ import annotations

import numpy as np
import pytest

from spoken_digits.audio.pcm import to_pcm
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel_int import LogMelInt, spec_from
from spoken_digits.features.registry import extractor_from, make_extractor
from spoken_digits.features.spectral import SpectralExtractor
from spoken_digits.integer.frontend import log_mel


@pytest.fixture
def extractor(default_params) -> LogMelInt:
    found = make_extractor("log_mel_int", default_params)
    assert isinstance(found, LogMelInt)
    return found


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def test_features_are_those_of_the_front_end(extractor):
    clips = [noise(n, n) for n in (100, 2500, 9000)]
    features, n_frames = extractor(clips)
    expected, counts = log_mel.extract([to_pcm(clip) for clip in clips], extractor.spec)
    assert features.dtype == extractor.dtype == np.int8
    assert features.shape == (3, *extractor.shape)
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(n_frames, counts)


def test_features_are_counts_of_the_float_ones_step(extractor, default_params):
    clips = [noise(n, n) for n in (2500, 9000)]
    expected, _ = make_extractor("log_mel", default_params)(clips)
    off = np.abs(extractor(clips)[0] * 0.5 - expected)
    assert off.max() <= 0.5
    assert (off > 0).mean() < 0.03


def test_the_word_is_heard_where_the_float_kind_hears_it(extractor, default_params):
    clip = np.concatenate([1e-3 * noise(9000, 1), noise(4000), 1e-3 * noise(7000, 2)])
    float_kind = make_extractor("log_mel", default_params)
    assert extractor.first_heard(clip) == float_kind.first_heard(clip)
    assert extractor.first_heard(noise(4000)) == 0


def test_float_bands_finish_as_whole_counts_in_the_range_of_int8(extractor):
    assert isinstance(extractor, SpectralExtractor)
    power = np.random.default_rng(0).exponential(1, (2, *extractor.shape)).astype(np.float32)
    power[0, 0, 0] = 1e12  # alone above the mean
    heard = np.ones(power.shape[:2], bool)
    features = extractor.finish(power, heard, heard)
    np.testing.assert_array_equal(features, np.round(features))
    assert features.min() == -50
    assert 60 < features.max() <= 127


def test_params_and_description_make_the_same_extractor(extractor):
    again = extractor_from(extractor.describe())
    assert isinstance(again, LogMelInt)
    assert again.spec == extractor.spec == spec_from(extractor.describe())
    assert again.describe() == extractor.describe()
    assert extractor.length_for(extractor.heard_samples) == extractor.spec.n_frames


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_fft": 512}, "`features.log_mel.n_fft` is 512, must be 256"),
        ({"window_length": 202}, "`features.log_mel.window_length` is 202, must be a multiple"),
        ({"step_db": None}, "`features.log_mel.step_db` is null, must be a number above 0"),
        ({"n_mels": "x"}, "`features.log_mel.n_mels` is 'x', must be a whole number"),
    ],
)
def test_what_integers_cannot_hold_is_refused_with_its_key(change, said, default_params):
    default_params["features"]["log_mel"] |= change
    with pytest.raises(UserError) as refused:
        make_extractor("log_mel_int", default_params)
    assert said in str(refused.value)
