from __future__ import annotations

import io
import re
import wave

import numpy as np
import pytest
from frontend_spec import committed_spec

from spoken_digits import audio
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.errors import UserError
from spoken_digits.features.mfcc_int import MfccInt, spec_from
from spoken_digits.features.registry import extractor_from, make_extractor
from spoken_digits.integer.frontend import frontend


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
    features, n_frames = MfccInt(committed_spec())(clips)
    expected, counts = frontend.extract([to_pcm(clip) for clip in clips], committed_spec())
    assert features.dtype == np.int8
    np.testing.assert_array_equal(features, expected)
    np.testing.assert_array_equal(n_frames, counts)


def test_too_loud_is_clipped_not_wrapped():
    assert to_pcm(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def test_an_extractor_is_restored_from_its_description():
    extractor = MfccInt(committed_spec(floor_lsb=7.0))
    assert spec_from(extractor.describe()) == extractor.spec
    assert isinstance(extractor_from(extractor.describe()), MfccInt)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gains": [79]}, "unknown key `features.gains`"),
        ({"lifter": None}, "`features.lifter` is missing, it must be a whole number"),
        ({"hop_length": "160"}, "`features.hop_length` is '160', must be a whole number"),
        ({"n_frames": True}, "`features.n_frames` is true, must be a whole number"),
        ({"n_mels": 32.0}, "`features.n_mels` is 32.0, must be a whole number"),
        ({"floor_lsb": float("nan")}, "`features.floor_lsb` is nan, must be a number from 0.001"),
        ({"n_mels": 31}, "`features.n_mels` is 31, must be even"),
    ],
)
def test_a_description_by_another_version_is_refused_in_one_line(change, said):
    description = {**MfccInt(committed_spec()).describe(), **change}
    without_none = {key: value for key, value in description.items() if value is not None}
    with pytest.raises(UserError, match=re.escape(said)) as refused:
        extractor_from(without_none)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("offset", [0.02, 0.05, 0.1, -0.1])
def test_a_dc_offset_of_the_waveform_changes_no_more_than_its_rounding(offset):
    """An offset of whole steps changes no bit; another one rounds the samples anew."""
    rng = np.random.default_rng(0)
    clip = np.convolve(rng.normal(size=5000), 0.9 ** np.arange(60), mode="same")
    clip *= 0.8 / np.abs(clip).max()
    whole = np.round(offset * 32768) / 32768
    waveforms = [np.round(clip * 32768) / 32768, np.round(clip * 32768) / 32768 + whole]
    waveforms.append(clip + offset)
    (clean, moved, rounded), _ = MfccInt(committed_spec())(waveforms)
    np.testing.assert_array_equal(clean, moved)
    assert np.abs(clean.astype(int) - rounded).max() <= 2


def test_a_specification_that_cannot_be_is_refused_with_its_key(default_params):
    default_params["features"]["mfcc_int"]["n_mels"] = 31
    with pytest.raises(UserError, match=r"`features.mfcc_int.n_mels` is 31, must be even"):
        make_extractor("mfcc_int", default_params)
