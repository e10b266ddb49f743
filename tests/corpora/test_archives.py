"""The search for archives, and the handling of broken ones."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

import pytest

from spoken_digits.corpora import archives, fetch
from spoken_digits.errors import UserError

HASTE = fetch.Patience(timeout_s=2, window_s=1, window_bytes=1000, attempts=2, backoff_s=0.01)
NOWHERE = "http://127.0.0.1:9/a.zip"  # the discard port: nothing answers


@pytest.fixture
def places(tmp_path, monkeypatch) -> list[Path]:
    """The folders searched, in order; the checkout is `tmp_path`/checkout."""
    named = tmp_path / "named"
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(named))
    places = [named, tmp_path / "checkout/data/archives", tmp_path / "shared/corpora"]
    for place in places:
        place.mkdir(parents=True)
    return places


@pytest.fixture
def site(tmp_path):
    """A folder on a local HTTP server, and its address."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/a.zip"
        httpd.shutdown()


def open_archive(path: Path) -> Path:
    """Stand-in for opening an archive: any content but `good` counts as broken."""
    if path.read_text() not in ("good", "deep down bad"):
        raise UserError(f"{path} is broken: delete it")
    return path


def verify(path: Path) -> None:
    if path.read_text() != "good":
        raise UserError(f"{path} is broken deep down")


def obtain(tmp_path: Path, url: str = NOWHERE) -> Path:
    return archives.obtain(
        ["a.zip", "b.zip"],
        url,
        tmp_path / "checkout",
        open_archive=open_archive,
        verify=verify,
        max_bytes=1000,
        patience=HASTE,
    )


def test_places_are_searched_in_order(places, tmp_path):
    for place in reversed(places):
        (place / "b.zip").write_text("good")
        assert archives.find(["a.zip", "b.zip"], tmp_path / "checkout") == place / "b.zip"
        assert obtain(tmp_path) == place / "b.zip"


def test_a_queued_experiment_finds_the_checkouts_archives(tmp_path, monkeypatch):
    monkeypatch.delenv(archives.ENVIRONMENT_VARIABLE, raising=False)
    copy = tmp_path / "checkout" / ".dvc" / "tmp" / "exps" / "one"
    (tmp_path / "checkout" / "data" / "archives").mkdir(parents=True)
    (tmp_path / "checkout" / "dvc.yaml").touch()
    (tmp_path / "checkout" / "data" / "archives" / "a.zip").touch()
    assert archives.find(["a.zip"], copy) is not None


def test_nothing_in_reach_names_every_place_and_the_ways_on(places, tmp_path):
    assert not archives.reachable(["a.zip"], NOWHERE, tmp_path / "checkout")
    with pytest.raises(UserError) as caught:
        obtain(tmp_path)
    for word in ("named", "data/archives", "shared/corpora", NOWHERE, "corpus.name=synthetic"):
        assert word in str(caught.value)


def test_an_address_that_answers_is_in_reach(places, site, tmp_path):
    folder, url = site
    assert not archives.reachable(["a.zip"], url, tmp_path / "checkout")
    (folder / "a.zip").write_text("good")
    assert archives.reachable(["a.zip"], url, tmp_path / "checkout")


def test_a_broken_archive_does_not_hide_a_good_one(places, tmp_path, capsys):
    (places[0] / "a.zip").write_text("bad")
    (places[1] / "a.zip").mkdir()
    (places[2] / "a.zip").write_text("good")
    assert obtain(tmp_path) == places[2] / "a.zip"
    [line] = capsys.readouterr().err.splitlines()
    assert f"{places[0] / 'a.zip'} is broken: delete it" in line
    assert f"using {places[2] / 'a.zip'}" in line


def test_every_broken_archive_is_named_where_none_is_good(places, tmp_path):
    for place in places:
        (place / "a.zip").write_text("bad")
    with pytest.raises(UserError) as caught:
        obtain(tmp_path)
    for place in places:
        assert f"{place / 'a.zip'} is broken: delete it" in str(caught.value)


def test_a_broken_archive_is_replaced_by_the_official_one(places, site, tmp_path):
    folder, url = site
    (folder / "a.zip").write_text("good")
    (places[1] / "a.zip").write_text("bad")
    assert obtain(tmp_path, url) == places[1] / "a.zip"
    assert (places[1] / "a.zip").read_text() == "good"


@pytest.mark.parametrize("sent", ["<html>", "deep down bad"])
def test_a_fetched_archive_is_opened_and_read_through_before_it_is_kept(
    sent, places, site, tmp_path
):
    folder, url = site
    (folder / "a.zip").write_text(sent)
    with pytest.raises(UserError, match="what was sent is not the archive"):
        obtain(tmp_path, url)
    assert not list(places[1].iterdir())
    (folder / "a.zip").write_text("good")
    assert obtain(tmp_path, url).read_text() == "good"
