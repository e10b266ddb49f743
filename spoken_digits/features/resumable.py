"""Write a feature tensor block by block, resumable after a kill.

It grows in a hidden folder beside its target. There ``tensor/`` holds the files that will move to
the target, ``journal`` has one line with a checksum for each finished block, and ``key`` is a
digest of everything the blocks depend on. After a kill, a block counts as done if its bytes match
its line; all others are made again. A file lock keeps a second run out; the kernel releases it if
the first one dies.
"""

from __future__ import annotations

import errno
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from spoken_digits.data.store import Features
from spoken_digits.errors import UserError
from spoken_digits.io.files import move_into_place, remove, sha256, sweep, write_bytes, write_json


@dataclass(frozen=True, kw_only=True)
class Block:
    """Consecutive clips of the tensor; holds all that a worker needs to write them."""

    path: Path
    """x.npy; the worker may be on another machine that sees the same files."""
    offset: int
    """Where the block begins, bytes."""
    start: int
    """Its first clip."""
    stop: int
    """One past its last clip."""

    def write(self, features: Features) -> int:
        """Write (stop - start, n_frames, n_coefficients) into its place; return its checksum."""
        content = np.ascontiguousarray(features).data.cast("B")
        with self.path.open("r+b", buffering=0) as file:
            file.seek(self.offset)
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        return zlib.crc32(content)


class PartialTensor:
    """The tensor of `folder`, growing; a context manager.

    Parameters
    ----------
    folder
        Final folder of x.npy, n_frames.npy and features.json.
    description
        Written as features.json.
    shape
        (n_utterances, n_frames, n_coefficients).
    dtype
        Number type of x.npy.
    block_clips
        Clips per block.
    code
        Digest of the code that computes the features. Blocks made by other code, or with
        another description, shape or block size, are discarded.

    Raises
    ------
    UserError
        Another run is making the same features.
    """

    def __init__(
        self,
        folder: Path,
        description: Mapping[str, Any],
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        block_clips: int,
        code: str,
    ) -> None:
        self._folder, self._shape, self._dtype = folder, shape, dtype
        self._description, self._block_clips = dict(description), block_clips
        self._work = folder.with_name(f".{folder.name}.partial").resolve()
        self._tensor = self._work / "tensor"
        self._lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        self._header = _npy_header(shape, dtype)
        about = [self._description, self._header.hex(), block_clips, code]
        self._key = sha256(json.dumps(about, sort_keys=True).encode()).encode()
        self._valid: dict[int, list[int]] = {}  # by the first clip of the block

    def __enter__(self) -> PartialTensor:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise UserError(
                f"another run is writing {self._folder}: wait for it, or stop it and run again "
                "to resume"
            ) from None
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def _open(self) -> None:
        sweep(self._folder)
        if not self._is_ours():
            remove(self._work)
            self._tensor.mkdir(parents=True)
            (self._tensor / "x.npy").touch()
            (self._work / "journal").touch()
            (self._work / "key").write_bytes(self._key)  # written last: it makes the folder valid
        with (self._tensor / "x.npy").open("r+b") as file:
            file.write(self._header)
        self._keep_finished_blocks()

    def _is_ours(self) -> bool:
        """Whether an earlier run of the same key left a partial tensor."""
        files = [self._work / "key", self._work / "journal", self._tensor / "x.npy"]
        return all(file.is_file() for file in files) and files[0].read_bytes() == self._key

    def _keep_finished_blocks(self) -> None:
        """Keep the blocks whose bytes match the journal; drop all other lines."""
        blocks = {block.start: block for block in self._blocks()}
        path, kept = self._work / "journal", {}
        with (self._tensor / "x.npy").open("rb") as file:
            for line in path.read_bytes().splitlines():
                entry = self._parse(line, blocks)
                if entry is None:
                    continue
                start, checksum, valid = entry
                file.seek(blocks[start].offset)
                if zlib.crc32(file.read(len(valid) * self._clip_bytes)) == checksum:
                    self._valid[start], kept[start] = valid, line
        write_bytes(path, b"".join(line + b"\n" for line in kept.values()))
        self._journal = path.open("a")

    def _parse(self, line: bytes, blocks: Mapping[int, Block]) -> tuple[int, int, list[int]] | None:
        """Arguments of the `record` call that wrote the line; None if the line is invalid."""
        try:
            start, checksum, valid = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            return None  # half a line, or not a list of three
        if type(start) is not int or start not in blocks or type(checksum) is not int:
            return None
        if type(valid) is not list or len(valid) != blocks[start].stop - start:
            return None
        if not all(type(n) is int and 0 < n <= self._shape[1] for n in valid):
            return None
        return start, checksum, valid

    @property
    def _clip_bytes(self) -> int:
        return self._dtype.itemsize * self._shape[1] * self._shape[2]

    def _blocks(self) -> Iterator[Block]:
        for start in range(0, self._shape[0], self._block_clips):
            yield Block(
                path=self._tensor / "x.npy",
                offset=len(self._header) + start * self._clip_bytes,
                start=start,
                stop=min(start + self._block_clips, self._shape[0]),
            )

    @property
    def n_done(self) -> int:
        """Clips that are done."""
        return sum(len(valid) for valid in self._valid.values())

    def missing(self) -> list[Block]:
        """The blocks that are not done, in order."""
        return [block for block in self._blocks() if block.start not in self._valid]

    def record(self, start: int, checksum: int, valid: list[int]) -> None:
        """Note that the block that begins at clip `start` is written.

        Parameters
        ----------
        start
            First clip of the block.
        checksum
            From `Block.write`.
        valid
            Valid frames of each of its clips.
        """
        self._journal.write(json.dumps([start, checksum, valid]) + "\n")
        self._journal.flush()
        self._valid[start] = valid

    def finish(self) -> None:
        """Move the tensor to its place, replacing any earlier one."""
        if self.n_done != self._shape[0]:
            raise ValueError(f"{self.n_done} of {self._shape[0]} clips are done")
        self._journal.close()
        valid = [n for start in sorted(self._valid) for n in self._valid[start]]
        np.save(self._tensor / "n_frames.npy", np.array(valid, np.int32))
        write_json(self._tensor / "features.json", self._description)
        with (self._tensor / "x.npy").open("r+b") as file:
            file.truncate(len(self._header) + self._shape[0] * self._clip_bytes)
            os.fsync(file.fileno())
        # Keep key and journal until the tensor is in its place: a kill before that loses nothing.
        move_into_place(self._tensor, self._folder)
        remove(self._work)

    def __exit__(self, *_: object) -> None:
        self._journal.close()
        if not self._valid:
            remove(self._work)  # nothing to resume
        self._lock.release()  # the file stays: removing it would let a third run slip past


def _npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The bytes before the data of an .npy file."""
    header = io.BytesIO()
    about = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(header, about)
    return header.getvalue()
