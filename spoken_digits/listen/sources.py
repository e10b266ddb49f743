"""Where sound comes from: a recording, standard input as if live, a microphone.

Each is an iterator over blocks of int16 samples at the model's rate.
"""

from __future__ import annotations

import contextlib
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits import audio, errors
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.errors import UserError

Pcm = NDArray[np.int16]

BLOCK_MS = 20
FILE_BLOCK_S = 10
PATIENCE_S = 3.0
"""How long a microphone may be silent in the sense of giving no samples at all."""

_CONTAINERS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3")
"""How files begin that are not raw samples."""
_RAW_ONLY = (
    "- reads raw 16-bit sound from a pipe: "
    "`ffmpeg -i FILE -f s16le -ac 1 -ar 8000 - | spoken-digits listen MODEL -`"
)


def from_file(path: Path, sample_rate: int) -> Iterator[Pcm]:
    """A recording in any format that libsndfile reads, resampled.

    Raises
    ------
    UserError
        It cannot be read, holds NaN, or nothing but silence.
    """
    waveform, audio_format = audio.read(path)
    if audio_format.note:
        errors.warn(f"{path}: {audio_format.note}")
    samples = to_pcm(audio.resample(waveform, audio_format.sample_rate, sample_rate))
    step = FILE_BLOCK_S * sample_rate
    for start in range(0, len(samples), step):
        yield samples[start : start + step]


def from_stream(stream: BinaryIO, given_rate: int, sample_rate: int) -> Iterator[Pcm]:
    """Raw mono samples, int16 little-endian, as they come in.

    Parameters
    ----------
    stream
        Such as ``sys.stdin.buffer``; may give any number of bytes at a time.
    given_rate, sample_rate
        Of the stream and of the model, Hz.

    Raises
    ------
    UserError
        The stream is empty, or an audio file: its header says at which rate, which `given_rate`
        need not be.
    """
    resampler = Resampler(given_rate, sample_rate)
    most, rest = max(2, given_rate * BLOCK_MS // 1000 * 2), b""
    is_first = True
    while content := stream.read(most):
        content = rest + content
        if is_first and content.startswith(_CONTAINERS):
            raise UserError(f"standard input is an audio file; {_RAW_ONLY}")
        is_first = False
        whole = len(content) // 2 * 2
        rest = content[whole:]
        yield resampler(np.frombuffer(content[:whole], "<i2").astype(np.int16))
    if is_first:
        raise UserError(f"standard input is empty; {_RAW_ONLY}")
    if rest:
        errors.warn("standard input ended within a sample: is it raw 16-bit sound?")
    yield resampler.end()


def from_microphone(sample_rate: int, device: str | None) -> Iterator[Pcm]:
    """The default microphone, or `device`, for ever.

    Raises
    ------
    UserError
        There is none, it may not be used, or it stops giving sound.
    """
    sounddevice = _sounddevice()
    chosen: Any = int(device) if device is not None and device.isdecimal() else device
    try:
        rate = _rate(sounddevice, chosen, sample_rate)
        blocks: queue.SimpleQueue[tuple[bytes, bool]] = queue.SimpleQueue()
        microphone = sounddevice.RawInputStream(
            samplerate=rate,
            blocksize=rate * BLOCK_MS // 1000,
            device=chosen,
            channels=1,
            dtype="int16",
            callback=lambda content, n, time, status: blocks.put((bytes(content), bool(status))),
        )
        with microphone:
            yield from _blocks(blocks, Resampler(rate, sample_rate))
    except (sounddevice.PortAudioError, ValueError) as error:
        raise UserError(
            f"no microphone can be used ({' '.join(str(error).split())}): plug one in, choose one "
            "with --device, or give a recording instead"
        ) from None


def _blocks(blocks: queue.SimpleQueue[tuple[bytes, bool]], resampler: Resampler) -> Iterator[Pcm]:
    warned = False
    while True:
        try:
            content, was_late = blocks.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise UserError(
                f"the microphone has given nothing for {PATIENCE_S:g} s: is it still plugged in?"
            ) from None
        if was_late and not warned:
            errors.warn("some sound was lost: this machine is too busy to keep up")
            warned = True
        yield resampler(np.frombuffer(content, np.int16))


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise UserError(
            "a microphone needs the package sounddevice: run "
            '`uv pip install "spoken-digits[microphone]"`, or give a recording instead'
        ) from None
    except OSError:
        raise UserError(
            "a microphone needs the library PortAudio (Debian: apt install libportaudio2): install "
            "it, or give a recording instead"
        ) from None
    return sounddevice


def _rate(sounddevice: Any, device: Any, sample_rate: int) -> int:
    """The model's rate if the microphone has it, else the microphone's own."""
    with contextlib.suppress(sounddevice.PortAudioError):
        sounddevice.check_input_settings(
            device=device, channels=1, dtype="int16", samplerate=sample_rate
        )
        return sample_rate
    return int(sounddevice.query_devices(device, "input")["default_samplerate"])


class Resampler:
    """int16 samples of one rate to another, in blocks."""

    def __init__(self, given_rate: int, sample_rate: int) -> None:
        same = given_rate == sample_rate
        self._stream = (
            None if same else soxr.ResampleStream(given_rate, sample_rate, 1, dtype="int16")
        )

    def __call__(self, samples: Pcm) -> Pcm:
        """The next samples, as far as they are known."""
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def end(self) -> Pcm:
        """What is left."""
        nothing = np.zeros(0, np.int16)
        if self._stream is None:
            return nothing
        rest: Pcm = self._stream.resample_chunk(nothing, last=True)
        return rest


def standard_input() -> BinaryIO:
    """Where raw sound is piped in.

    Raises
    ------
    UserError
        It is a terminal, or closed.
    """
    if sys.stdin is None:
        raise UserError(f"standard input is closed; {_RAW_ONLY}")
    if sys.stdin.isatty():
        raise UserError(f"standard input is a terminal; {_RAW_ONLY}")
    return sys.stdin.buffer
