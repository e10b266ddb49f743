"""One at a time: a lock that the kernel releases when its process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spoken_digits.errors import UserError


@contextmanager
def alone(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock `path`; while another process does, raise a UserError that says `refusal`."""
    from filelock import FileLock, Timeout  # only where something is locked

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(refusal) from None
    try:
        yield
    finally:
        lock.release()
