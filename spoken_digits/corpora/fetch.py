"""Fetch a file by HTTP: resumable, bounded in time and size, kept only if it is valid."""

from __future__ import annotations

import http.client
import queue
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from spoken_digits.errors import UserError

_BLOCK_BYTES = 1 << 18
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When to try again, and when to give up."""

    timeout_s: float = 20
    """Longest time without a byte from the server."""
    window_s: float = 30
    """A window of time in which `window_bytes` must arrive."""
    window_bytes: int = 64 << 10
    attempts: int = 4
    """Largest number of attempts in a row that bring less than `progress_bytes` of new data."""
    progress_bytes: int = 1 << 20
    restarts: int = 2
    """Largest number of restarts from zero, after the server sent something else."""
    backoff_s: float = 1
    """Pause before the second attempt; doubled before each further one."""


PATIENCE = Patience()


class _BrokenError(Exception):
    """An attempt that failed and may be repeated."""


class _NoAnswerError(_BrokenError):
    """Nothing answers at the address."""


class _UnusableError(Exception):
    """The data received so far is useless: the next attempt must start from zero."""


def fetch(
    url: str,
    target: Path,
    check: Callable[[Path], object],
    max_bytes: int,
    patience: Patience = PATIENCE,
) -> None:
    """Download `url` to `target`, resuming an earlier attempt that broke off.

    Parameters
    ----------
    url
        Where it is.
    target
        Its final name; a partial download lies beside it as ``.part``.
    check
        Opens the complete file and raises UserError if it is the wrong content: an HTML page
        or a truncated body never gets the final name.
    max_bytes
        Give up on a file larger than this.
    patience
        When to try again.

    Raises
    ------
    OSError
        The file cannot be written.
    UserError
        The address does not answer, breaks off or sends something else, after all retries.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = restarts = 0
    most = part.stat().st_size if part.exists() else 0
    while True:
        try:
            _attempt(url, part, max_bytes, patience)
            _accept(part, check)
            part.replace(target)
            return
        except _BrokenError as error:
            if isinstance(error, _NoAnswerError) and not failures:
                raise UserError(str(error)) from None  # no network: waiting would not help
            problem, hint = str(error), "run again to resume"
        except _UnusableError as error:
            part.unlink(missing_ok=True)
            problem, hint = str(error), "nothing of it was kept"
            restarts += 1
        size = part.stat().st_size if part.exists() else 0
        failures = 1 if size >= most + patience.progress_bytes else failures + 1
        most = max(most, size)
        if failures >= patience.attempts or restarts > patience.restarts:
            raise UserError(f"{problem}; {hint}")
        time.sleep(patience.backoff_s * 2 ** (failures - 1))


def answers(url: str, patience: Patience = PATIENCE) -> bool:
    """Whether `url` can be fetched; fetches nothing."""
    try:
        next(_receive(urllib.request.Request(url, method="HEAD"), patience))
    except (_BrokenError, UserError, ValueError):
        return False
    return True


def _accept(part: Path, check: Callable[[Path], object]) -> None:
    try:
        check(part)
    except UserError as error:
        raise _UnusableError(f"what was sent is not the archive ({error})") from None


@dataclass(frozen=True)
class _Head:
    """Start of a response."""

    status: int
    content_range: str
    length: int | None
    """Bytes that follow, if the response says so."""


def _attempt(url: str, part: Path, max_bytes: int, patience: Patience) -> None:
    """Append to `part` until the file is complete."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    stream = _receive(request, patience)
    head = next(stream)
    assert isinstance(head, _Head)
    if head.status == 416:  # the partial file is as long as the whole one, or longer
        if start and head.content_range == f"bytes */{start}":
            return
        raise _UnusableError("the address has no such range of bytes")
    if head.status == 206 and not _continues(head, start):
        raise _UnusableError("the address continued at the wrong place")
    # A 200 response to a range request is the whole file from its start.
    done = start if head.status == 206 else 0
    total = None if head.length is None else done + head.length
    with (
        part.open("ab" if done else "wb") as file,
        tqdm(
            total=total, initial=done, unit="B", unit_scale=True, desc=part.stem, disable=None
        ) as bar,
    ):
        for block in stream:
            assert isinstance(block, bytes)
            file.write(block)
            done += len(block)
            bar.update(len(block))
            if done > max_bytes:
                raise _UnusableError(f"the address sends more than {max_bytes:,} bytes")
    if total is not None and done < total:
        raise _BrokenError(f"the connection broke after {done:,} of {total:,} bytes")


def _continues(head: _Head, start: int) -> bool:
    match = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/.*", head.content_range)
    return start > 0 and match is not None and int(match[1]) == start


def _receive(request: urllib.request.Request, patience: Patience) -> Iterator[_Head | bytes]:
    """The head of the response, then its blocks.

    A separate thread talks to the network and is abandoned if it hangs: no socket time-out
    bounds a name look-up, or a header that arrives byte by byte.
    """
    items: queue.Queue[_Head | bytes | Exception | None] = queue.Queue(maxsize=16)
    given_up = threading.Event()

    def put(item: _Head | bytes | Exception | None) -> None:
        while not given_up.is_set():
            try:
                items.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def talk() -> None:
        try:
            for item in _talk(request, patience.timeout_s):
                put(item)
                if given_up.is_set():
                    return
            put(None)
        except Exception as error:  # classified in the thread that waits for it
            put(error)

    threading.Thread(target=talk, daemon=True).start()
    try:
        yield from _paced(items, patience)
    finally:
        given_up.set()


def _paced(
    items: queue.Queue[_Head | bytes | Exception | None], patience: Patience
) -> Iterator[_Head | bytes]:
    """Pass items on as long as they arrive fast enough."""
    window_end, arrived = time.monotonic() + patience.window_s, 0
    while True:
        try:
            item = items.get(timeout=max(0.0, window_end - time.monotonic()))
        except queue.Empty:
            raise _BrokenError(
                f"the address sent only {arrived:,} bytes in {patience.window_s:g} s"
            ) from None
        if item is None:
            return
        if isinstance(item, Exception):
            raise _judged(item)
        yield item
        # Do not charge the sender for the time the reader took.
        arrived += len(item) if isinstance(item, bytes) else 0
        if arrived >= patience.window_bytes:
            window_end, arrived = time.monotonic() + patience.window_s, 0


def _talk(request: urllib.request.Request, timeout_s: float) -> Iterator[_Head | bytes]:
    try:
        response = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        with error:
            yield _Head(error.code, error.headers.get("Content-Range", ""), None)
        return
    with response:
        yield _Head(response.status, response.headers.get("Content-Range", ""), response.length)
        # read1 returns the data at hand; read would wait for a whole block.
        while block := response.read1(_BLOCK_BYTES):
            yield block


def _judged(error: Exception) -> Exception:
    """The error as one to retry, or one for the user."""
    text = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, urllib.error.HTTPError):
        return _BrokenError(text) if error.code in _TRANSIENT else UserError(text)
    if isinstance(error, urllib.error.URLError):
        return _NoAnswerError(f"no answer: {str(error.reason)[:200]}")
    if isinstance(error, http.client.InvalidURL):
        return UserError(f"not an address: {text}")
    if isinstance(error, (OSError, http.client.HTTPException)):
        return _BrokenError(f"the connection broke ({text})")
    return UserError(f"not an address: {text}") if isinstance(error, ValueError) else error
