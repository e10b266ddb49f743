"""Files that are either whole or not there.

Everything a stage writes goes to a temporary name beside its goal and is moved into place
when complete, so a kill, an error or a full disk never leaves half a file, and outputs that
DVC has linked to its cache are replaced rather than written through.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spoken_digits.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success move it to `path`, on any error remove it.

    The temporary path may become a file or a folder. Whatever stood at `path` is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _remove(temporary)
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        temporary.replace(path)
    except BaseException:
        _remove(temporary)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
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
