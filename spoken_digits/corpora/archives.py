"""Published archives: found, fetched, and read with care.

An archive is looked for in the folder named by SPOKEN_DIGITS_ARCHIVES, in ``data/archives/``,
in ``../shared/corpora/`` beside the checkout, and at its official address, in this order.
Where it came from is not a parameter and leaves no trace in the outputs: what counts is the
content, which the caller verifies.
"""

from __future__ import annotations

import os
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from spoken_digits.errors import UserError

ENVIRONMENT_VARIABLE = "SPOKEN_DIGITS_ARCHIVES"
_TIMEOUT_S = 20
_BLOCK_BYTES = 1 << 18
_MAX_MEMBER_BYTES = 16 << 20  # a spoken word is far below: anything larger is not a clip
_MAX_TOTAL_BYTES = 8 << 30


def folders(root: Path) -> list[Path]:
    """The folders searched, in order. `root` is the top of the checkout."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    first = [Path(named)] if named else []
    # A queued experiment runs in a copy under .dvc/tmp: its checkout's own folders count too.
    tops = [root, *(above for above in root.parents if (above / "dvc.yaml").is_file())]
    beside = [(top / "data" / "archives", top.parent / "shared" / "corpora") for top in tops]
    return [*first, *(folder for pair in beside for folder in pair)]


def find(names: Sequence[str], root: Path) -> Path | None:
    """The first archive with one of `names` in the folders searched, if any."""
    for folder in folders(root):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def reachable(names: Sequence[str], url: str, root: Path) -> bool:
    """Whether the archive is in a folder searched, or its official address answers."""
    if find(names, root) is not None:
        return True
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False


def obtain(names: Sequence[str], url: str, root: Path) -> Path:
    """The archive's path, fetched from `url` into ``data/archives/`` if it is nowhere else.

    Raises
    ------
    UserError
        It can't be had: the text names each place tried and the ways on.
    """
    found = find(names, root)
    if found is not None:
        return found
    target = root / "data" / "archives" / names[0]
    try:
        fetch(url, target)
    except (OSError, UserError) as error:
        searched = ", ".join(str(folder) for folder in folders(root))
        raise UserError(
            f"no archive {names[0]}: looked in {searched} and at {url} ({error}). "
            f"Put the archive into data/archives/ (or a folder named by {ENVIRONMENT_VARIABLE}), "
            "or run without it: `dvc exp run -S corpus.name=synthetic`"
        ) from None
    return target


def fetch(url: str, target: Path) -> None:
    """Download `url` to `target`, going on where an earlier attempt broke off.

    Raises
    ------
    OSError
        The address does not answer or the disk is full; what came so far is kept beside
        `target` as ``.part`` for the next attempt.
    UserError
        The connection broke before the end.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # the part is as long as the file, or longer: begin anew
            part.unlink()
            fetch(url, target)
            return
        raise
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        total = int(length) + (start if resumed else 0) if length else None
        done = start if resumed else 0
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(
                total=total, initial=done, unit="B", unit_scale=True, desc=target.name, disable=None
            ) as bar,
        ):
            while block := response.read(_BLOCK_BYTES):
                file.write(block)
                done += len(block)
                bar.update(len(block))
    if total is not None and done < total:
        raise UserError(
            f"the connection broke after {done:,} of {total:,} bytes; run again to go on from there"
        )
    part.replace(target)


class Archive:
    """The WAV files of a tar or zip archive, by name, read without unpacking to disk.

    Raises
    ------
    UserError
        Not an archive, cut short, damaged, or with a member that has no place in one: a path
        that leaves the archive, a link, a clip larger than any spoken word.
    """

    def __init__(self, path: Path, suffix: str = ".wav", keep: Sequence[str] = ()) -> None:
        self.path = path
        self._contents: dict[str, bytes] = {}
        self._zip: zipfile.ZipFile | None = None
        with self._explained():
            if zipfile.is_zipfile(path):
                self._zip = zipfile.ZipFile(path)
                self.names = sorted(self._checked_zip_names(self._zip, suffix, keep))
            else:
                self._contents = dict(self._read_tar(suffix, keep))
                self.names = sorted(self._contents)

    def read(self, name: str) -> bytes:
        """The member's content; its checksum is verified."""
        if self._zip is None:
            return self._contents[name]
        with self._explained(name):
            return self._zip.read(name)

    def _checked_zip_names(
        self, archive: zipfile.ZipFile, suffix: str, keep: Sequence[str]
    ) -> Iterator[str]:
        total = 0
        for entry in archive.infolist():
            is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
            total += entry.file_size
            self._check(entry.filename, entry.file_size, total, is_link)
            if not entry.is_dir() and _wanted(entry.filename, suffix, keep):
                yield entry.filename

    def _read_tar(self, suffix: str, keep: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        # A compressed tar can only be read from front to back, so its clips are held in memory.
        total = 0
        with tarfile.open(self.path, "r:*") as archive:
            for member in archive:
                total += member.size
                odd = not (member.isfile() or member.isdir())
                self._check(member.name, member.size, total, odd)
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None and _wanted(member.name, suffix, keep):
                    yield member.name, file.read()

    def _check(self, name: str, size: int, total: int, is_link: bool) -> None:
        parts = PurePosixPath(name.replace("\\", "/"))
        problem = None
        if parts.is_absolute() or ".." in parts.parts or ":" in name:
            problem = "leads out of the archive"
        elif is_link:
            problem = "is a link or a device"
        elif size > _MAX_MEMBER_BYTES:
            problem = f"unpacks to {size:,} bytes, more than any spoken word"
        elif total > _MAX_TOTAL_BYTES:
            problem = f"brings the archive past {_MAX_TOTAL_BYTES:,} bytes"
        if problem:
            raise UserError(f"{self.path}: member {name!r} {problem}: fetch the official archive")

    @contextmanager
    def _explained(self, member: str = "") -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            where = f"{self.path}: {member}" if member else str(self.path)
            reason = str(error).partition("\n")[0].rstrip(":")
            raise UserError(
                f"{where} is cut short or damaged ({reason}): delete the archive and fetch it again"
            ) from None


def _wanted(name: str, suffix: str, keep: Sequence[str]) -> bool:
    return name.endswith(suffix) or PurePosixPath(name).name in keep
