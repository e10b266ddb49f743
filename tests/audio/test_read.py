from __future__ import annotations

import io

import librosa
import numpy as np
import pytest
import soundfile

from spoken_digits import audio
from spoken_digits.errors import UserError


def encoded(samples, sample_rate=8000, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, **{"format": "WAV", **options})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"subtype": "PCM_16"}, 1e-4),
        ({"subtype": "PCM_24"}, 1e-6),
        ({"subtype": "FLOAT"}, 1e-7),
        ({"subtype": "PCM_U8"}, 1e-2),
        ({"format": "FLAC"}, 1e-4),
        ({"format": "OGG", "subtype": "VORBIS"}, 0.1),
        ({"format": "OGG", "subtype": "OPUS"}, 0.1),
        ({"format": "MP3"}, 0.1),
        ({"format": "AIFF"}, 1e-4),
        ({"format": "AU"}, 1e-4),
        ({"format": "CAF", "subtype": "ALAC_16"}, 1e-4),
        ({"format": "W64"}, 1e-4),
        ({"format": "RF64"}, 1e-4),
    ],
)
def test_any_format_decodes_to_the_same_waveform(options, tolerance):
    wave = 0.5 * np.sin(np.arange(4000) / 7)
    decoded, audio_format = audio.decode(encoded(wave, 16000, **options), "clip")
    assert decoded.dtype == np.float32
    assert audio_format.sample_rate == 16000
    assert audio_format.note == ""
    np.testing.assert_allclose(decoded, wave, atol=tolerance)


def test_channels_are_averaged():
    left, right = np.full(100, 0.5), np.full(100, -0.25)
    decoded, audio_format = audio.decode(encoded(np.stack([left, right], 1)), "clip")
    assert audio_format.n_channels == 2
    np.testing.assert_allclose(decoded, 0.125, atol=1e-4)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("difference", [0.0, 0.01])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_the_louder_of_cancelling_channels_is_used(subtype, difference, offset):
    wave = 0.5 * np.sin(np.arange(100) / 7)
    channels = np.stack([wave, (difference - 1) * wave], 1) + offset
    decoded, audio_format = audio.decode(encoded(channels, subtype=subtype), "clip")
    np.testing.assert_allclose(decoded, channels[:, 0], atol=1e-4)
    assert audio_format.note == "channels that cancel: only channel 1 is used"


@pytest.mark.parametrize("other", ["same", "silent", "unrelated", "delayed"])
def test_channels_that_do_not_cancel_are_averaged(other):
    generator = np.random.default_rng(0)
    left = generator.normal(0, 0.1, 2000)
    right = {
        "same": left,
        "silent": 0 * left,
        "unrelated": generator.normal(0, 0.1, 2000),
        "delayed": np.roll(left, 5),
    }[other]
    decoded, audio_format = audio.decode(encoded(np.stack([left, right], 1)), "clip")
    assert audio_format.note == ""
    np.testing.assert_allclose(decoded, (left + right) / 2, atol=1e-4)


@pytest.mark.parametrize("form", ["FLAC", "MP3"])
def test_a_truncated_compressed_file_is_refused_or_noted(form):
    content = encoded(np.random.default_rng(0).normal(0, 0.1, 40_000), format=form)
    try:
        _, audio_format = audio.decode(content[: len(content) // 2], "clip")
    except UserError:
        return
    assert "cut short" in audio_format.note


def test_a_file_beyond_any_recording_of_a_word_is_not_loaded(tmp_path):
    with (tmp_path / "film.mp4").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(UserError, match="film.mp4 is too long"):
        audio.read(tmp_path / "film.mp4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not audio at all", "clip.wav cannot be read as audio"),
        (b"", "clip.wav is empty: remove or record it again"),
        (encoded(np.zeros(0)), "clip.wav holds no samples"),
        (encoded(np.zeros(100)), "clip.wav holds only silence"),
        (encoded(np.array([0.1, np.nan, 0.2]), subtype="FLOAT"), "not numbers"),
        (encoded(np.array([0.1, np.inf, 0.2]), subtype="FLOAT"), "not numbers"),
        (encoded(np.array([-32768.0, 0.2]), subtype="FLOAT"), "up to 32768, full scale is 1"),
        ("\ufeffFile type".encode("utf-16-le"), "cannot be read as audio"),
    ],
    # Not the bytes: a float WAV holds its creation time, which differs among workers.
    ids=[
        "no audio",
        "empty file",
        "no samples",
        "silence",
        "nan",
        "infinity",
        "not scaled",
        "text",
    ],
)
def test_unusable_audio_is_refused_by_name(content, message):
    with pytest.raises(UserError, match=message):
        audio.decode(content, "clip.wav")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"nowhere.wav does not exist"):
        audio.read(tmp_path / "nowhere.wav")


@pytest.mark.parametrize(("rate", "target"), [(8000, 16000), (48000, 8000), (44100, 16000)])
def test_resampling_is_that_of_librosa(rate, target):
    wave = np.random.default_rng(0).normal(0, 0.1, 3001).astype(np.float32)
    # Minus its mean, so that a constant offset does not ring at the edges.
    centred = wave - wave.mean()
    expected = librosa.resample(centred, orig_sr=rate, target_sr=target, res_type="soxr_hq")
    expected = expected + wave.mean()
    np.testing.assert_allclose(audio.resample(wave, rate, target), expected, atol=1e-6)


@pytest.mark.parametrize(("rate", "target"), [(8000, 16000), (48000, 8000), (44100, 16000)])
def test_resampling_keeps_an_offset(rate, target):
    wave = np.random.default_rng(0).normal(0, 0.1, 3001).astype(np.float32)
    shifted = audio.resample(wave + np.float32(0.25), rate, target)
    np.testing.assert_allclose(shifted, audio.resample(wave, rate, target) + 0.25, atol=1e-6)


def test_headerless_samples_are_refused_with_the_command_that_says_their_format():
    with pytest.raises(UserError, match=r"ffmpeg -f s16le -ar RATE -i a\.pcm a\.wav"):
        audio.decode(bytes(100), "a.pcm")


def test_wav_round_trip():
    wave = np.array([0.0, 0.5, -0.5, 0.25], np.float32)
    decoded, audio_format = audio.decode(audio.to_wav(wave, 11025), "clip")
    assert audio_format == audio.AudioFormat(
        sample_rate=11025, n_channels=1, subtype="PCM_16", container="WAV"
    )
    np.testing.assert_array_equal(decoded, wave)
