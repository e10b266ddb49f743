"""Small corpora that tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from recordings import PATTERN, REPOSITORY, write_recordings

from spoken_digits.corpora import fsdd
from spoken_digits.corpora.archives import find


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


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """`write_recordings` into a folder of this test."""
    return lambda **options: write_recordings(tmp_path / "recordings", **options)


@pytest.fixture
def label_pattern() -> str:
    """Fits the file names of `recordings`."""
    return PATTERN
