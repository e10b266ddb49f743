"""A made-up corpus of own recordings, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

REPOSITORY = Path(__file__).resolve().parent.parent
PATTERN = r"(?P<label>[^/]+)/(?P<speaker>[a-z]+)_(?P<take>\d+)"
"""Matches the file names of `write_recordings`."""


def tone(frequency_hz: float, duration_s: float, sample_rate: int = 8000, seed: int = 0):
    """A tone in a little noise, (n_samples,) float32."""
    t = np.arange(int(duration_s * sample_rate)) / sample_rate
    noise = np.random.default_rng(seed).normal(0, 0.01, t.size)
    return (0.5 * np.sin(2 * np.pi * frequency_hz * t) + noise).astype(np.float32)


def write_recordings(
    folder: Path,
    words: tuple[str, ...] = ("yes", "no", "stop"),
    speakers: tuple[str, ...] = ("anna", "ben", "cleo", "dan"),
    takes: int = 4,
    sample_rate: int = 8000,
) -> Path:
    """A folder of own recordings: words are tones that a network can distinguish."""
    for w, word in enumerate(words):
        (folder / word).mkdir(parents=True, exist_ok=True)
        for s, speaker in enumerate(speakers):
            for take in range(takes):
                clip = tone(
                    400 * (w + 1) + 20 * s,
                    0.3 + 0.02 * take,
                    sample_rate,
                    seed=100 * w + 10 * s + take,
                )
                name = folder / word / f"{speaker}_{take}.wav"
                soundfile.write(name, clip, sample_rate, subtype="PCM_16")
    return folder
