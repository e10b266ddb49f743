"""Damaged or malicious archives take bounded time and memory and give a one-line error."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from spoken_digits.corpora import unpack
from spoken_digits.corpora.unpack import Archive, Limits
from spoken_digits.errors import UserError


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


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_tar_holds_what_it_is_told_to_and_lists_the_rest(on_disk, tmp_path):
    disk = tmp_path / "new" / "folder" if on_disk else None
    path = make_tar(tmp_path / "archive", {**MEMBERS, "top/c.wav": b"c" * 10})
    archive = Archive(path, held=lambda name: name != "top/b.wav", disk=disk)
    assert archive.names == ["top/a.wav", "top/b.wav", "top/c.wav"]
    assert archive.read("top/c.wav") == b"c" * 10
    assert archive.read("top/a.wav") == b"a" * 1000
    with pytest.raises(KeyError):
        archive.read("top/b.wav")
    assert disk is None or not list(disk.iterdir())  # its file has no name


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
    with pytest.raises(UserError, match=r"'top/a.wav' is cut short or damaged"):
        Archive(path).read("top/a.wav")


def test_something_else_than_an_archive_is_refused(tmp_path):
    (tmp_path / "archive").write_text("<html>not found</html>")
    with pytest.raises(UserError, match="cut short or damaged"):
        Archive(tmp_path / "archive")


def refusal(path: Path, limits: Limits = unpack.LIMITS, most_bytes: int = 64 << 20) -> str:
    """The one line that says why `path` is refused; opening it is quick and takes little memory."""
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as caught:
            Archive(path, limits=limits).verify()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most_bytes
    assert time.monotonic() - begin < 20
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    assert len(line) < 500
    assert "official archive" in line or "fetch it again" in line
    return line


def patched(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))
    return path


def test_an_encrypted_member_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", MEMBERS)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        offset = content.index(b"PK\x01\x02")
        for entry in archive.infolist():
            content[entry.header_offset + 6] |= 1
    while offset >= 0:
        content[offset + 8] |= 1
        offset = content.find(b"PK\x01\x02", offset + 1)
    path.write_bytes(content)
    assert "'top/b.wav' is encrypted" in refusal(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_unpack_without_a_bound_are_refused(method, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.wav", bytes(1000))
    assert "is packed by method" in refusal(tmp_path / "a.zip")


def test_an_unknown_packing_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.wav": bytes(1000)})
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, 99)
    path.write_bytes(content)
    assert "is packed by method 99" in refusal(path)


def test_names_that_are_not_utf8_are_refused_or_shown_escaped(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"ä.wav": b"x"})
    assert "utf-8" in refusal(patched(path, "ä".encode(), b"\xff\xfe"))
    path = make_tar(tmp_path / "a.tar", {"\udcff/../a.wav": b"x"})
    refusal(path).encode()  # can be printed


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_a_name_with_line_ends_or_without_end_is_one_line(make, tmp_path):
    assert r"\n" in refusal(make(tmp_path / "a", {"../a\nb.wav": b"x"}))
    assert "has a name of 20,004 characters" in refusal(make(tmp_path / "b", {"n" * 20004: b"x"}))


def tar_header(kind: bytes, size: int, name: bytes = b"a.wav") -> bytes:
    """A tar header of any kind, with a size that may be false."""
    entry = tarfile.TarInfo()
    block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    block[: len(name)] = name
    block[124:136] = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"])
@pytest.mark.parametrize("size", [100 << 20, 3 << 30, 1 << 62])
def test_a_tar_name_or_header_of_gigabytes_is_refused(kind, size, tmp_path):
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        file.write(tar_header(kind, size))
        for _ in range(100):
            file.write(bytes(1 << 20))
    assert "unpacks to more than" in refusal(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("size", [17 << 20, 3 << 30, 1 << 62, 1 << 80])
def test_a_tar_member_that_says_it_is_huge_is_refused(size, tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_header(b"0", size) + bytes(1024))
    assert "more than any spoken word" in refusal(tmp_path / "a.tar")


def test_a_sparse_member_is_refused(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_header(b"S", 1000) + bytes(2048))
    assert "sparse" in refusal(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "b.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("a.wav")
        entry.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.realsize": str(1 << 40),
        }
        entry.size = 512
        archive.addfile(entry, io.BytesIO(b"1\n0\n512\n".ljust(512, b"\0")))
    refusal(tmp_path / "b.tar")


def test_a_tar_bomb_is_refused_before_it_fills_the_memory(tmp_path):
    # 400 members of 15 MB pack to 6 MB: each is allowed, all together are not.
    content = gzip.compress(bytes(15 << 20))
    with (tmp_path / "bomb.tar.gz").open("wb") as file:
        for n in range(400):
            file.write(gzip.compress(tar_header(b"0", 15 << 20, b"%d.wav" % n)) + content)
    limits = Limits(tar_bytes=100 << 20)
    line = refusal(tmp_path / "bomb.tar.gz", limits, most_bytes=130 << 20)
    assert "brings the archive past 104,857,600 bytes" in line


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(9):
            archive.writestr(f"{n}.wav", bytes(15 << 20))
    assert "past 104,857,600 bytes" in refusal(
        tmp_path / "bomb.zip", Limits(zip_bytes=100 << 20), 12 << 20
    )


def test_a_zip_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.wav": bytes(100 << 20)})
    patched(path, struct.pack("<I", 100 << 20), struct.pack("<I", 1000))
    assert "a.wav" in refusal(path, most_bytes=12 << 20)


def test_a_list_of_members_of_any_length_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", MEMBERS)
    assert "is one of more than 2" in refusal(path, Limits(members=2))
    path = make_tar(tmp_path / "a.tar", MEMBERS)
    assert "is one of more than 2" in refusal(path, Limits(members=2))
    content = bytearray(make_zip(tmp_path / "b.zip", MEMBERS).read_bytes())
    at, directory = content.index(b"PK\x01\x02"), bytes(10 << 20)
    end = content.index(b"PK\x05\x06")
    struct.pack_into("<II", content, end + 12, len(directory) + end - at, at)
    (tmp_path / "b.zip").write_bytes(content[:end] + directory + content[end:])
    assert "unpacks to more than 8,388,608 bytes" in refusal(tmp_path / "b.zip")


def test_headers_that_tarfile_would_copy_for_every_member_are_refused(tmp_path):
    headers = {f"key{n}": "x" for n in range(1000)}
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        entry = tarfile.TarInfo("a.wav")
        archive.addfile(entry)
    assert "too many headers" in refusal(path)


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(kind, tmp_path):
    path = tmp_path / "archive"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.wav", b"one")
            archive.writestr("a.wav", b"two")
    else:
        with tarfile.open(path, "w") as archive:
            archive.addfile(tarfile.TarInfo("a.wav"))
            archive.addfile(tarfile.TarInfo("a.wav"))
    assert "'a.wav' occurs twice" in refusal(path)


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_whatever_is_damaged_there_is_never_a_traceback(make, tmp_path):
    # 300 archives, each with a few bytes changed or a piece cut out.
    names = {f"top/{n}.wav": random.Random(n).randbytes(300) for n in range(5)}
    whole = make(tmp_path / "whole", names).read_bytes()
    if make is make_tar:
        whole = gzip.decompress(whole)
    path, lines = tmp_path / "damaged", []
    for seed in range(300):
        rng, content = random.Random(seed), bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            # Headers are where damage is interesting.
            near = rng.choice([*range(0, len(content), 512), len(content) - 90])
            content[min(len(content) - 1, near + rng.randrange(160))] = rng.randrange(256)
        if seed % 5 == 0:
            start = rng.randrange(len(content))
            del content[start : start + rng.randrange(1, 600)]
        path.write_bytes(content)
        try:
            Archive(path).verify()
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 50
    assert not [line for line in lines if "\n" in line]
