"""The neural synthesiser: what it is asked, what it answers, and where its voices come from."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import japanese_voices
import numpy as np
import pytest

from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256
from spoken_digits.synthesis import kokoro


@pytest.fixture(scope="module")
def synthesiser() -> kokoro.Synthesiser:
    return kokoro.Synthesiser()


@pytest.fixture(scope="module")
def style() -> kokoro.Style:
    return japanese_voices.styles("jf_alpha")["jf_alpha"]


def test_phonemes_lie_within_the_speech_one_after_the_other(synthesiser, style):
    speech = synthesiser.say("nˈIn, sˈɪks.", style, 0.8)
    assert len(speech.bounds) == len("nˈIn, sˈɪks.") + 1
    assert np.all(np.diff(speech.bounds) >= kokoro.FRAME_SAMPLES)
    assert speech.bounds[-1] <= len(speech.samples)
    power = speech.samples**2
    words = [power[speech.bounds[a] : speech.bounds[b]].mean() for a, b in ((0, 4), (6, 11))]
    assert min(words) > 10 * power[speech.bounds[-1] :].mean()  # after the words it is quiet


def test_most_of_the_hiss_lies_where_the_s_is_said_to_be(synthesiser):
    """A shift by one frame of 25 ms the wrong way leaves less than 40 % there."""
    phonemes = "nˈIn, sˈIn, nˈIn."
    speech = synthesiser.say(phonemes, japanese_voices.styles("jm_kumo")["jm_kumo"], 0.8)
    spectrum = np.fft.rfft(speech.samples)
    spectrum[: int(5000 / kokoro.SAMPLE_RATE * len(speech.samples))] = 0  # the rest is hiss
    hiss = np.fft.irfft(spectrum, len(speech.samples)) ** 2
    start, stop = speech.bounds[phonemes.index("s") :][:2]
    assert hiss[start:stop].sum() > 0.5 * hiss.sum()


def test_the_same_request_gives_the_same_speech_and_a_slower_one_longer(synthesiser, style):
    first, again = (synthesiser.say("sˈɛvən.", style, 0.9) for _ in range(2))
    assert np.array_equal(first.samples, again.samples)
    assert len(synthesiser.say("sˈɛvən.", style, 0.5).samples) > 1.3 * len(first.samples)


@pytest.mark.parametrize(
    ("phonemes", "message"), [("", "0 phonemes"), ("ə" * 509, "509 phonemes"), ("sˈ#", "Kokoro: #")]
)
def test_what_it_cannot_say_is_refused(synthesiser, style, phonemes, message):
    with pytest.raises(ValueError, match=message):
        synthesiser.say(phonemes, style, 1.0)


def test_a_blend_lies_between_its_voices():
    styles = {"a": np.zeros((510, 256), np.float32), "b": np.ones((510, 256), np.float32)}
    assert np.allclose(kokoro.blend(styles, [("a", 0.25), ("b", 0.75)]), 0.75)
    assert np.array_equal(kokoro.blend(styles, [("b", 1.0)]), styles["b"])


def write_archive(path: Path) -> None:
    """The layout of kokoro-js with two voices."""
    with tarfile.open(path, "w:gz") as archive:
        for name, value in (("voices/bm_b.bin", 2), ("voices/af_a.bin", 1), ("LICENSE", 0)):
            content = np.full(510 * 256, value, "<f4").tobytes()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with nothing in reach: no archive and no npm."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("SPOKEN_DIGITS_ARCHIVES", raising=False)
    folder = tmp_path / "checkout"
    (folder / "data/archives").mkdir(parents=True)
    return folder


def test_without_the_archive_and_without_npm_there_are_no_voices(checkout):
    assert kokoro.read_styles(checkout) is None
    assert "npm pack kokoro-js@1.2.1" in kokoro.NOT_IN_REACH


def test_voices_are_read_from_the_archive_in_alphabetical_order(checkout, monkeypatch):
    path = checkout / "data/archives" / kokoro.STYLES_ARCHIVE
    write_archive(path)
    monkeypatch.setattr(kokoro, "_STYLES_SHA256", sha256(path.read_bytes()))
    styles = kokoro.read_styles(checkout)
    assert list(styles) == ["af_a", "bm_b"]
    assert styles["bm_b"].shape == (510, 256)
    assert np.all(styles["bm_b"] == 2)


def test_another_archive_is_refused_with_the_command_that_fetches_it(checkout):
    write_archive(checkout / "data/archives" / kokoro.STYLES_ARCHIVE)
    with pytest.raises(UserError, match=r"is not kokoro-js-1.2.1.tgz .*npm pack kokoro-js@1.2.1"):
        kokoro.read_styles(checkout)


def npm(checkout: Path, script: str) -> None:
    program = checkout.parent / "bin" / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_npm_fetches_the_archive(checkout, monkeypatch):
    path = checkout.parent / "published.tgz"
    write_archive(path)
    monkeypatch.setattr(kokoro, "_STYLES_SHA256", sha256(path.read_bytes()))
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], "/usr/bin", "/bin"]))
    npm(checkout, f'test "$*" = "pack --silent kokoro-js@1.2.1" && cp {path} kokoro-js-1.2.1.tgz')
    assert list(kokoro.read_styles(checkout)) == ["af_a", "bm_b"]


def test_an_npm_that_fails_is_like_none(checkout):
    npm(checkout, "exit 1")
    assert kokoro.read_styles(checkout) is None


def test_packages_of_another_network_are_refused(monkeypatch):
    monkeypatch.setattr(kokoro, "_NETWORK_SHA256", "0" * 64)
    with pytest.raises(UserError, match="do not hold Kokoro-82M as it was published"):
        kokoro.Synthesiser()


def test_without_the_packages_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(kokoro, "_PACKAGE", "kokoro_that_is_not_installed")
    with pytest.raises(UserError, match=r'uv pip install "spoken-digits\[spoken_voices\]"'):
        kokoro.Synthesiser()
