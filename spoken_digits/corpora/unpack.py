"""The clips of a tar or zip archive, read without unpacking to disk.

An archive comes from outside and may be damaged or malicious. Whatever it holds, reading it
takes bounded memory and time and yields the clips or one `UserError`.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
import weakref
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from tqdm import tqdm

from spoken_digits.errors import UserError

_BLOCK_BYTES = 1 << 18
_MAX_TAR_READ_BYTES = 1 << 20  # a header that asks for more is an attack on memory
_MAX_ZIP_READ_BYTES = 8 << 20  # the list of members is read in one piece
_MAX_GLOBAL_HEADERS = 100  # tarfile copies them for every member
_MAX_NAME_CHARACTERS = 1000
_SHOWN_CHARACTERS = 60
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack without a bound
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the content of an archive."""

    members: int = 200_000
    member_bytes: int = 16 << 20
    """Unpacked bytes of one member; the longest clip of any corpus is far below."""
    tar_bytes: int = 256 << 20
    """Unpacked bytes of a tar archive: its clips are held, in memory unless on disk."""
    zip_bytes: int = 8 << 30
    """Unpacked bytes of a zip archive: its clips are read one at a time."""


LIMITS = Limits()


class Archive:
    """The WAV files of a tar or zip archive, by name.

    Parameters
    ----------
    path
        The archive; its content decides whether it is a tar or a zip.
    keep
        Base names of members to offer beside the WAV files.
    limits
        Limits on its content.
    held
        Which members of a tar can be read, by name; the others are only listed. None: all.
    disk
        Folder for a nameless file that holds the members of a tar, for more than fits in memory;
        it goes with the process. None: memory.

    Raises
    ------
    UserError
        Not an archive, truncated, damaged, encrypted, or with an unacceptable member: a path
        that leaves the archive, a link, a name that occurs twice, a clip larger than any
        spoken word.
    """

    def __init__(
        self,
        path: Path,
        keep: Sequence[str] = (),
        limits: Limits = LIMITS,
        held: Callable[[str], bool] | None = None,
        disk: Path | None = None,
    ) -> None:
        self.path = path
        self._keep = keep
        self._limits = limits
        self._held = held
        self._store = _Store(disk)
        # Clips are read as long as anybody holds the archive.
        weakref.finalize(self, self._store.close)
        self._zip: zipfile.ZipFile | None = None
        with self._explained():
            if zipfile.is_zipfile(path):
                file = _BoundedFile(path.open("rb"), path, 1 << 62, _MAX_ZIP_READ_BYTES)
                weakref.finalize(self, file.close)
                self._zip = zipfile.ZipFile(cast(IO[bytes], file))
                names = list(self._checked_zip_names(self._zip))
            else:
                names = list(self._read_tar())
        self.names = sorted(names)
        (twice, count), *_ = Counter(names).most_common(1) or [("", 0)]
        if count > 1:
            raise self._refused(twice, "occurs twice")

    def read(self, name: str) -> bytes:
        """The member's content; its checksum is verified."""
        if self._zip is None:
            return self._store.read(name)
        with self._explained(name):
            entry = self._zip.getinfo(name)
            with self._zip.open(entry) as file:
                # Read the stated size, not to the end: a false size would make that far away.
                content = bytearray()
                while left := entry.file_size - len(content):
                    block = file.read(min(left, _BLOCK_BYTES))
                    if not block:
                        raise EOFError("ends early")
                    content += block
            return bytes(content)

    def verify(self) -> None:
        """Read every member once.

        Raises
        ------
        UserError
            A member is damaged.
        """
        for name in self.names:
            self.read(name)

    def _checked_zip_names(self, archive: zipfile.ZipFile) -> Iterator[str]:
        total = 0
        for count, entry in enumerate(archive.infolist(), 1):
            total += entry.file_size
            is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
            self._check(entry.filename, entry.file_size, is_link, count)
            self._check_total(entry.filename, total, self._limits.zip_bytes)
            if entry.is_dir() or not self._wanted(entry.filename):
                continue
            if entry.flag_bits & 1:
                raise self._refused(entry.filename, "is encrypted")
            if entry.compress_type not in _PACKINGS:
                raise self._refused(
                    entry.filename, f"is packed by method {entry.compress_type}, not deflated"
                )
            if entry.compress_size > self._limits.member_bytes:
                raise self._refused(entry.filename, "is larger packed than any spoken word")
            yield entry.filename

    def _read_tar(self) -> Iterator[str]:
        # A compressed tar can only be read from front to back, so its clips are held.
        with self.path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
        unpacked = (gzip.open if packed else open)(self.path, "rb")
        bounded = _BoundedFile(
            cast(IO[bytes], unpacked), self.path, self._limits.tar_bytes, _MAX_TAR_READ_BYTES
        )
        with bounded, tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r:") as archive:
            members = tqdm(archive, desc=self.path.name, unit="file", disable=None, delay=2)
            for count, member in enumerate(members, 1):
                is_odd = not (member.isfile() or member.isdir()) or member.issparse()
                self._check(member.name, member.size, is_odd, count)
                end = member.offset_data + member.size
                self._check_total(member.name, end, self._limits.tar_bytes)
                if len(archive.pax_headers) > _MAX_GLOBAL_HEADERS:
                    raise self._refused(member.name, "follows too many headers")
                file = archive.extractfile(member) if self._wanted(member.name) else None
                if file is not None:
                    if self._held is None or self._held(member.name):
                        self._store.add(member.name, file)
                    yield member.name
                # tarfile would keep the headers of all members.
                archive.members.clear()  # type: ignore[attr-defined]

    def _wanted(self, name: str) -> bool:
        return name.endswith(".wav") or PurePosixPath(name).name in self._keep

    def _check(self, name: str, size: int, is_odd: bool, count: int) -> None:
        parts = PurePosixPath(name.replace("\\", "/"))
        problem = None
        if len(name) > _MAX_NAME_CHARACTERS:
            problem = f"has a name of {len(name):,} characters"
        elif parts.is_absolute() or ".." in parts.parts or ":" in name:
            problem = "leads out of the archive"
        elif is_odd:
            problem = "is a link, a device or a sparse file"
        elif not 0 <= size <= self._limits.member_bytes:
            problem = f"unpacks to {size:,} bytes, more than any spoken word"
        elif count > self._limits.members:
            problem = f"is one of more than {self._limits.members:,}"
        if problem:
            raise self._refused(name, problem)

    def _check_total(self, name: str, total: int, limit: int) -> None:
        if total > limit:
            raise self._refused(name, f"brings the archive past {limit:,} bytes")

    def _refused(self, name: str, problem: str) -> UserError:
        return UserError(
            f"{self.path}: member {_shown(name)} {problem}: "
            "put the official archive in its place, or delete it to have that fetched"
        )

    @contextmanager
    def _explained(self, member: str = "") -> Iterator[None]:
        try:
            yield
        except UserError:
            raise
        # Python's readers raise nearly every kind of exception on damaged archives.
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            where = f"{self.path}: {_shown(member)}" if member else str(self.path)
            reason = str(error).partition("\n")[0].rstrip(":")[:200] or type(error).__name__
            raise UserError(
                f"{where} is cut short or damaged ({reason}): delete the archive and fetch it again"
            ) from None


class _Store:
    """Contents by name, one after another in memory or in a nameless file in `folder`."""

    def __init__(self, folder: Path | None) -> None:
        self._file: IO[bytes] = io.BytesIO()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            # Open as long as the archive is; it has no name, so a kill leaves nothing behind.
            self._file = cast(IO[bytes], tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
        self._places: dict[str, tuple[int, int]] = {}

    def add(self, name: str, file: IO[bytes]) -> None:
        start = self._file.seek(0, io.SEEK_END)
        shutil.copyfileobj(file, self._file, _BLOCK_BYTES)
        self._places[name] = (start, self._file.tell() - start)

    def read(self, name: str) -> bytes:
        start, size = self._places[name]
        self._file.seek(start)
        return self._file.read(size)

    def close(self) -> None:
        self._file.close()


class _BoundedFile(io.RawIOBase):
    """A file for tarfile or zipfile that limits the bytes read, in total and at once."""

    def __init__(self, file: IO[bytes], path: Path, max_bytes: int, max_read_bytes: int) -> None:
        self._file = file
        self._path = path
        self._max_bytes = max_bytes
        self._max_read_bytes = max_read_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # Seeking forward in a compressed file unpacks everything in between.
        if whence == io.SEEK_SET:
            self._check(offset <= self._max_bytes, self._max_bytes)
            if offset < 0:
                raise EOFError("a member begins before the archive does")
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            content = self._file.read(self._max_read_bytes + 1)
            self._check(len(content) <= self._max_read_bytes, self._max_read_bytes)
            return content
        self._check(size <= self._max_read_bytes, self._max_read_bytes)
        self._check(self._file.tell() + size <= self._max_bytes, self._max_bytes)
        return self._file.read(size)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _check(self, within: bool, limit: int) -> None:
        if not within:
            raise UserError(
                f"{self._path} unpacks to more than {limit:,} bytes, too large for an archive of "
                "spoken words: delete it and fetch the official archive"
            )


def _shown(name: str) -> str:
    """A member's name for a message: escaped, and at most one line long."""
    return repr(name if len(name) <= _SHOWN_CHARACTERS else f"...{name[-_SHOWN_CHARACTERS:]}")
