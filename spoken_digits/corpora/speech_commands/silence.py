"""Class `_silence_`: seconds cut from the recordings of background noise.

The published sampler (TensorFlow's `speech_commands/input_data.py`) scales a random second of
noise by a random volume, anew in every step. Here the cuts are drawn once, by hashes, so that
every machine gets the same bytes, and no sample of noise is in two subsets: each recording is
divided in time.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.errors import UserError

SAMPLE_RATE = 16000
N_SAMPLES = SAMPLE_RATE
PARTS = {"train": (0.0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}
"""Part of every recording of noise that each subset is cut from, as fractions of its length."""
_ATTEMPTS = 100


def cut(noise: bytes, name: str, subset: str, number: int) -> bytes:
    """One second of a recording of noise, at a place and volume that its number decides.

    Parameters
    ----------
    noise
        The recording, a mono 16-bit WAV file at 16 kHz.
    name
        Its name; draws the cut together with `subset` and `number`.
    subset
        train, val or test: which part of the recording to cut from.
    number
        Another number gives another cut.

    Returns
    -------
    bytes
        A WAV file of N_SAMPLES samples, scaled by k / 256, k from 1 to 256.

    Raises
    ------
    UserError
        The recording cannot be read, is too short, or is silent.
    """
    waveform, audio_format = audio.decode(noise, name)
    if audio_format.sample_rate != SAMPLE_RATE:
        raise UserError(f"{name} has {audio_format.sample_rate} Hz, not {SAMPLE_RATE}")
    pcm = np.rint(waveform * 32768).astype(np.int32)  # exact: decoded from 16 bits
    first, end = (int(fraction * pcm.size) for fraction in PARTS[subset])
    places = end - first - N_SAMPLES + 1
    if places < 1:
        raise UserError(
            f"{name} lasts {pcm.size / SAMPLE_RATE:.1f} s: too short to cut seconds of silence "
            f"from for {subset}: fetch the official archive again"
        )
    for attempt in range(_ATTEMPTS):
        digest = hashlib.sha256(f"{name} {subset} {number} {attempt}".encode()).digest()
        start = first + int.from_bytes(digest[:8], "big") % places
        volume = 1 + digest[8]
        second = (pcm[start : start + N_SAMPLES] * volume + 128) >> 8  # rounds half up
        if second.any():  # digital silence has no features
            return _wav(second.astype(np.int16))
    raise UserError(f"{name} is silent: fetch the official archive again")


def _wav(pcm: NDArray[np.int16]) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
