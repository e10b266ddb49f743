"""A feature tensor while it is being made: written in blocks, gone on from after a kill, moved.

It grows in a hidden folder beside its goal. Whoever computes a block writes it into its place in
x.npy; a journal then gets a line with its checksum. After a kill, blocks whose bytes agree with
their line count as done, the rest is made anew. A file lock keeps a second run out, and is
released by the kernel if the first one dies.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from spoken_digits.data.store import Features
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256, write_json


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some clips of the tensor, as a worker is told of them."""

    path: Path
    """x.npy; the worker may be on another machine that sees the same files."""
    offset: int
    """Where the block begins, bytes."""
    start: int
    """Its first clip."""
    stop: int
    """The clip after its last."""

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
        Where x.npy, n_frames.npy and features.json are to lie when all is done.
    description
        Written as features.json; a partial tensor of another description is begun anew.
    shape
        (n_utterances, n_frames, n_coefficients).
    dtype
        Number type of x.npy.
    block_clips
        Clips a block.

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
    ) -> None:
        self._folder, self._shape, self._dtype = folder, shape, dtype
        self._description, self._block_clips = dict(description), block_clips
        self._work = folder.with_name(f".{folder.name}.partial").resolve()
        self._lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        self._valid: dict[int, list[int]] = {}  # by the first clip of the block

    def __enter__(self) -> PartialTensor:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise UserError(
                f"another run is writing {self._folder}: wait for it, or stop it and run again "
                "to go on where it was"
            ) from None
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def _open(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": self._shape,
        }
        start = io.BytesIO()
        np.lib.format.write_array_header_1_0(start, header)
        self._header_bytes = start.tell()
        about = [self._description, str(header), self._block_clips]
        key, digest = self._work / "key", sha256(json.dumps(about, sort_keys=True).encode())
        if not key.is_file() or key.read_text() != digest:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir()
            (self._work / "x.npy").write_bytes(start.getvalue())
            key.write_text(digest)  # last: only then is the folder taken for one
        self._journal = (self._work / "journal").open("a+")
        self._take_over()

    def _take_over(self) -> None:
        """Count the blocks whose bytes are as the journal says; forget the others."""
        blocks = {block.start: block for block in self._blocks()}
        lines = {}
        self._journal.seek(0)
        with (self._work / "x.npy").open("rb") as file:
            for line in self._journal:
                try:
                    start, checksum, valid = json.loads(line)
                except ValueError:
                    continue  # half a line
                file.seek(blocks[start].offset)
                if zlib.crc32(file.read(len(valid) * self._clip_bytes)) == checksum:
                    self._valid[start], lines[start] = valid, line.rstrip("\n") + "\n"
        self._journal.seek(0)
        self._journal.truncate()
        self._journal.writelines(lines.values())
        self._journal.flush()

    @property
    def _clip_bytes(self) -> int:
        return self._dtype.itemsize * self._shape[1] * self._shape[2]

    def _blocks(self) -> Iterator[Block]:
        for start in range(0, self._shape[0], self._block_clips):
            yield Block(
                path=self._work / "x.npy",
                offset=self._header_bytes + start * self._clip_bytes,
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
        """Move the tensor to its place, replacing what stood there."""
        if self.n_done != self._shape[0]:
            raise ValueError(f"{self.n_done} of {self._shape[0]} clips are done")
        self._journal.close()
        valid = [n for start in sorted(self._valid) for n in self._valid[start]]
        np.save(self._work / "n_frames.npy", np.array(valid, np.int32))
        write_json(self._work / "features.json", self._description)
        with (self._work / "x.npy").open("rb") as file:
            os.fsync(file.fileno())
        for name in ("journal", "key"):
            (self._work / name).unlink()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._work.replace(self._folder)

    def __exit__(self, *_: object) -> None:
        self._journal.close()
        if not self._valid:
            shutil.rmtree(self._work, ignore_errors=True)  # nothing to go on from
        self._lock.release()  # the file stays: removing it would let a third run slip past
