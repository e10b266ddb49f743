"""Feature tensors on disk: made block by block on all cores, read through memory maps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from spoken_digits import audio
from spoken_digits.clips import ClipArchive
from spoken_digits.errors import UserError
from spoken_digits.features.base import Extractor, Features
from spoken_digits.files import read_json, replacing, sha256, write_json

_CORPUS = "corpus_sha256"
_BLOCK_CLIPS = 128  # bounds memory: 128 spectrograms and what makes them are about 50 MB
_CLIPS_WORTH_A_PROCESS = 1500  # a worker process takes about a second to start


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


def write_features(
    folder: Path, extractor: Extractor, archive: Path, manifest: pd.DataFrame, n_jobs: int | None
) -> None:
    """Extract the features of every clip of `archive` into `folder`.

    Memory does not grow with the corpus: blocks of clips are extracted in `n_jobs` processes
    (None: one a core, as far as it pays) and appended in order.
    """
    paths = manifest["path"].tolist()
    blocks = [paths[i : i + _BLOCK_CLIPS] for i in range(0, len(paths), _BLOCK_CLIPS)]
    if n_jobs is None:
        n_jobs = max(1, min(joblib.cpu_count(), len(paths) // _CLIPS_WORTH_A_PROCESS))
    workers = joblib.Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch="2*n_jobs")
    results = workers(joblib.delayed(_extract)(extractor, archive, block) for block in blocks)
    with replacing(folder) as temporary:
        temporary.mkdir(parents=True)
        valid = _append(temporary / "x.npy", (len(paths), *extractor.shape), extractor, results)
        np.save(temporary / "n_frames.npy", valid)
        description = {**extractor.describe(), _CORPUS: _corpus_digest(manifest)}
        write_json(temporary / "features.json", description)


def _append(
    path: Path,
    shape: tuple[int, ...],
    extractor: Extractor,
    blocks: Iterator[tuple[Features, NDArray[np.int32]]],
) -> NDArray[np.int32]:
    """Write blocks one after the other as one .npy file; return the valid frames (n,)."""
    header = {
        "descr": np.lib.format.dtype_to_descr(extractor.dtype),
        "fortran_order": False,
        "shape": shape,
    }
    valid = []
    with (
        path.open("wb") as file,
        tqdm(total=shape[0], desc=extractor.kind, unit="clip", disable=None) as bar,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for features, n_frames in blocks:
            file.write(np.ascontiguousarray(features, extractor.dtype).data)
            valid.append(n_frames)
            bar.update(len(n_frames))
        file.flush()
        os.fsync(file.fileno())
    return np.concatenate(valid)


def _extract(
    extractor: Extractor, archive: Path, paths: list[str]
) -> tuple[Features, NDArray[np.int32]]:
    clips = ClipArchive(archive)
    waveforms = []
    for path in paths:
        waveform, found = audio.decode(clips.read(path), path)
        waveforms.append(audio.resample(waveform, found.sample_rate, extractor.sample_rate))
    return extractor(waveforms)


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
