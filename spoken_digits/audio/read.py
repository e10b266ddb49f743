"""Audio files to waveforms: decoding, checking, resampling.

The standard library decodes 16-bit WAV files, soundfile (libsndfile) all else; soxr resamples.
torchaudio's own `load` needs torchcodec and is not used.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from spoken_digits.errors import UserError

Waveform = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class AudioFormat:
    """What a file holds before it is made mono."""

    sample_rate: int
    """Samples a second of one channel, Hz."""
    n_channels: int
    subtype: str
    """Sample format in libsndfile's words, such as PCM_16 or FLOAT."""
    container: str
    """File format in libsndfile's words, such as WAV or FLAC."""


def decode(content: bytes, name: str) -> tuple[Waveform, AudioFormat]:
    """Decode a whole audio file in any format libsndfile reads.

    Parameters
    ----------
    content
        The file's bytes.
    name
        How errors name the file.

    Returns
    -------
    waveform
        (n_samples,) float32 in [-1, 1); several channels are averaged.
    audio_format
        As found in the file.

    Raises
    ------
    UserError
        Not audio, no samples, samples that are not numbers, or nothing but silence.
    """
    samples, audio_format = _decode_pcm16(content) or _decode_any(content, name)
    waveform = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)  # (n_samples,)
    if waveform.size == 0:
        raise UserError(f"{name} holds no samples: remove or record it again")
    if not np.isfinite(waveform).all():
        raise UserError(f"{name} holds samples that are not numbers (NaN or infinity): replace it")
    if not waveform.any():
        raise UserError(f"{name} holds only silence: remove or record it again")
    return np.ascontiguousarray(waveform), audio_format


def _decode_pcm16(content: bytes) -> tuple[Waveform, AudioFormat] | None:
    """Samples (n_samples, n_channels) of a plain 16-bit WAV file; None if it is anything else.

    What every published corpus consists of, in half the time: libsndfile reads from memory
    through callbacks into Python.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            if file.getsampwidth() != 2:
                return None
            audio_format = AudioFormat(
                sample_rate=file.getframerate(),
                n_channels=file.getnchannels(),
                subtype="PCM_16",
                container="WAV",
            )
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            if pcm.size != file.getnframes() * file.getnchannels():
                return None  # cut short: libsndfile decides
    except (wave.Error, EOFError, ValueError):
        return None
    samples = pcm.reshape(-1, audio_format.n_channels) * np.float32(2**-15)
    return samples, audio_format


def _decode_any(content: bytes, name: str) -> tuple[Waveform, AudioFormat]:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            audio_format = AudioFormat(
                sample_rate=file.samplerate,
                n_channels=file.channels,
                subtype=file.subtype,
                container=file.format,
            )
            return file.read(dtype="float32", always_2d=True), audio_format
    except (soundfile.LibsndfileError, RuntimeError) as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise UserError(
            f"{name} cannot be read as audio ({reason}): remove or replace it"
        ) from None


def read(path: Path) -> tuple[Waveform, AudioFormat]:
    """`decode` for a file on disk."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: check the name") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the file") from None
    return decode(content, str(path))


def resample(waveform: Waveform, sample_rate: int, target_rate: int) -> Waveform:
    """`waveform` at another sample rate, (ceil(n * target / rate),), by soxr in high quality.

    ``librosa.resample(..., res_type="soxr_hq")`` of the clip less its mean, plus the mean: a
    constant offset does not ring at the clip's edges.
    """
    if sample_rate == target_rate:
        return waveform
    offset = np.float32(waveform.mean(dtype=np.float64))
    centred = waveform - offset
    resampled = np.asarray(soxr.resample(centred, sample_rate, target_rate, quality="HQ")) + offset
    n_samples = int(np.ceil(waveform.size * target_rate / sample_rate))
    return fix_length(resampled.astype(np.float32, copy=False), n_samples)


def fix_length(waveform: Waveform, n_samples: int) -> Waveform:
    """`waveform` cut or padded with zeros at its end to (n_samples,)."""
    if waveform.size >= n_samples:
        return waveform[:n_samples]
    return np.pad(waveform, (0, n_samples - waveform.size))


def to_wav(waveform: Waveform, sample_rate: int) -> bytes:
    """A mono 16-bit WAV file of `waveform`."""
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
