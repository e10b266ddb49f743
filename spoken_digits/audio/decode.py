"""Decode audio in memory to a checked mono waveform.

`wav` decodes 16-bit WAV files, soundfile (libsndfile) everything else. torchaudio's own `load`
needs torchcodec and is not used.
"""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import soundfile

from spoken_digits.audio import wav
from spoken_digits.audio.base import (
    AudioError,
    AudioFormat,
    Waveform,
    check_format,
    convert_command,
    max_frames,
    too_long,
)
from spoken_digits.audio.kinds import is_headerless, is_mistaken

_UNKNOWN_LENGTH = 2**63 - 1  # libsndfile's SF_COUNT_MAX
_MAX_PEAK = 8.0  # 18 dB above full scale: beyond it a float file is not scaled to [-1, 1)
_CANCELLED = 0.1  # fraction of the power that the mean of unrelated channels would have

_AS_LOUD = 0.99


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
        (n_samples,) float32 in [-1, 1), exact. Several channels are averaged, unless they
        cancel each other: then the loudest one is taken.
    audio_format
        As found in the file. Its `note` says if the file is damaged or its channels cancel.

    Raises
    ------
    AudioError
        Empty or not audio, an implausible header, too long, no samples, samples that are not
        numbers or far beyond full scale, or nothing but silence.
    """
    if not content:
        raise AudioError(name, "is empty", "remove or record it again")
    samples, audio_format = _decode_channels(content, name)
    if samples.shape[0] == 0:
        raise AudioError(name, "holds no samples", "remove or record it again")
    peak = max(float(samples.max()), -float(samples.min()))  # NaN if any sample is
    if not np.isfinite(peak):
        raise AudioError(name, "holds samples that are not numbers (NaN or infinity)", "replace it")
    if peak > _MAX_PEAK:
        raise AudioError(
            name,
            f"holds samples of up to {peak:.6g}, full scale is 1",
            "scale them to [-1, 1) and export it again",
        )
    if peak == 0:
        raise AudioError(name, "holds only silence", "remove or record it again")
    waveform, note = _mix(samples)
    if note:
        notes = [audio_format.note, note] if audio_format.note else [note]
        audio_format = dataclasses.replace(audio_format, note="; ".join(notes))
    return np.ascontiguousarray(waveform), audio_format


def _decode_channels(content: bytes, name: str) -> tuple[Waveform, AudioFormat]:
    """Samples (n_samples, n_channels)."""
    header = wav.parse(content)
    if header is None:
        return _decode_by_libsndfile(content, name)
    if header.is_pcm16:
        return wav.decode_pcm16(content, header, name)
    if header.is_intact:
        return _decode_by_libsndfile(content, name)
    samples, audio_format = _decode_by_libsndfile(header.mended(content), name)
    return samples, dataclasses.replace(audio_format, note=header.note)


def _decode_by_libsndfile(content: bytes, name: str) -> tuple[Waveform, AudioFormat]:
    """Samples (n_samples, n_channels)."""
    if is_mistaken(content):
        raise _unreadable(name, "Format not recognised")
    try:
        with soundfile.SoundFile(_Content(content)) as file:
            audio_format = AudioFormat(
                sample_rate=file.samplerate,
                n_channels=file.channels,
                subtype=file.subtype,
                container=file.format,
            )
            check_format(audio_format, name)
            # One read: soundfile seeks after each, which some decoders do inexactly.
            most = max_frames(audio_format)
            stated = file.frames
            samples = file.read(min(stated, most + 1), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise _unreadable(name, str(getattr(error, "error_string", error)).rstrip(".")) from None
    if samples.shape[0] > most:
        raise too_long(name)
    if samples.shape[0] < stated != _UNKNOWN_LENGTH:
        audio_format = dataclasses.replace(audio_format, note=wav.CUT_SHORT)
    return samples.copy(), audio_format  # the header may have asked for far more room


class _Content(io.BytesIO):
    """A file in memory that seeks where a damaged header sends it.

    `io.BytesIO` raises on positions before its start, inside a callback from C that can only
    print a traceback.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: len(self.getbuffer())}
        return super().seek(max(0, start[whence] + offset))


def _unreadable(name: str, reason: str) -> AudioError:
    if is_headerless(name):
        remedy = f"say what it holds: {convert_command(name)}".replace(
            "-i", "-f s16le -ar RATE -i", 1
        )
    else:
        remedy = f"convert it with {convert_command(name)}, or remove it"
    return AudioError(name, f"cannot be read as audio ({reason})", remedy)


def _mix(samples: Waveform) -> tuple[Waveform, str]:
    """Channels (n_samples, n_channels) to one, (n_samples,), and a note if they cancel.

    A microphone wired with reversed polarity gives channels whose mean is silence or noise.
    """
    n_channels = samples.shape[1]
    if n_channels == 1:
        return samples[:, 0], ""
    mean = samples.mean(axis=1)
    power = samples.var(axis=0, dtype=np.float64)  # (n_channels,), without offsets
    if mean.var(dtype=np.float64) >= _CANCELLED * power.sum() / n_channels**2 and mean.any():
        return mean, ""
    loudest = int((power >= _AS_LOUD * power.max()).argmax())  # the first of several
    return samples[:, loudest], f"channels that cancel: only channel {loudest + 1} is used"
