"""What lies between mouth and network: microphone, room, other people, noise.

All on band powers (n, n_frames, n_mels), float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.features.mel import Float32

_NEPERS_PER_DB = np.log(10.0) / 10.0
_CONTOUR_WAVES = 3
_TAIL_FRAMES = 8
_TAIL_DECAY = (0.2, 0.65)
"""Power of a frame of the tail relative to the frame before."""
_TAIL_GAIN = 0.5
_NOISE_COLOUR_DB = 3.0
"""Standard deviation of the slowest cosine of the noise's spectrum."""
_NOISE_SPREAD = 0.35
"""Standard deviation of a noise band's power from frame to frame, natural logarithm."""
_TELEPHONE_HZ = (300.0, 3400.0)
_TELEPHONE_DB = -40.0


def contour(power: Float32, params: SoundParams, rng: np.random.Generator) -> Float32:
    """Some sounds of a word louder, others quieter: a smooth field over frames and bands."""
    n, n_frames, n_mels = power.shape
    if params.contour_db == 0:
        return power
    field = np.zeros((n, n_frames, n_mels))
    for _ in range(_CONTOUR_WAVES):
        over_time, over_bands = (
            np.cos(rng.uniform(0.5, 3.0, (n, 1)) * np.pi * np.linspace(0, 1, size) + phase)
            for size, phase in zip(
                (n_frames, n_mels), rng.uniform(0, 2 * np.pi, (2, n, 1)), strict=True
            )
        )
        height = rng.standard_normal((n, 1, 1)) * 2 * params.contour_db / np.sqrt(_CONTOUR_WAVES)
        field += height * over_time[:, :, None] * over_bands[:, None]
    return np.asarray(power * _power_of(field))


def colour(
    power: Float32, centres_hz: NDArray[np.float64], params: SoundParams, rng: np.random.Generator
) -> Float32:
    """Louder or quieter, through a random equaliser and tilt, some through a telephone."""
    n, _, n_mels = power.shape
    decibels = _cosines(n, n_mels, 4, params.equaliser_db, rng)
    decibels += rng.uniform(-params.level_db, params.level_db, (n, 1))
    slope = np.linspace(-1.0, 1.0, n_mels)
    decibels += rng.uniform(-params.tilt_db, params.tilt_db, (n, 1)) * slope
    outside = (centres_hz < _TELEPHONE_HZ[0]) | (centres_hz > _TELEPHONE_HZ[1])
    on_line = rng.random((n, 1)) < params.telephone_probability
    decibels += np.where(on_line & outside, _TELEPHONE_DB, 0.0)
    return np.asarray(power * _power_of(decibels)[:, None])


def reverberate(power: Float32, params: SoundParams, rng: np.random.Generator) -> Float32:
    """Some clips with a tail that decays by a constant factor a frame."""
    n = len(power)
    decay = rng.uniform(*_TAIL_DECAY, n).astype(np.float32)[:, None, None]
    gain = rng.uniform(0, _TAIL_GAIN, n)
    gain[rng.random(n) >= params.reverberation_probability] = 0.0
    tail = np.zeros_like(power)
    for frames in range(1, 1 + _TAIL_FRAMES):
        tail[:, frames:] += decay**frames * power[:, :-frames]
    return np.asarray(power + gain.astype(np.float32)[:, None, None] * tail)


def add_babble(
    power: Float32, level: Float32, params: SoundParams, rng: np.random.Generator
) -> Float32:
    """Some clips with two others of the batch behind them, one reversed, one rolled in time.

    `level` (n,) is each clip's mean band power.
    """
    n, n_frames, _ = power.shape
    relative = power / level[:, None, None]
    babble = relative[rng.permutation(n), ::-1]
    babble = babble + np.roll(relative[rng.permutation(n)], rng.integers(n_frames), axis=1)
    babble /= babble.mean(axis=(1, 2), keepdims=True) + 1e-9
    gain = 10.0 ** (-rng.uniform(*params.babble_snr_db, n) / 10.0)
    gain[rng.random(n) >= params.babble_probability] = 0.0
    return np.asarray(power + (gain * level).astype(np.float32)[:, None, None] * babble)


def add_noise(
    power: Float32, level: Float32, params: SoundParams, rng: np.random.Generator
) -> Float32:
    """Coloured noise; `level` (n,) is each clip's mean band power."""
    n, _, n_mels = power.shape
    colours = _power_of(_cosines(n, n_mels, 3, _NOISE_COLOUR_DB, rng))
    colours /= colours.mean(axis=1, keepdims=True)
    gain = 10.0 ** (-rng.uniform(*params.noise_snr_db, n) / 10.0)
    bands = (gain * level).astype(np.float32)[:, None] * colours  # (n, n_mels)
    spread = np.exp(np.float32(_NOISE_SPREAD) * rng.standard_normal(power.shape, np.float32))
    return np.asarray(power + bands[:, None] * spread)


def _cosines(
    n: int, n_mels: int, count: int, spread_db: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sums (n, n_mels) of `count` cosines of random height and phase along the bands, decibels."""
    along = np.linspace(0.0, 1.0, n_mels)
    total = np.zeros((n, n_mels))
    for number in range(1, 1 + count):
        height = spread_db / np.sqrt(number) * rng.standard_normal((n, 1))
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        total += height * np.cos(np.pi * number * along + phase)
    return total


def _power_of(decibels: NDArray[np.float64]) -> Float32:
    return np.asarray(np.exp(_NEPERS_PER_DB * decibels), np.float32)
