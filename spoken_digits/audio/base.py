"""Shared by the modules of this package: types, the error, the bounds of a plausible file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from spoken_digits.errors import UserError

Waveform = NDArray[np.float32]

MIN_RATE_HZ = 1_000
"""Speech does not survive below this rate: half of it, 500 Hz, misses the first formant."""
MAX_RATE_HZ = 768_000
"""The highest sample rate of audio converters."""
MAX_CHANNELS = 64
"""More than any microphone array for speech has."""
MAX_SECONDS = 3_600
"""A recording of one word lasts seconds; resampling allocates memory in proportion."""
MAX_SAMPLES = 1 << 26
"""All channels together: 256 MiB as float32, 23 minutes at 48 kHz."""
MAX_BYTES = 8 * MAX_SAMPLES
"""`MAX_SAMPLES` as float64, the widest sample there is."""


@dataclass(frozen=True, kw_only=True)
class AudioFormat:
    """Format of a file before it is mixed down to mono."""

    sample_rate: int
    """Samples a second of one channel, Hz."""
    n_channels: int
    subtype: str
    """Sample format as libsndfile names it, such as PCM_16 or FLOAT."""
    container: str
    """File format as libsndfile names it, such as WAV or FLAC."""
    note: str = ""
    """What is odd about the file and how it was read; empty if nothing is odd."""


class AudioError(UserError):
    """An unusable recording. `reason` and `remedy` let callers list several in one message."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(f"{name} {reason}: {remedy}")
        self.name = name
        self.reason = reason
        self.remedy = remedy


def check_format(audio_format: AudioFormat, name: str) -> None:
    """Raise `AudioError` if the header's rate or number of channels is not plausible."""
    rate, n_channels = audio_format.sample_rate, audio_format.n_channels
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise AudioError(
            name,
            f"has a sample rate of {rate:,} Hz in its header, "
            f"speech is recorded at {MIN_RATE_HZ:,} to {MAX_RATE_HZ:,}",
            "export it again at its true rate, or remove it",
        )
    if not 1 <= n_channels <= MAX_CHANNELS:
        raise AudioError(
            name,
            f"has {n_channels:,} channels in its header, at most {MAX_CHANNELS} are read",
            "export it again as mono, or remove it",
        )


def max_frames(audio_format: AudioFormat) -> int:
    """Largest number of samples read from each channel."""
    return min(MAX_SECONDS * audio_format.sample_rate, MAX_SAMPLES // audio_format.n_channels)


def too_long(name: str) -> AudioError:
    """The error for a recording beyond `max_frames` or `MAX_BYTES`."""
    return AudioError(name, "is too long for a recording of one word", "cut it into clips")


STDIN = "stdin"
"""How errors name sound that is piped in."""


def convert_command(name: str) -> str:
    """The command that converts a file to a readable one."""
    if name == STDIN:
        return "`ffmpeg -i FILE -f wav -`, piped into this"
    path = PurePath(name)
    target = path.with_suffix(".wav") if path.suffix else path.with_name(f"{path.name}.wav")
    if target == path:
        target = path.with_name(f"{path.stem}-mended.wav")
    return f"`ffmpeg -i {shlex.quote(name)} {shlex.quote(str(target))}`"
