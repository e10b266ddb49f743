"""Small corpora that tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from spoken_digits.corpora import fsdd
from spoken_digits.corpora.archives import find

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def repository() -> Path:
    """Top of the checkout."""
    return REPOSITORY


@pytest.fixture
def default_params() -> dict:
    """params.yaml as committed."""
    return yaml.safe_load((REPOSITORY / "params.yaml").read_text())


@pytest.fixture(scope="session")
def fsdd_archive() -> Path:
    """The real recordings; the test is skipped where they are not in reach."""
    path = find(fsdd.ARCHIVE_NAMES, REPOSITORY)
    if path is None:
        pytest.skip("the archive of FSDD is not in reach")
    return path


def tone(frequency_hz: float, duration_s: float, sample_rate: int = 8000, seed: int = 0):
    """A tone in a little noise, (n_samples,) float32."""
    t = np.arange(int(duration_s * sample_rate)) / sample_rate
    noise = np.random.default_rng(seed).normal(0, 0.01, t.size)
    return (0.5 * np.sin(2 * np.pi * frequency_hz * t) + noise).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of own recordings: words are tones that a network can tell apart."""

    def make(
        words: tuple[str, ...] = ("yes", "no", "stop"),
        speakers: tuple[str, ...] = ("anna", "ben", "cleo", "dan"),
        takes: int = 4,
        sample_rate: int = 8000,
    ) -> Path:
        folder = tmp_path / "recordings"
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

    return make


PATTERN = r"(?P<label>[^/]+)/(?P<speaker>[a-z]+)_(?P<take>\d+)"


@pytest.fixture
def label_pattern() -> str:
    """Fits the file names of `recordings`."""
    return PATTERN
