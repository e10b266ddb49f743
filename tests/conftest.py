"""Fixtures that several test folders share."""

from __future__ import annotations

import io
import os
import tarfile
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = "free-spoken-digit-dataset-1.0.10.tar.gz"
N_RECORDINGS = 3000


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "corpus: needs the archive of the real recordings")


def _archive() -> Path | None:
    places = [Path(p) for p in [os.environ.get("SPOKEN_DIGITS_ARCHIVES")] if p]
    places += [ROOT / "data" / "archives", ROOT.parent / "shared" / "corpora"]
    return next((place / ARCHIVE for place in places if (place / ARCHIVE).is_file()), None)


@pytest.fixture(scope="session")
def recordings() -> list[npt.NDArray[np.int16]]:
    """All 3,000 recordings of the Free Spoken Digit Dataset, int16 at 8 kHz, by name."""
    archive = _archive()
    if archive is None:
        pytest.skip(f"{ARCHIVE} is not in $SPOKEN_DIGITS_ARCHIVES, data/archives, shared/corpora")
    clips = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(".wav"):
                file = tar.extractfile(member)
                assert file is not None
                with wave.open(io.BytesIO(file.read())) as recording:
                    assert recording.getparams()[:3] == (1, 2, 8000)
                    samples = recording.readframes(recording.getnframes())
                clips[member.name] = np.frombuffer(samples, dtype="<i2")
    assert len(clips) == N_RECORDINGS
    return [clips[name] for name in sorted(clips)]


@pytest.fixture(scope="session")
def firmware() -> Path:
    return ROOT / "firmware"
