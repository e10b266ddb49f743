from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from spoken_digits import audio
from spoken_digits.errors import UserError
from spoken_digits.features.mfcc_int import MfccInt, spec_from, to_pcm
from spoken_digits.features.registry import extractor_from, make_extractor
from spoken_digits.integer.frontend import frontend
from spoken_digits.integer.frontend.specification import FrontendSpec


def test_every_16_bit_sample_is_taken_exactly():
    pcm = np.arange(-32768, 32768).astype(np.int16)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    decoded, _ = audio.decode(buffer.getvalue(), "all")
    np.testing.assert_array_equal(to_pcm(decoded), pcm)


def test_features_are_those_of_the_front_end():
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, n).astype(np.float32) for n in (500, 4000)]
    features, n_frames = MfccInt(FrontendSpec())(clips)
    expected, counts = frontend.extract([to_pcm(clip) for clip in clips], FrontendSpec())
    assert features.dtype == np.int8
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(n_frames, counts)


def test_too_loud_is_clipped_not_wrapped():
    assert to_pcm(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def test_an_extractor_is_made_again_from_its_description():
    extractor = MfccInt(FrontendSpec(floor_lsb=7.0))
    assert spec_from(extractor.describe()) == extractor.spec
    assert isinstance(extractor_from(extractor.describe()), MfccInt)


def test_the_committed_parameters_are_the_specification_of_the_c_tables(default_params):
    committed = make_extractor("mfcc_int", default_params).spec
    assert committed == FrontendSpec()


def test_a_specification_that_cannot_be_is_refused_with_its_key(default_params):
    default_params["features"]["mfcc_int"]["n_mels"] = 41
    with pytest.raises(UserError, match=r"`features.mfcc_int.n_mels` must be even"):
        make_extractor("mfcc_int", default_params)
