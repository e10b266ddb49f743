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
_AGAIN = "dvc repro feature_extract"
_DTYPES = ("float32", "float16", "int8")


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
    description = read_json(folder / "features.json", _AGAIN)
    fingerprint = sha256(repr(sorted(description.items())).encode())
    x, n_frames = _open(folder / "x.npy"), np.array(_open(folder / "n_frames.npy"))
    if description.pop(_CORPUS, None) != _corpus_digest(manifest):
        raise UserError(f"{folder} is of another corpus than the manifest: `{_AGAIN}`")
    if description.get("kind") != folder.name:
        raise UserError(
            f"{folder / 'features.json'} describes features of kind {description.get('kind')!r}: "
            f"make them again with `{_AGAIN}`"
        )
    if fault := _fault(x, n_frames, len(manifest)):
        raise UserError(f"{folder} is damaged ({fault}): make it again with `{_AGAIN}`")
    return FeatureStore(x=x, n_frames=n_frames, description=description, fingerprint=fingerprint)


def _open(path: Path) -> NDArray[Any]:
    """The array in `path`, memory-mapped: a header that lies about its size takes no memory."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `{_AGAIN}`") from None
    # The header is Python text, which NumPy parses.
    except (ValueError, TypeError, EOFError, OverflowError, SyntaxError) as error:
        raise UserError(
            f"{path.parent} is damaged ({path.name}: {error}): make it again with `{_AGAIN}`"
        ) from None


def _fault(x: Features, n_frames: NDArray[Any], n_clips: int) -> str:
    """What is wrong with the features of `n_clips` clips; empty if nothing."""
    if x.dtype not in _DTYPES:
        return f"x.npy holds {x.dtype}, must hold {' or '.join(_DTYPES)}"
    if x.ndim != 3 or len(x) != n_clips or min(x.shape) < 1:
        return f"x.npy has shape {x.shape} for {n_clips} clips"
    if n_frames.dtype != np.int32 or n_frames.shape != (n_clips,):
        return f"n_frames.npy holds {n_frames.dtype} of shape {n_frames.shape} for {n_clips} clips"
    if n_frames.min() < 1 or n_frames.max() > x.shape[1]:
        row = int(((n_frames < 1) | (n_frames > x.shape[1])).argmax())
        return f"n_frames.npy: clip {row} has {n_frames[row]} valid frames of {x.shape[1]}"
    return ""
