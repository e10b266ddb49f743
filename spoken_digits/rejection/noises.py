"""Sounds in which nobody speaks: noise of several colours, hum, clicks, tones, rooms, near-silence.

Each maker returns float64 samples (n,); `noise` sets their level.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
"""(n,), full scale 1."""

LEVEL_DBFS = (-65.0, -15.0)
"""Root mean square, between these."""
_QUIET_LSB = 3
"""Largest amplitude of near-silence, steps of a 16-bit converter."""
_LOWEST_HZ = 20.0
_MAINS_HZ = (50.0, 60.0)
_HARMONICS = 12
_ROOM_WAVES = 6


def coloured(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Normal noise whose power falls as frequency to the power 0 (white) to 2.5 (below brown)."""
    return _shaped(n, sample_rate, rng, lambda hz: hz ** -rng.uniform(0.0, 1.25))


def room(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Noise through a random equaliser, slowly louder and quieter: machines, wind, a street."""
    tops = rng.uniform(0, 2 * np.pi, _ROOM_WAVES)
    heights = 6.0 * rng.standard_normal(_ROOM_WAVES) / np.sqrt(np.arange(1, _ROOM_WAVES + 1))

    def equaliser(hz: Samples) -> Samples:
        octaves = np.log2(hz / _LOWEST_HZ)[:, None] / np.log2(sample_rate / 2 / _LOWEST_HZ)
        decibels = (heights * np.cos(np.pi * np.arange(1, _ROOM_WAVES + 1) * octaves + tops)).sum(1)
        return np.asarray(10 ** ((decibels - 20 * octaves[:, 0] * rng.uniform(0, 1)) / 20))

    seconds = np.arange(n) / sample_rate
    swell = 1 + rng.uniform(0, 0.8) * np.sin(
        2 * np.pi * rng.uniform(0.3, 4.0) * seconds + rng.uniform(0, 2 * np.pi)
    )
    return _shaped(n, sample_rate, rng, equaliser) * swell


def hum(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """The mains, or a motor, with harmonics, in a little noise."""
    base_hz = rng.choice(_MAINS_HZ) if rng.random() < 0.5 else rng.uniform(40.0, 220.0)
    seconds = np.arange(n) / sample_rate
    total = 0.05 * rng.standard_normal(n)
    for number in range(1, 1 + _HARMONICS):
        if number * base_hz < sample_rate / 2:
            height = rng.random() / number ** rng.uniform(0.3, 1.5)
            total += height * np.sin(2 * np.pi * (number * base_hz * seconds + rng.random()))
    return total


def clicks(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Keys, knocks and crackle: bursts that decay in 1 to 40 ms."""
    total = 0.002 * rng.standard_normal(n)
    for _ in range(1 + rng.poisson(4)):
        length = max(2, round(rng.uniform(0.001, 0.04) * sample_rate))
        burst = rng.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        ring = np.cos(2 * np.pi * rng.uniform(200, 3000) / sample_rate * np.arange(length))
        start = rng.integers(0, n)
        part = (burst * ring if rng.random() < 0.5 else burst)[: n - start]
        total[start : start + len(part)] += rng.uniform(0.2, 1.0) * part
    return total


def tones(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Music-like: notes of the equal-tempered scale, alone or in chords, struck or held."""
    total = 0.002 * rng.standard_normal(n)
    start = 0
    while start < n:
        length = round(rng.uniform(0.08, 0.6) * sample_rate)
        seconds = np.arange(min(length, n - start)) / sample_rate
        decay = np.exp(-seconds * rng.choice([0.0, 3.0, 10.0]))
        edge = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / 0.01)
        for _ in range(rng.integers(1, 4)):
            hz = 440.0 * 2 ** (rng.integers(-24, 25) / 12)
            for number in range(1, 1 + rng.integers(1, 6)):
                if number * hz < sample_rate / 2:
                    height = rng.random() / number
                    wave = np.sin(2 * np.pi * (number * hz * seconds + rng.random()))
                    total[start : start + len(seconds)] += height * decay * edge * wave
        start += round(length * rng.uniform(0.5, 1.2)) + 1
    return total


def quiet(n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """A muted microphone: a few steps of the converter."""
    return rng.integers(-1, 2, n).astype(np.float64)


NOISES: dict[str, Callable[[int, int, np.random.Generator], Samples]] = {
    "coloured": coloured,
    "room": room,
    "hum": hum,
    "clicks": clicks,
    "tones": tones,
    "quiet": quiet,
}


def noise(kind: str, n: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """A noise of one kind at a random level, (n,), full scale 1."""
    samples = NOISES[kind](n, sample_rate, rng)
    if kind == "quiet":
        return samples * rng.integers(1, 1 + _QUIET_LSB) / 32768
    rms = np.sqrt(np.mean(samples**2))
    return np.asarray(samples / rms * 10 ** (rng.uniform(*LEVEL_DBFS) / 20))


def _shaped(
    n: int,
    sample_rate: int,
    rng: np.random.Generator,
    response: Callable[[Samples], Samples],
) -> Samples:
    """White noise through a filter given as amplitude over frequency, Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / sample_rate), _LOWEST_HZ)
    return np.fft.irfft(spectrum * response(hz), n)
