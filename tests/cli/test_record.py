"""`spoken-digits record`, from files and from a microphone that the tests make up."""

from __future__ import annotations

import sys
import types
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from spoken_digits.cli import main
from spoken_digits.errors import UserError
from spoken_digits.inspection.corpus import look
from spoken_digits.inspection.quality import measure

RATE = 16_000


def speech(n_words: int, seed: int = 0) -> np.ndarray:
    """Tones of 0.4 s, half a second apart."""
    samples = np.random.default_rng(seed).normal(0, 1e-3, round((0.5 + 0.9 * n_words) * RATE))
    for i in range(n_words):
        first = round((0.5 + 0.9 * i) * RATE)
        samples[first : first + 6400] += 0.3 * np.sin(np.arange(6400) * (0.1 + 0.02 * i))
    return samples.astype(np.float32)


@pytest.fixture
def phone(tmp_path):
    soundfile.write(tmp_path / "phone.flac", speech(4), RATE)
    return tmp_path / "phone.flac"


def record(*arguments):
    main.main(["record", *map(str, arguments)])


def test_words_are_cut_out_of_a_recording_in_the_order_asked_for(phone, tmp_path, capsys):
    own = tmp_path / "own"
    record("yes", "no", "--speaker", "anna", "--takes", 2, "--into", own, "--from", phone)
    names = {str(path.relative_to(own)) for path in own.rglob("*.wav")}
    assert names == {f"{word}/anna_{take}.wav" for word in ("yes", "no") for take in (0, 1)}
    for i, name in enumerate(("yes/anna_0", "no/anna_0", "yes/anna_1", "no/anna_1")):
        samples, rate = soundfile.read(own / f"{name}.wav")
        strongest = np.abs(np.fft.rfft(samples)).argmax() / samples.size * 2 * np.pi
        assert strongest == pytest.approx(0.1 + 0.02 * i, abs=0.003)
        assert rate == RATE
        assert measure(samples.astype(np.float32), rate).problems() == []
    assert f"run --words {own} --model tiny" in capsys.readouterr().out
    # Later takes are added; the folder is what `run` reads, speakers included.
    record("yes", "no", "--speaker", "ben", "--takes", 2, "--into", own, "--from", phone)
    record("yes", "no", "--speaker", "anna", "--takes", 2, "--into", own, "--from", phone)
    found = look(own)
    assert found.words == ["no", "yes"]
    assert found.counts().loc["yes"].to_dict() == {"anna": 4, "ben": 2}


def test_letters_are_composed_and_marks_belong_to_names(phone, tmp_path, capsys):
    own = tmp_path / "my own"
    arguments = ("--takes", 2, "--into", own, "--from", phone)
    record("Jose\u0301", "José", " no ", "--speaker", "राम", *arguments)
    assert f"--words '{own}' --model tiny" in capsys.readouterr().out
    found = look(own)
    assert found.words == ["José", "no"]
    assert found.counts().loc["no"].to_dict() == {"राम": 2}


def test_another_number_of_words_than_wanted_is_refused(phone, tmp_path):
    own = tmp_path / "own"
    with pytest.raises(UserError, match=r"4 words are heard \(0\.40 to .*, 6 are wanted"):
        record("yes", "no", "--speaker", "anna", "--takes", 3, "--into", own, "--from", phone)
    assert not own.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["yes", "--speaker", "../anna"], "a name is of letters and digits"),
        (["yes", "--speaker", ""], "a name is of letters and digits"),
        (["yes", "--speaker=-anna"], "a name is of letters and digits"),
        (["yes", "--speaker", "an\nna"], "a name is of letters and digits"),
        (["../yes", "--speaker", "anna"], "cannot be a folder's name"),
        (["yes", " ", "--speaker", "anna"], "one of the words is empty"),
        (["yes", "--speaker", "anna", "--into", "a\nb"], "has control characters"),
        (["yes", "--speaker", "anna", "--takes", "0"], "records nothing"),
        (["yes", "--speaker", "anna", "--seconds", "100"], "needs 0.3 to 30"),
        (["yes", "--speaker", "anna", "--into", __file__], "is a file"),
        (["yes", "--speaker", "anna", "--from", "nowhere.wav"], "does not exist"),
    ],
)
def test_mistakes_are_one_line(arguments, message):
    with pytest.raises(UserError, match=message):
        record(*arguments)


class PortAudioError(Exception):
    """As sounddevice raises it."""


class Stream:
    """Gives the takes of a list, block by block."""

    takes: ClassVar[list[np.ndarray]] = []

    def __init__(self, **settings) -> None:
        if not self.takes:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        self._left = iter(np.array_split(self.takes.pop(0), 20))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self, n: int):
        return next(self._left)[:, None], False


def microphone(monkeypatch, check=lambda **settings: None) -> None:
    module = types.ModuleType("sounddevice")
    module.PortAudioError = PortAudioError  # type: ignore[attr-defined]
    module.InputStream = Stream  # type: ignore[attr-defined]
    module.check_input_settings = check  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr("builtins.input", lambda prompt: "")


def test_a_bad_take_is_asked_for_again_and_a_good_one_kept(monkeypatch, tmp_path, capsys):
    microphone(monkeypatch)
    good = speech(1)[:16_000]
    Stream.takes = [np.clip(20 * good, -1, 1), good]
    record("yes", "--speaker", "anna", "--takes", 1, "--seconds", 1, "--into", tmp_path)
    out = capsys.readouterr()
    assert "again, please" in out.out
    assert "clipped" in out.err
    assert "\r[####" in out.err
    samples, _ = soundfile.read(tmp_path / "yes" / "anna_0.wav", dtype="float32")
    assert measure(samples, RATE).problems() == []
    assert samples.size < good.size  # silence around the word is cut


def test_a_busy_microphone(monkeypatch, tmp_path):
    microphone(monkeypatch)
    Stream.takes = []
    with pytest.raises(UserError, match="close other programs"):
        record("yes", "--speaker", "anna", "--into", tmp_path)


def test_no_microphone(monkeypatch, tmp_path):
    def none(**settings):
        raise ValueError("No input device matching")

    microphone(monkeypatch, none)
    with pytest.raises(UserError, match=r"no microphone answers.*--from"):
        record("yes", "--speaker", "anna", "--into", tmp_path)


def test_no_sounddevice(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(UserError, match=r"pip install sounddevice.*--from"):
        record("yes", "--speaker", "anna", "--into", tmp_path)


def test_nobody_at_the_terminal(monkeypatch, tmp_path):
    microphone(monkeypatch)
    monkeypatch.setattr("builtins.input", lambda prompt: (_ for _ in ()).throw(EOFError))
    with pytest.raises(UserError, match="run this in a terminal"):
        record("yes", "--speaker", "anna", "--into", tmp_path)
