from __future__ import annotations

import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spoken_digits.corpora import archives
from spoken_digits.corpora.archives import Archive
from spoken_digits.errors import UserError

CONTENT = bytes(range(256)) * 4000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; breaks off after `limit` bytes of an answer."""

    limit = len(CONTENT)
    requested: list[str | None]

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.requested.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + self.limit])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("OwnHandler", (Handler,), {"requested": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/archive.zip", handler
        httpd.shutdown()


def test_a_download_arrives_whole(server, tmp_path):
    url, _ = server
    archives.fetch(url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_download_that_broke_goes_on_from_there(server, tmp_path):
    url, handler = server
    handler.limit = 300_000
    with pytest.raises(UserError, match="the connection broke after 300,000 of 1,024,000 bytes"):
        archives.fetch(url, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
    handler.limit = len(CONTENT)
    archives.fetch(url, tmp_path / "a.zip")
    assert handler.requested == [None, "bytes=300000-"]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert not (tmp_path / "a.zip.part").exists()


def test_a_part_longer_than_the_file_is_begun_anew(server, tmp_path):
    url, _ = server
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    archives.fetch(url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_places_are_searched_in_order(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    named = tmp_path / "named"
    places = [named, root / "data" / "archives", tmp_path / "shared" / "corpora"]
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(named))
    for place in reversed(places):
        place.mkdir(parents=True)
        (place / "a.zip").touch()
        assert archives.find(["other.zip", "a.zip"], root) == place / "a.zip"


def test_a_queued_experiment_finds_the_checkouts_archives(tmp_path, monkeypatch):
    monkeypatch.delenv(archives.ENVIRONMENT_VARIABLE, raising=False)
    copy = tmp_path / "checkout" / ".dvc" / "tmp" / "exps" / "one"
    (tmp_path / "checkout" / "data" / "archives").mkdir(parents=True)
    (tmp_path / "checkout" / "dvc.yaml").touch()
    (tmp_path / "checkout" / "data" / "archives" / "a.zip").touch()
    assert archives.find(["a.zip"], copy) is not None


def test_nothing_in_reach_names_every_place_and_the_ways_on(tmp_path, monkeypatch):
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(tmp_path / "named"))
    url = "http://127.0.0.1:9/a.zip"  # the discard port: nothing answers
    assert not archives.reachable(["a.zip"], url, tmp_path / "checkout")
    with pytest.raises(UserError) as caught:
        archives.obtain(["a.zip"], url, tmp_path / "checkout")
    for word in ("named", "data/archives", "shared/corpora", url, "corpus.name=synthetic"):
        assert word in str(caught.value)


def test_an_address_that_answers_is_in_reach(server, tmp_path, monkeypatch):
    monkeypatch.delenv(archives.ENVIRONMENT_VARIABLE, raising=False)
    assert archives.reachable(["a.zip"], server[0], tmp_path)


def make_tar(path: Path, members: dict[str, bytes], link: str | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo("top/link.wav")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
    return path


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


MEMBERS = {"top/b.wav": b"b" * 1000, "top/a.wav": b"a" * 1000, "top/notes.txt": b"n"}


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_members_are_sorted_and_readable(make, tmp_path):
    archive = Archive(make(tmp_path / "archive", MEMBERS))
    assert archive.names == ["top/a.wav", "top/b.wav"]
    assert archive.read("top/b.wav") == b"b" * 1000


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["/etc/a.wav", "../a.wav", "top/../../a.wav", "c:/a.wav"])
def test_a_member_that_leads_out_is_refused(make, name, tmp_path):
    with pytest.raises(UserError, match="leads out of the archive"):
        Archive(make(tmp_path / "archive", {name: b"x"}))


def test_links_are_refused(tmp_path):
    with pytest.raises(UserError, match="is a link"):
        Archive(make_tar(tmp_path / "archive", MEMBERS, link="/etc/passwd"))
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        entry = zipfile.ZipInfo("top/link.wav")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UserError, match="is a link"):
        Archive(tmp_path / "zip")


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_a_member_larger_than_any_clip_is_refused(make, tmp_path):
    with pytest.raises(UserError, match="more than any spoken word"):
        Archive(make(tmp_path / "archive", {"top/a.wav": bytes(17 << 20)}))


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_an_archive_cut_short_is_refused(make, keep, tmp_path):
    noise = {f"top/{i}.wav": bytes((i * j * j) % 251 for j in range(5000)) for i in range(9)}
    path = make(tmp_path / "archive", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match="cut short or damaged"):
        Archive(path)


def test_a_damaged_member_is_refused_by_name(tmp_path):
    path = make_zip(tmp_path / "archive", {"top/a.wav": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"top/a.wav is cut short or damaged"):
        Archive(path).read("top/a.wav")


def test_something_else_than_an_archive_is_refused(tmp_path):
    (tmp_path / "archive").write_text("<html>not found</html>")
    with pytest.raises(UserError, match="cut short or damaged"):
        Archive(tmp_path / "archive")
