"""Streams of words with pauses, in rooms and in noise; of other sound, for hours.

Samples are float64, full scale 1, until a stream is made; a stream is int16 blocks. Everything is
drawn from seeds. Words are all of the same power, so that every one has the stated ratio to the
noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.evaluation.distortion import Samples, pink_noise, reverberated, white_noise

Pcm = NDArray[np.int16]

LEVEL_DBFS = -26.0
"""Power of every word; full scale is 0."""

_STEPS = 32768
_FADE_S = 0.005
_FRAME_S = 0.01
_WORD_RANGE_DB = 30.0


@dataclass(frozen=True)
class Span:
    """Where in a stream something is said."""

    label: int
    """Class number; -1 for none of the words."""
    start: int
    """First sample."""
    end: int
    """Sample after the last one that belongs to the word."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream and what is said in it."""

    kind: str
    """Such as ``words``."""
    spans: tuple[Span, ...]
    """In order; empty where no one says a word by itself."""
    n_samples: int
    blocks: Callable[[], Iterator[Pcm]]
    """Its samples, the same at each call."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a stream of words is heard in."""

    snr_db: float
    """Words over the noise, dB."""
    reverberation_s: float | None = None
    """Of the room; None for none."""
    noise: Callable[[int, np.random.Generator], Samples] | None = None
    """n_samples of noise of any power; None for that of `room_noise`."""


def speech(
    kind: str,
    clips: Sequence[tuple[int, Samples]],
    surroundings: Surroundings,
    *,
    gap_s: tuple[float, float],
    sample_rate: int,
    seed: Sequence[int],
) -> Stream:
    """Clips one after the other, with pauses of random length.

    Parameters
    ----------
    kind
        Name of the stream.
    clips
        Class number, -1 for none, and samples of each.
    surroundings
        What they are heard in.
    gap_s
        Shortest and longest pause, seconds.
    sample_rate
        Hz.
    seed
        Draws order, pauses, room and noise.
    """
    rng = np.random.default_rng([*map(int, seed)])
    parts: list[Samples] = []
    spans: list[Span] = []
    n_samples = 0
    for i in rng.permutation(len(clips)):
        label, clip = clips[i]
        pause = round(rng.uniform(*gap_s) * sample_rate)
        word = at_level(faded(clip - clip.mean(), sample_rate), LEVEL_DBFS)
        start, end = spoken_part(word, sample_rate)
        if surroundings.reverberation_s is not None:
            word = reverberated(word, sample_rate, surroundings.reverberation_s, rng)
        begin = n_samples + pause
        spans.append(Span(label, begin + start, begin + end))
        parts += [np.zeros(pause), word]
        n_samples = begin + word.size
    parts.append(np.zeros(sample_rate))
    samples = np.concatenate(parts)
    draw = surroundings.noise or (lambda n, rng: room_noise(n, sample_rate, rng))
    noise = draw(samples.size, rng)
    samples += at_level(noise - noise.mean(), LEVEL_DBFS - surroundings.snr_db)
    pcm = to_int16(samples)
    return Stream(kind=kind, spans=tuple(spans), n_samples=len(pcm), blocks=lambda: iter((pcm,)))


def room_noise(n_samples: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """White and pink noise of equal power."""
    white, pink = white_noise(n_samples, rng), pink_noise(n_samples, sample_rate, rng)
    return np.asarray(white / white.std() + pink / pink.std())


def at_level(samples: Samples, dbfs: float) -> Samples:
    """Scaled to a power relative to full scale; silence stays silent."""
    power = float((samples**2).mean())
    return samples * (10 ** (dbfs / 20) / np.sqrt(power)) if power > 0 else samples


def faded(samples: Samples, sample_rate: int) -> Samples:
    """With ends that do not click."""
    n = min(round(_FADE_S * sample_rate), samples.size // 2)
    window = np.ones(samples.size)
    window[:n] = np.arange(n) / max(1, n)
    window[samples.size - n :] = window[:n][::-1]
    return samples * window


def spoken_part(samples: Samples, sample_rate: int) -> tuple[int, int]:
    """First and last sample of the frames of 10 ms within 30 dB of the loudest."""
    length = max(1, round(_FRAME_S * sample_rate))
    whole = samples[: max(1, samples.size // length) * length]
    powers = (whole.reshape(-1, min(length, whole.size)) ** 2).mean(axis=1)
    (loud,) = np.nonzero(powers >= powers.max() * 10 ** (-_WORD_RANGE_DB / 10))
    return int(loud[0]) * length, min(samples.size, (int(loud[-1]) + 1) * length)


def spoken(samples: Samples, sample_rate: int) -> Samples:
    """Without the silence before and after."""
    start, end = spoken_part(samples - samples.mean(), sample_rate)
    return samples[start:end]


def to_int16(samples: Samples) -> Pcm:
    """As a converter gives them."""
    steps = np.clip(np.round(samples * _STEPS), -_STEPS, _STEPS - 1)
    return np.asarray(steps, np.int16)
