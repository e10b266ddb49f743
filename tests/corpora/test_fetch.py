"""Downloads from a server of this test that breaks every rule."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spoken_digits.corpora import fetch
from spoken_digits.errors import UserError

CONTENT = bytes(range(256)) * 4000
HASTE = fetch.Patience(
    timeout_s=2, window_s=1, window_bytes=1000, attempts=3, progress_bytes=100_000, backoff_s=0.01
)


class Server(socketserver.ThreadingTCPServer):
    """Answers the n-th request with the n-th of `answers`, and all further ones with the last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/archive.zip"
        self.answers: list[Callable[[Handler, int], None]] = [whole]
        self.asked: list[int] = []
        """First byte asked for by each request."""

    def handle_error(self, *_: object) -> None:
        """The client may hang up at any time."""


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        start = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"range: bytes="):
                start = int(line.split(b"=")[1].split(b"-")[0])
        self.server.asked.append(start)
        number = min(len(self.server.asked), len(self.server.answers)) - 1
        self.server.answers[number](self, start)

    def send(self, head: str, body: bytes = b"") -> None:
        self.wfile.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)


def whole(handler: Handler, start: int, limit: int = len(CONTENT)) -> None:
    """Answer as a good server does, but break off after `limit` bytes."""
    total = len(CONTENT)
    if start >= total:
        handler.send(f"HTTP/1.1 416 No\nContent-Range: bytes */{total}")
        return
    status = f"206 Part\nContent-Range: bytes {start}-{total - 1}/{total}" if start else "200 OK"
    body = CONTENT[start : start + limit]
    handler.send(f"HTTP/1.1 {status}\nContent-Length: {total - start}", body)


def cut(n_bytes: int) -> Callable[[Handler, int], None]:
    return lambda handler, start: whole(handler, start, n_bytes)


def without_ranges(handler: Handler, start: int) -> None:
    whole(handler, 0)


def page(handler: Handler, start: int) -> None:
    handler.send("HTTP/1.1 200 OK\nContent-Type: text/html", b"<html>log in first</html>")


def cut_without_length(handler: Handler, start: int) -> None:
    handler.send("HTTP/1.1 200 OK", CONTENT[:5000])


def status(code: int) -> Callable[[Handler, int], None]:
    return lambda handler, start: handler.send(f"HTTP/1.1 {code} Reason\nContent-Length: 0")


def raw(answer: bytes) -> Callable[[Handler, int], None]:
    return lambda handler, start: handler.wfile.write(answer) and None


def wrong_range(text: str) -> Callable[[Handler, int], None]:
    """A good start, then a break; after that, parts of the file that were not requested."""

    def answer(handler: Handler, start: int) -> None:
        if start:
            handler.send(f"HTTP/1.1 206 Part\n{text}", CONTENT[7:])
        else:
            whole(handler, 0, 300_000)

    return answer


def drip(before: bytes) -> Callable[[Handler, int], None]:
    """`before`, then a byte every 50 ms."""

    def answer(handler: Handler, start: int) -> None:
        handler.wfile.write(before)
        for _ in range(400):
            handler.wfile.write(b"1")
            time.sleep(0.05)

    return answer


def endless(handler: Handler, start: int) -> None:
    handler.send("HTTP/1.1 200 OK")
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(CONTENT)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def is_content(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise UserError(f"{path} is not an archive")


@pytest.fixture
def get(server, tmp_path):
    """Fetch from `answers`; return the file's content."""

    def get(*answers: Callable[[Handler, int], None], **changes) -> bytes:
        server.answers = list(answers)
        begin = time.monotonic()
        try:
            options = {"check": is_content, "max_bytes": 2_000_000, "patience": HASTE, **changes}
            fetch.fetch(server.url, tmp_path / "a.zip", **options)
        finally:
            assert time.monotonic() - begin < 15
        assert not (tmp_path / "a.zip.part").exists()
        return (tmp_path / "a.zip").read_bytes()

    return get


def test_a_download_arrives_whole(get, server):
    assert get(whole) == CONTENT
    assert server.asked == [0]


def test_a_broken_download_resumes_at_once(get, server):
    assert get(cut(300_000), cut(200_000), whole) == CONTENT
    assert server.asked == [0, 300_000, 500_000]


def test_a_broken_download_resumes_in_the_next_run(get, server, tmp_path):
    nothing = raw(b"")
    with pytest.raises(UserError, match=r"broke.*; run again to resume"):
        get(cut(300_000), nothing)
    assert not (tmp_path / "a.zip").exists()
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:300_000]
    server.asked.clear()
    assert get(whole) == CONTENT
    assert server.asked == [300_000]


def test_a_slow_line_may_break_as_often_as_it_likes_while_it_brings_something(get, server):
    assert get(cut(120_000)) == CONTENT
    assert len(server.asked) == 9


def test_attempts_that_bring_nothing_are_counted(get, server):
    with pytest.raises(UserError, match="broke after 30 of 1,024,000 bytes"):
        get(cut(10))
    assert len(server.asked) == HASTE.attempts


def test_an_address_that_ignores_ranges_sends_all_again(get, server):
    assert get(cut(300_000), without_ranges) == CONTENT
    assert server.asked == [0, 300_000]


@pytest.mark.parametrize("left", [CONTENT + b"more", CONTENT[::-1], b"<html>", CONTENT[1:]])
def test_leftovers_of_an_earlier_run_do_not_matter(left, get, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(left)
    assert get(whole) == CONTENT


def test_a_part_that_is_the_whole_is_taken(get, server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert get(whole) == CONTENT
    assert server.asked == [len(CONTENT)]


BREAKS = {
    "bad status line": raw(b"HELLO\r\n\r\n"),
    "no answer": raw(b""),
    "bad chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
    "cut chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nabc"),
    "negative chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"),
    "header without end": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000),
    "headers without end": raw(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 500),
    "bad length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc"),
    "negative length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc"),
    "busy": status(503),
    "page": page,
    "cut without length": cut_without_length,
    "empty": status(200),
    "no content": status(204),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_single_failure_is_retried(name, get):
    assert get(BREAKS[name], whole) == CONTENT


@pytest.mark.parametrize("name", BREAKS)
def test_a_permanent_failure_gives_one_line_and_keeps_nothing_wrong(name, get, server, tmp_path):
    with pytest.raises(UserError) as caught:
        get(BREAKS[name])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert 1 < len(server.asked) <= HASTE.attempts
    assert not (tmp_path / "a.zip").exists()
    assert get(whole) == CONTENT  # healed


@pytest.mark.parametrize(
    "header",
    [
        "Content-Range: bytes 7-1023999/1024000",
        "Content-Range: bytes x",
        "Content-Range: bytes 300000-",
        "X: none",
    ],
)
def test_another_range_than_asked_for_is_never_taken(header, get, server):
    answers = [wrong_range(header), wrong_range(header), whole]
    assert get(*answers, check=lambda path: None) == CONTENT
    assert server.asked == [0, 300_000, 0]


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_refusal_is_not_asked_again(code, get, server):
    with pytest.raises(UserError, match=f"HTTP Error {code}"):
        get(status(code))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1024000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["status", "header", "body", "length", "chunk"],
)
def test_a_byte_at_a_time_is_given_up(before, get):
    with pytest.raises(UserError, match="the address sent only .* bytes in 1 s"):
        get(drip(before), patience=dataclasses.replace(HASTE, attempts=1))


def test_a_file_without_end_is_given_up(get, tmp_path):
    with pytest.raises(UserError, match="sends more than 2,000,000 bytes"):
        get(endless)
    assert not list(tmp_path.iterdir())


def test_redirects_that_lead_nowhere_are_one_line(get, server):
    with pytest.raises(UserError, match=r"redirect|not an address"):
        get(raw(f"HTTP/1.1 302 There\r\nLocation: {server.url}\r\n\r\n".encode()))
    with pytest.raises(UserError):
        get(raw(b"HTTP/1.1 302 There\r\nLocation: file:///etc/passwd\r\n\r\n"))
    with pytest.raises(UserError):
        get(raw(b"HTTP/1.1 302 There\r\nLocation: http://[::1/\r\n\r\n"))


def test_no_network_is_said_at_once(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.zip"
        slow = fetch.Patience(backoff_s=60)
        begin = time.monotonic()
        with pytest.raises(UserError, match="no answer"):
            fetch.fetch(url, tmp_path / "a.zip", is_content, 100, slow)
        assert time.monotonic() - begin < 5
        assert not fetch.answers(url)


def test_a_full_disk_is_not_taken_for_a_broken_line(get, tmp_path):
    (tmp_path / "a.zip.part").mkdir()
    with pytest.raises(OSError, match="a.zip.part"):
        get(whole)


def test_whether_an_address_answers(server):
    assert fetch.answers(server.url, HASTE)
    for bad in (status(404), raw(b"HELLO\r\n\r\n"), raw(b""), drip(b"HTTP/1.1 200 OK\r\nX: ")):
        server.answers = [bad]
        assert not fetch.answers(server.url, HASTE)
    assert not fetch.answers("nonsense", HASTE)
