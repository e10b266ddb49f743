"""Clips at the limits of the integer front-end."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def edge_cases() -> list[np.ndarray]:
    """Clips at the limits, noise at every level, and all that on a DC offset."""
    rng = np.random.default_rng(3)
    speech = np.convolve(rng.normal(0, 900, 6000), 0.9 ** np.arange(60), mode="same")
    speech = speech.clip(-9000, 9000)
    clips = [
        np.zeros(0),
        np.zeros(1),
        np.full(1, -32768),
        np.zeros(4000),  # silence
        np.full(5000, -32768),  # saturation
        np.full(5000, 32767),
        np.full(300, -1),  # its level is 15 shifts away
        np.where(np.arange(6000) // 50 % 2, 32767, -32768),  # full-scale square wave
        np.where(np.arange(6000) % 2, 32767, -32768),
        rng.choice([-32768, 32767], 6000),
        rng.integers(-32768, 32768, 18262),  # longer than the longest recording
        *(rng.integers(-1, 2, n) for n in (255, 256, 257, 415, 416, 417)),
        *(speech + offset for offset in (0, 1, 655, 3277, -3277, 23000, -23000)),
        *(np.round(speech / 3000) + offset for offset in (-32760, -1, 1, 32760)),
        *(np.arange(5000) % 256 < ones for ones in (1, 127, 128, 129, 255)),  # means about a tie
        *(32767 - 65535 * (np.arange(5000) % 256 != place) for place in (0, 64, 127, 128, 129)),
        *(65535 * (np.arange(5000) % 256 != place) - 32768 for place in (0, 64, 127, 128, 129)),
        *(np.round(rng.uniform(-1, 1, 1500) * 2**level) for level in np.arange(0, 15, 0.5)),
    ]
    for place in range(0, 256, 15):
        impulse = np.zeros(256)
        impulse[place] = -32768
        clips += [impulse, impulse / 32768, -impulse / 2]
    return [clip.astype(np.int16) for clip in clips]
