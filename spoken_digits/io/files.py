"""Files that are either whole or not there.

Everything a stage writes goes to a temporary name beside its goal and is moved into place
when complete, so a kill, an error or a full disk never leaves half a file, and outputs that
DVC has linked to its cache are replaced rather than written through.

Names beside ``name``: ``.name.PID.tmp`` is being written by that process; ``.name.PID.old`` is
the folder it is replacing. What dead processes left is swept when the same name is next written.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spoken_digits.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success move it to `path`, on any error remove it.

    The temporary path may become a file or a folder. Whatever stood at `path` is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    temporary = _beside(path, "tmp")
    remove(temporary)
    try:
        yield temporary
        move_into_place(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def move_into_place(made: Path, path: Path) -> None:
    """Rename `made` to `path`, replacing what stands there.

    A file is replaced in one step. A folder is renamed aside first and removed last, so that a
    kill at any moment leaves the old and the new one whole; `sweep` puts the old one back.
    """
    if not _exists(path) or not (_is_folder(path) or _is_folder(made)):
        made.replace(path)
        return
    aside = _beside(path, "old")
    remove(aside)
    path.replace(aside)
    try:
        made.replace(path)
    except BaseException:
        aside.replace(path)
        raise
    remove(aside)


def sweep(path: Path) -> None:
    """Remove what dead processes left beside `path`; put back the folder that one took away."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.(tmp|old)")
    if not path.parent.is_dir():
        return
    for entry in sorted(path.parent.iterdir()):
        match = pattern.fullmatch(entry.name)
        if not match or _is_alive(int(match[1])):
            continue
        with suppress(FileNotFoundError):  # another process sweeps as well
            if match[2] == "old" and not _exists(path):
                entry.replace(path)
            else:
                remove(entry)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{suffix}")


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # an earlier process of this number: numbers recur in containers
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # another user's
    return True


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; no error if nothing is there."""
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON in the given key order, with a final newline."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows under `header` as CSV with Unix line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """Read a JSON object; `made_by` is the command that makes the file, for the error."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `{made_by}`") from None
    except ValueError as error:
        raise UserError(
            f"{path} is not valid JSON ({error}): make it again with `{made_by}`"
        ) from None
    if not isinstance(content, dict):
        raise UserError(f"{path} does not hold a JSON object: make it again with `{made_by}`")
    return content


def sha256(content: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()
