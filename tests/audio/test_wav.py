"""WAV headers as left behind by recorders, editors and crashes."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from spoken_digits import audio
from spoken_digits.audio import wav
from spoken_digits.errors import UserError

WAVE = 0.5 * np.sin(np.arange(1000) / 7)
SIZE = 40
"""Position of the size of the samples in `encoded`."""


def encoded(subtype: str = "PCM_16", samples=WAVE, sample_rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def with_size(content: bytes, size: int) -> bytes:
    """`content` with another size of the samples in its header."""
    at = content.index(b"data") + 4
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


def with_list(content: bytes, text: bytes) -> bytes:
    """`content` with a LIST chunk before its samples, not padded."""
    at = content.index(b"data")
    return content[:at] + b"LIST" + struct.pack("<I", len(text)) + text + content[at:]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFF0, 0x7FFFFFFF])
def test_an_unfinished_recording_is_read_to_its_end_with_a_note(subtype, size):
    expected, _ = audio.decode(encoded(subtype), "whole")
    decoded, audio_format = audio.decode(with_size(encoded(subtype), size), "unfinished")
    np.testing.assert_array_equal(decoded, expected)
    assert audio_format.note == wav.UNFINISHED


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_truncated_recording_is_read_to_its_end_with_a_note(subtype):
    expected, _ = audio.decode(encoded(subtype), "whole")
    decoded, audio_format = audio.decode(encoded(subtype)[:1001], "cut")
    assert 0 < decoded.size < expected.size
    np.testing.assert_array_equal(decoded, expected[: decoded.size])
    assert audio_format.note == wav.CUT_SHORT


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_samples_beyond_the_stated_size_are_not_left_out_in_silence(subtype):
    decoded, audio_format = audio.decode(with_size(encoded(subtype), 600), "stale size")
    assert decoded.size == 600 // (2 if subtype == "PCM_16" else 3)
    assert audio_format.note == wav.MORE_FOLLOWS


@pytest.mark.parametrize(
    "rest",
    [
        b"LIST\4\0\0\0INFO",
        b"\0LIST\4\0\0\0INFO",
        bytes(512),
        b"\0",
        b"own \4\0\0\0abcd",
        b"TAGname",
    ],
)
def test_chunks_and_padding_after_the_samples_are_ignored(rest):
    decoded, audio_format = audio.decode(encoded() + rest, "clip")
    assert decoded.size == WAVE.size
    assert audio_format.note == ""


def test_an_empty_recording_before_other_chunks_is_empty():
    content = encoded(samples=WAVE[:0]) + b"LIST\4\0\0\0INFO"
    with pytest.raises(UserError, match="holds no samples"):
        audio.decode(content, "empty")


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("pad", [b"", b"\0", b"x"])
def test_an_odd_chunk_before_the_samples_is_skipped_padded_or_not(subtype, pad):
    content = with_list(encoded(subtype), b"INFOISFT\0")
    at = content.index(b"data")
    decoded, audio_format = audio.decode(content[:at] + pad + content[at:], "odd")
    np.testing.assert_allclose(decoded, WAVE, atol=1e-4)
    assert audio_format.note == ""


def test_chunks_after_an_unpadded_one_are_found():
    content = with_list(with_list(encoded(), b"INFO" + bytes(6)), b"INFOISFT\0")
    decoded, _ = audio.decode(content, "odd, then even")
    assert decoded.size == WAVE.size


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("rate", [0, 1, 999, 768_001, 4_000_000_000])
def test_an_implausible_rate_is_refused(subtype, rate):
    content = bytearray(encoded(subtype))
    content[24:28] = struct.pack("<I", rate)
    # libsndfile itself refuses some of them.
    with pytest.raises(UserError, match=r"sample rate of [\d,]+ Hz|cannot be read as audio"):
        audio.decode(bytes(content), "clip")


@pytest.mark.parametrize("rate", [1_000, 768_000])
def test_rates_at_the_bounds_are_read(rate):
    assert audio.decode(encoded(sample_rate=rate), "clip")[1].sample_rate == rate


@pytest.mark.parametrize("n_channels", [0, 65, 65_535])
def test_an_implausible_number_of_channels_is_refused(n_channels):
    content = bytearray(encoded())
    content[22:24] = struct.pack("<H", n_channels)
    with pytest.raises(UserError, match="channels in its header"):
        audio.decode(bytes(content), "clip")


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_recording_of_hours_is_refused(subtype):
    content = encoded(subtype, np.ones(3_600_001), 1000)
    with pytest.raises(UserError, match="too long"):
        audio.decode(content, "clip")
    with pytest.raises(UserError, match="at most"):
        audio.resample(np.ones(3_600_000, np.float32), 1000, 48_000)


def test_16_bit_samples_are_exact():
    pcm = np.arange(-(2**15), 2**15, dtype=np.int16)
    decoded, _ = audio.decode(encoded(samples=pcm), "all")
    np.testing.assert_array_equal(decoded * 2**15, pcm)
