"""Sound: files to waveforms, resampling."""

from spoken_digits.audio.base import STDIN, AudioError, AudioFormat, Waveform
from spoken_digits.audio.decode import decode
from spoken_digits.audio.kinds import Kind, kind_of
from spoken_digits.audio.read import read, read_bytes
from spoken_digits.audio.resample import fix_length, resample
from spoken_digits.audio.wav import to_wav

__all__ = [
    "STDIN",
    "AudioError",
    "AudioFormat",
    "Kind",
    "Waveform",
    "decode",
    "fix_length",
    "kind_of",
    "read",
    "read_bytes",
    "resample",
    "to_wav",
]
