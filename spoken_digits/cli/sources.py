"""Where takes come from: a microphone, or recordings that hold several words."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.errors import UserError
from spoken_digits.inspection.quality import find_words

RATE_HZ = 16_000
_BLOCK_S = 0.05
_METER = 40
_METER_DB = 60.0
_OTHERWISE = "or record with any program and pass the file with --from"


@dataclass(frozen=True, kw_only=True)
class Sound:
    """One take."""

    waveform: Waveform
    sample_rate: int
    """Hz."""
    name: str
    """For messages."""


class Source(Protocol):
    """Gives one take after another."""

    can_repeat: bool
    """Whether a bad take can be spoken again."""

    def take(self, label: str) -> Sound:
        """The next take; `label` says which word is wanted."""
        ...


class Files:
    """The words of recordings, one after another.

    Raises
    ------
    UserError
        A file cannot be read, or the files do not hold `n_wanted` words.
    """

    can_repeat = False

    def __init__(self, files: Sequence[Path], n_wanted: int) -> None:
        found: list[Sound] = []
        for file in files:
            waveform, audio_format = audio.read(file)
            rate = audio_format.sample_rate
            centred = waveform - np.float32(waveform.mean(dtype=np.float64))
            found += [
                Sound(
                    waveform=waveform[first:last],
                    sample_rate=rate,
                    name=f"{file}, {first / rate:.2f} to {last / rate:.2f} s",
                )
                for first, last in find_words(centred, rate)
            ]
        if len(found) != n_wanted:
            where = ", ".join(sound.name.rpartition(", ")[2] for sound in found[:20])
            raise UserError(
                f"{', '.join(map(str, files))}: {len(found)} words are heard "
                f"({where or 'nowhere'}), {n_wanted} are wanted: leave half a second of silence "
                "between words, or change the words or --takes"
            )
        self._left = iter(found)

    def take(self, label: str) -> Sound:
        """The next word."""
        return next(self._left)


class Microphone:
    """The default microphone, through sounddevice.

    Raises
    ------
    UserError
        There is no sounddevice, no microphone, or none that can be opened.
    """

    can_repeat = True

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        try:
            import sounddevice
        except ImportError:
            raise UserError(
                "a microphone needs the package sounddevice: `pip install sounddevice`, "
                f"{_OTHERWISE}"
            ) from None
        except OSError as error:  # it does not find the library that it wraps
            raise UserError(
                f"a microphone needs the library PortAudio ({error}): install it (Debian: "
                f"libportaudio2), {_OTHERWISE}"
            ) from None
        self._device: Any = sounddevice
        try:
            self._device.check_input_settings(samplerate=RATE_HZ, channels=1)
        except (self._device.PortAudioError, ValueError) as error:
            raise UserError(f"no microphone answers ({error}): plug one in, {_OTHERWISE}") from None

    def take(self, label: str) -> Sound:
        """Wait for the Enter key, then record; the level is shown meanwhile."""
        try:
            input(f"{label}: press Enter, then speak ")
        except EOFError:
            raise UserError(
                f"nobody is there to press Enter: run this in a terminal, {_OTHERWISE}"
            ) from None
        blocks = []
        size = round(_BLOCK_S * RATE_HZ)
        try:
            with self._device.InputStream(
                samplerate=RATE_HZ, channels=1, dtype="float32", blocksize=size
            ) as stream:
                for _ in range(round(self._seconds / _BLOCK_S)):
                    block, _overflowed = stream.read(size)
                    blocks.append(np.array(block, np.float32)[:, 0])
                    _show_level(blocks[-1])
        except self._device.PortAudioError as error:
            raise UserError(
                f"the microphone cannot be opened ({error}): close other programs that use it, "
                f"{_OTHERWISE}"
            ) from None
        print(file=sys.stderr)
        waveform = np.concatenate(blocks)
        words = find_words(waveform - waveform.mean(), RATE_HZ)
        if words:
            waveform = waveform[words[0][0] : words[-1][1]]
        return Sound(waveform=waveform, sample_rate=RATE_HZ, name=label)


def _show_level(block: Waveform) -> None:
    """A bar from -60 dBFS to full scale, redrawn in place."""
    peak = float(np.abs(block).max(initial=0.0))
    above = _METER_DB + 20.0 * float(np.log10(max(peak, 1e-6)))
    n = round(_METER * min(1.0, max(0.0, above / _METER_DB)))
    clipped = " clipped" if peak >= 0.999 else ""
    print(f"\r[{'#' * n:<{_METER}}]{clipped:<8}", end="", file=sys.stderr, flush=True)
