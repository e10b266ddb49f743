"""Extract feature tensors to disk, block by block on all cores."""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from spoken_digits.data.clips import ClipArchive, ClipSource, clip_sources
from spoken_digits.data.store import describe
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.features.base import Extractor
from spoken_digits.features.parallel import ParallelParams, run
from spoken_digits.features.resumable import Block, PartialTensor
from spoken_digits.io.memory import keep_freed_memory
from spoken_digits.io.sources import digest_of

_BLOCK_CLIPS = 64
"""Clips per block: 64 spectrograms with all intermediate results take about 25 MB."""

_CLIPS_WORTH_A_PROCESS = 4000
"""A worker process takes about two seconds to start; librosa alone takes 1.5."""


def write_features(
    folder: Path,
    extractor: Extractor,
    archive: Path,
    manifest: pd.DataFrame,
    parallel: ParallelParams,
) -> int:
    """Extract the features of every clip of `archive` into `folder`.

    Memory does not grow with the corpus: blocks of clips are extracted in parallel, and each is
    written by the process that made it. The blocks that a killed run finished are kept beside
    `folder` and reused if code, libraries, parameters and recordings are still the same.

    Returns
    -------
    int
        Number of clips reused from an interrupted run.

    Raises
    ------
    UserError
        A clip cannot be read, a worker was killed, or another run is making the same features.
    """
    clips = clip_sources(archive.resolve(), manifest)
    description = describe(extractor.describe(), manifest)
    shape = (len(clips), *extractor.shape)
    with PartialTensor(
        folder, description, shape, extractor.dtype, _BLOCK_CLIPS, _code_digest(extractor)
    ) as partial:
        taken_over = partial.n_done
        calls = [(extractor, clips[block.start : block.stop], block) for block in partial.missing()]
        worthwhile = max(1, (len(clips) - taken_over) // _CLIPS_WORTH_A_PROCESS)
        with tqdm(
            total=len(clips), initial=taken_over, desc=extractor.kind, unit="clip", disable=None
        ) as bar:
            for start, checksum, valid in run(_extract, calls, parallel, worthwhile):
                partial.record(start, checksum, valid)
                bar.update(len(valid))
        partial.finish()
    return taken_over


def _code_digest(extractor: Extractor) -> str:
    """Digest of the code that computes the features, libraries included."""
    classes = [c.__module__ for c in type(extractor).__mro__]
    modules = [name for name in classes if name.partition(".")[0] == "spoken_digits"]
    return digest_of([__name__, *modules], libraries=("numpy", "scipy", "soundfile", "soxr"))


def _extract(
    extractor: Extractor, clips: list[ClipSource], block: Block
) -> tuple[int, int, list[int]]:
    """Write the features of some clips; return what `PartialTensor.record` takes.

    Parameters
    ----------
    extractor, block
        Computes the features; receives them.
    clips
        Clips of one archive.
    """
    keep_freed_memory()
    archive = clips[0].archive
    stat = archive.stat()
    opened = _open_archive(archive, stat.st_mtime_ns, stat.st_size)
    waveforms = read_waveforms(opened, clips, extractor.sample_rate)
    features, n_frames = extractor(waveforms)
    return block.start, block.write(features), n_frames.tolist()


@functools.lru_cache(maxsize=1)
def _open_archive(path: Path, *_version: int) -> ClipArchive:
    """The archive, opened once per process: reading 30,000 directory entries takes 0.15 s."""
    return ClipArchive(path)
