"""Hours without a word: noise, bangs and tones; many people talking at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from spoken_digits.evaluation.detection.streams import (
    LEVEL_DBFS,
    Pcm,
    Stream,
    at_level,
    room_noise,
    to_int16,
)
from spoken_digits.evaluation.distortion import Samples

_BLOCK_S = 60
_SOUNDS_A_BLOCK = 12
_ZEROS_EVERY = 15  # a block of zeros among so many: a microphone that is switched off


def without_speech(hours: float, sample_rate: int, seed: Sequence[int]) -> Stream:
    """Noise of every colour and level that swells and falls, with bangs, clicks and tones.

    Parameters
    ----------
    hours
        Length, rounded up to whole minutes.
    sample_rate
        Hz.
    seed
        Draws all of it.
    """
    n_blocks = _n_blocks(hours)

    def blocks() -> Iterator[Pcm]:
        for number in range(n_blocks):
            rng = np.random.default_rng([*map(int, seed), number])
            if number % _ZEROS_EVERY == _ZEROS_EVERY - 1:
                yield np.zeros(_BLOCK_S * sample_rate, np.int16)
            else:
                yield to_int16(_minute(sample_rate, rng))

    return _stream("noise", n_blocks, sample_rate, blocks)


def babble(
    hours: float,
    voices: Sequence[Samples],
    n_talkers: int,
    sample_rate: int,
    seed: Sequence[int],
) -> Stream:
    """Several people talking at once, none of whom says a word that is to be found.

    Parameters
    ----------
    hours
        Length, rounded up to whole minutes.
    voices
        Recordings of other speech.
    n_talkers
        At once.
    sample_rate
        Hz, of the recordings too.
    seed
        Draws who says what.
    """
    n_blocks = _n_blocks(hours)

    def blocks() -> Iterator[Pcm]:
        for number in range(n_blocks):
            rng = np.random.default_rng([*map(int, seed), number])
            n = _BLOCK_S * sample_rate
            level = LEVEL_DBFS + rng.uniform(-12, 3)
            yield to_int16(at_level(talk(voices, n_talkers, n, rng), level))

    return _stream("babble", n_blocks, sample_rate, blocks)


def talk(
    voices: Sequence[Samples], n_talkers: int, n_samples: int, rng: np.random.Generator
) -> Samples:
    """Several voices at once without a pause, of equal power: (n_samples,)."""
    total = np.zeros(n_samples)
    for _ in range(n_talkers):
        parts: list[Samples] = []
        while sum(part.size for part in parts) < n_samples:
            voice = voices[int(rng.integers(len(voices)))]
            parts.append(at_level(voice - voice.mean(), 0.0))
        total += np.roll(np.concatenate(parts)[:n_samples], rng.integers(n_samples))
    return total


def _n_blocks(hours: float) -> int:
    return max(1, int(np.ceil(hours * 3600 / _BLOCK_S)))


def _stream(
    kind: str, n_blocks: int, sample_rate: int, blocks: Callable[[], Iterator[Pcm]]
) -> Stream:
    return Stream(
        kind=kind,
        spans=(),
        n_samples=n_blocks * _BLOCK_S * sample_rate,
        blocks=blocks,
    )


def _minute(sample_rate: int, rng: np.random.Generator) -> Samples:
    """A minute of noise, hum and sounds."""
    n = _BLOCK_S * sample_rate
    time = np.arange(n) / sample_rate
    noise = room_noise(n, sample_rate, rng) * 10 ** (rng.uniform(-70, -32) / 20)
    swell_db = rng.uniform(0, 8) * np.sin(2 * np.pi * time / rng.uniform(4, 40))
    samples = noise * 10 ** (swell_db / 20)
    samples += 10 ** (rng.uniform(-70, -40) / 20) * np.sin(2 * np.pi * rng.choice([50, 60]) * time)
    for _ in range(rng.poisson(_SOUNDS_A_BLOCK)):
        sound = _sound(sample_rate, rng) * 10 ** (rng.uniform(-45, -12) / 20)
        start = rng.integers(n - sound.size)
        samples[start : start + sound.size] += sound
    return samples


def _sound(sample_rate: int, rng: np.random.Generator) -> Samples:
    """A bang that rings out, a click, or a tone with overtones, as of music or a machine."""
    kind = rng.integers(3)
    n = round(sample_rate * (0.01, 0.5, 1.5)[kind] * rng.uniform(0.2, 1))
    time = np.arange(n) / sample_rate
    if kind < 2:
        decay = np.exp(-time / rng.uniform(0.002, 0.12))
        return np.asarray(room_noise(n, sample_rate, rng) * decay)
    pitch = rng.uniform(80, 900)
    wobble = 1 + rng.uniform(0, 0.02) * np.sin(2 * np.pi * rng.uniform(3, 7) * time)
    phase = 2 * np.pi * pitch * np.cumsum(wobble) / sample_rate
    tones = [rng.uniform(0, 1) / k * np.sin(k * phase) for k in range(1, 7)]
    return np.asarray(np.sum(tones, axis=0) * np.minimum(1, 30 * (time[-1] - time)))
