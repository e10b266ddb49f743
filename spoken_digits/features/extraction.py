"""Feature tensors on disk: made block by block on all cores."""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from spoken_digits import audio
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.store import describe
from spoken_digits.errors import UserError
from spoken_digits.features.base import Extractor
from spoken_digits.features.parallel import ParallelParams, run
from spoken_digits.features.resumable import Block, PartialTensor
from spoken_digits.io.memory import keep_freed_memory

_BLOCK_CLIPS = 64
"""Clips handed to a process at a time: 64 spectrograms and what makes them are about 25 MB."""

_CLIPS_WORTH_A_PROCESS = 1500
"""A worker process takes about a second to start."""


def write_features(
    folder: Path,
    extractor: Extractor,
    archive: Path,
    manifest: pd.DataFrame,
    parallel: ParallelParams,
) -> int:
    """Extract the features of every clip of `archive` into `folder`.

    Memory does not grow with the corpus: blocks of clips are extracted in parallel, and each is
    written by the process that made it. What a killed run has finished lies beside `folder` and
    is gone on from.

    Returns
    -------
    int
        Clips taken over from an earlier run that broke off.

    Raises
    ------
    UserError
        A clip cannot be read, a worker was killed, or another run is making the same features.
    """
    columns = ["path", "sha256", "sample_rate", "n_samples"]
    clips = list(manifest[columns].itertuples(index=False, name=None))
    description = describe(extractor.describe(), manifest)
    shape = (len(clips), *extractor.shape)
    with PartialTensor(folder, description, shape, extractor.dtype, _BLOCK_CLIPS) as partial:
        taken_over = partial.n_done
        calls = [
            (extractor, archive.resolve(), clips[block.start : block.stop], block)
            for block in partial.missing()
        ]
        worthwhile = max(1, (len(clips) - taken_over) // _CLIPS_WORTH_A_PROCESS)
        with tqdm(
            total=len(clips), initial=taken_over, desc=extractor.kind, unit="clip", disable=None
        ) as bar:
            for start, checksum, valid in run(_extract, calls, parallel, worthwhile):
                partial.record(start, checksum, valid)
                bar.update(len(valid))
        partial.finish()
    return taken_over


def _extract(
    extractor: Extractor, archive: Path, clips: list[tuple[str, str, int, int]], block: Block
) -> tuple[int, int, list[int]]:
    """Write the features of some clips; return what `PartialTensor.record` takes.

    Parameters
    ----------
    extractor, archive, block
        What makes the features, of what, and where they go.
    clips
        `path`, `sha256`, `sample_rate` and `n_samples` of the manifest.
    """
    keep_freed_memory()
    stat = archive.stat()
    opened = _open_archive(archive, stat.st_mtime_ns, stat.st_size)
    waveforms = []
    for path, digest, sample_rate, n_samples in clips:
        waveform, found = audio.decode(opened.read(path, digest), path)
        if (found.sample_rate, waveform.size) != (sample_rate, n_samples):
            raise UserError(
                f"{path} has {waveform.size} samples at {found.sample_rate} Hz, manifest.csv says "
                f"{n_samples} at {sample_rate}: make it again with `dvc repro --force download`"
            )
        waveforms.append(audio.resample(waveform, found.sample_rate, extractor.sample_rate))
    features, n_frames = extractor(waveforms)
    return block.start, block.write(features), n_frames.tolist()


@functools.lru_cache(maxsize=1)
def _open_archive(path: Path, *_version: int) -> ClipArchive:
    """The archive, opened once a process: its directory of 30,000 clips takes 0.15 s to read."""
    return ClipArchive(path)
