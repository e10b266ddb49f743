"""Fixtures shared by all tests, such as small corpora."""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import io
import os
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from recordings import PATTERN, REPOSITORY, write_recordings

from spoken_digits.config import Config, read_config
from spoken_digits.corpora import fsdd
from spoken_digits.corpora.archives import find
from spoken_digits.embedded import objects
from spoken_digits.io import stage_sources


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that no processor waits for them at the end."""
    long = {
        item.path
        for item in items
        if item.get_closest_marker("pipeline") or item.get_closest_marker("emulated")
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session", autouse=True)
def objects_of_firmware(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """C files of firmware/ are compiled once for all tests and the stages that they run."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as monkeypatch:
        kept = os.environ.get(objects.FOLDER, str(run / "objects"))
        monkeypatch.setenv(objects.FOLDER, kept)
        yield


def read_pcm(wav: bytes) -> bytes:
    """The samples of a WAV file, by the standard library."""
    with wave.open(io.BytesIO(wav)) as recording:
        return recording.readframes(recording.getnframes())


@pytest.fixture(scope="session")
def digests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stage `sources` writes of this checkout."""
    folder = tmp_path_factory.mktemp("digests") / "sources"
    stage_sources.write(REPOSITORY, folder)
    return folder


@pytest.fixture
def repository() -> Path:
    """Top of the checkout."""
    return REPOSITORY


@pytest.fixture
def default_params() -> Config:
    """params.yaml as committed."""
    return read_config(REPOSITORY / "params.yaml")


@pytest.fixture(scope="session")
def fsdd_archive() -> Path:
    """The real recordings; the test is skipped where they are not in reach."""
    path = find(fsdd.ARCHIVE_NAMES, REPOSITORY)
    if path is None:
        pytest.skip("the archive of FSDD is not in reach")
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """`write_recordings` into a folder of this test."""
    return lambda **options: write_recordings(tmp_path / "recordings", **options)


@pytest.fixture
def label_pattern() -> str:
    """Matches the file names of `recordings`."""
    return PATTERN


@pytest.fixture(scope="session")
def fsdd_pcm(fsdd_archive: Path) -> list[npt.NDArray[np.int16]]:
    """All 3,000 recordings of the Free Spoken Digit Dataset, int16 at 8 kHz, by name."""
    clips = fsdd.open_fsdd(REPOSITORY, None).clips
    return [np.frombuffer(read_pcm(clip.wav), dtype="<i2") for clip in clips]


@pytest.fixture(scope="session")
def firmware() -> Path:
    """Folder of the C sources."""
    return REPOSITORY / "firmware"
