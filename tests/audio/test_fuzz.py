"""Damaged files of every common format give a plausible waveform or a `UserError`."""

from __future__ import annotations

import io
import resource

import numpy as np
import pytest
import soundfile

from spoken_digits import audio
from spoken_digits.audio.base import MAX_RATE_HZ, MAX_SAMPLES, MIN_RATE_HZ
from spoken_digits.errors import UserError

WAVE = 0.5 * np.sin(np.arange(400) / 7)
STEREO = np.stack([WAVE, 0.5 * WAVE], axis=1)
SIZES = [0, 1, 9, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
HEADER = 80
MEBIBYTE = 2**20


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """`content` cut, or with a few bytes changed, dropped or added, mostly in its header."""
    changed = bytearray(content)
    if generator.random() < 0.2:
        del changed[generator.integers(len(changed) + 1) :]
    for _ in range(generator.integers(1, 5)):
        reach = HEADER if generator.random() < 0.8 else len(changed)
        at = int(generator.integers(min(reach, len(changed)) + 1))
        kind = generator.integers(4)
        if kind == 0:
            changed[at : at + 1] = generator.bytes(1)
        elif kind == 1:
            changed[at : at + 4] = int(generator.choice(SIZES)).to_bytes(4, "little")
        elif kind == 2:
            del changed[at : at + int(generator.integers(1, 9))]
        else:
            changed[at:at] = generator.bytes(int(generator.integers(1, 9)))
    return bytes(changed)


# Python can only print an exception raised in a callback from C.
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("samples", "options", "n_mutations"),
    [
        (WAVE, {"format": "WAV", "subtype": "PCM_16"}, 2000),
        (STEREO, {"format": "WAV", "subtype": "PCM_16"}, 1000),
        (WAVE, {"format": "WAV", "subtype": "PCM_24"}, 500),
        (WAVE, {"format": "WAV", "subtype": "FLOAT"}, 500),
        (WAVE, {"format": "WAV", "subtype": "IMA_ADPCM"}, 200),
        (WAVE, {"format": "WAVEX", "subtype": "PCM_16"}, 200),
        (WAVE, {"format": "RF64", "subtype": "PCM_16"}, 200),
        (WAVE, {"format": "W64", "subtype": "PCM_16"}, 200),
        (WAVE, {"format": "AIFF", "subtype": "PCM_16"}, 200),
        (WAVE, {"format": "AU", "subtype": "PCM_16"}, 200),
        (WAVE, {"format": "CAF", "subtype": "ALAC_16"}, 200),
        (WAVE, {"format": "FLAC", "subtype": "PCM_16"}, 500),
        (WAVE, {"format": "OGG", "subtype": "VORBIS"}, 200),
        (WAVE, {"format": "OGG", "subtype": "OPUS"}, 200),
        (WAVE, {"format": "MP3"}, 200),
        (WAVE, {"format": "SDS", "subtype": "PCM_16"}, 200),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_a_damaged_file_gives_a_plausible_waveform_or_one_line(samples, options, n_mutations):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 8000, **options)
    generator = np.random.default_rng(10)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(n_mutations):
        content = mutated(buffer.getvalue(), generator)
        try:
            waveform, audio_format = audio.decode(content, "clip")
        except UserError:
            continue
        assert np.isfinite(waveform).all()
        assert 0 < waveform.size <= MAX_SAMPLES
        assert MIN_RATE_HZ <= audio_format.sample_rate <= MAX_RATE_HZ
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kib
    assert grown_kib * 1024 < 200 * MEBIBYTE
