"""Sound: files to waveforms, resampling."""

from spoken_digits.audio.read import (
    AudioFormat,
    Waveform,
    decode,
    fix_length,
    read,
    resample,
    to_wav,
)

__all__ = ["AudioFormat", "Waveform", "decode", "fix_length", "read", "resample", "to_wav"]
