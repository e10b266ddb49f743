"""Feature tensors on disk: read through memory maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.errors import UserError
from spoken_digits.io.files import read_json, sha256

Features = NDArray[Any]
"""(n_clips, n_frames, n_coefficients) of any number type."""
_CORPUS = "corpus_sha256"


@dataclass(frozen=True, kw_only=True)
class FeatureStore:
    """The features of a corpus, row i for row i of the manifest."""

    x: Features
    """(n_utterances, n_frames, n_coefficients), memory-mapped."""
    n_frames: NDArray[np.int32]
    """(n_utterances,) valid frames of each clip."""
    description: dict[str, Any]
    """Kind and parameters of the extractor."""
    fingerprint: str
    """Changes with the recordings or the parameters."""


def describe(extractor: Mapping[str, Any], manifest: pd.DataFrame) -> dict[str, Any]:
    """What features.json holds: kind and parameters of the extractor, and of which recordings."""
    return {**extractor, _CORPUS: _corpus_digest(manifest)}


def _corpus_digest(manifest: pd.DataFrame) -> str:
    return sha256("\n".join(manifest["sha256"]).encode())


def read_features(folder: Path, manifest: pd.DataFrame) -> FeatureStore:
    """Open the features in `folder`; the tensor stays on disk until it is used.

    Raises
    ------
    UserError
        The features are missing, are not whole, or are of other recordings than the manifest.
    """
    again = "dvc repro feature_extract"
    description = read_json(folder / "features.json", again)
    try:
        x = np.load(folder / "x.npy", mmap_mode="r")
        n_frames = np.load(folder / "n_frames.npy")
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing: make it with `{again}`") from None
    except ValueError as error:
        raise UserError(f"{folder} is damaged ({error}): make it again with `{again}`") from None
    fingerprint = sha256(repr(sorted(description.items())).encode())
    if description.pop(_CORPUS, None) != _corpus_digest(manifest) or len(x) != len(n_frames):
        raise UserError(f"{folder} is of another corpus than the manifest: `{again}`")
    return FeatureStore(x=x, n_frames=n_frames, description=description, fingerprint=fingerprint)
