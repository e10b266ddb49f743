"""What a cheap amplifier or a telephone line does to samples; memoryless, so frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.features.mel import Float32

_MU = 255.0
_LEVELS = 127
"""Of 8-bit mu-law, for either sign (ITU-T G.711, without its piecewise segments)."""


class Distortion:
    """Which of `n` clips are overdriven, and which go through mu-law."""

    def __init__(self, n: int, params: SoundParams, rng: np.random.Generator) -> None:
        limit = rng.uniform(params.drive, 1.0, n)
        overdriven = rng.random(n) < params.drive_probability
        self._limit = np.where(overdriven, limit, 1.0).astype(np.float32)
        self._coded = rng.random(n) < params.mu_law_probability
        self._touched = overdriven | self._coded

    def apply(self, frames: Float32, of: NDArray[np.int64]) -> Float32:
        """Frames (frames, window length) of the clips `of`, distorted.

        Levels are relative to the loudest sample that a clip has in these frames.
        """
        touched = np.flatnonzero(self._touched[of])
        if not len(touched):
            return frames
        clips = of[touched]
        peaks = np.full(len(self._limit), 1e-9, np.float32)
        np.maximum.at(peaks, clips, np.abs(frames[touched]).max(axis=1))
        peak, limit = peaks[clips][:, None], self._limit[clips][:, None]
        relative = np.clip(frames[touched] / peak, -limit, limit)
        relative = np.where(self._coded[clips][:, None], _mu_law(relative), relative)
        distorted = frames.copy()
        distorted[touched] = peak * relative
        return distorted


def _mu_law(x: Float32) -> Float32:
    """Samples in [-1, 1] coded with 8 bits and decoded again."""
    coded = np.round(np.log1p(_MU * np.abs(x)) / np.log1p(_MU) * _LEVELS) / _LEVELS
    return np.asarray(np.sign(x) * np.expm1(coded * np.log1p(_MU)) / _MU, np.float32)
