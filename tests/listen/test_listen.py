"""Listening in a terminal: recordings, pipes and microphones, and everything that can go wrong."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import types

import numpy as np
import pytest
import safetensors.numpy
import soundfile
from detectors import RATE, small, words_in_noise, write_detector, write_model

from spoken_digits import audio
from spoken_digits.cli import main
from spoken_digits.errors import UserError
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import levels
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.integer.detector.sliding import SlidingDetector
from spoken_digits.listen import sources
from spoken_digits.listen.model import METADATA_KEY, open_listener, settings_path
from spoken_digits.listen.terminal import Screen
from spoken_digits.listen.watch import SILENT, TOO_LOUD, SignalWatch
from spoken_digits.models import card as model_card
from spoken_digits.rejection.labels import NOT_WORDS

SPEC = small()[0].endpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file with its detector."""
    path = tmp_path_factory.mktemp("checkout") / "models" / "small.int8.safetensors"
    path.parent.mkdir()
    return write_model(path)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    samples, _ = words_in_noise(9, 8)
    path = tmp_path_factory.mktemp("sound") / "words.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path, samples


def run(capsys, *arguments):
    """Standard output and error of one call."""
    main.main(["listen", *map(str, arguments)])
    return capsys.readouterr()


def expected(model, samples):
    listener = open_listener(model)
    silence = np.zeros(RATE, np.int16)
    return Detector(listener.detector, listener.recognise).hear(np.concatenate([samples, silence]))


def test_a_recording_gives_a_line_a_word(model, recording, capsys):
    path, samples = recording
    right = expected(model, samples)
    said = run(capsys, model, path).out.splitlines()
    words = [event for event in right if event.verdict is Verdict.WORD]
    assert 0 < len(words) < len(right)
    for line, event in zip(said, words, strict=True):
        start, _, end, *_ = line.split()
        assert float(start) == pytest.approx(event.start / RATE, abs=0.006)
        assert float(end) == pytest.approx(event.end / RATE, abs=0.006)
        assert f"wörd {event.word}" in line
        assert f"{event.confidence / 10_000:.4f}" in line
    everything = run(capsys, model, path, "--all", "--json").out.splitlines()
    objects = [json.loads(line) for line in everything]
    assert [o["verdict"] for o in objects] == [e.verdict.name.lower() for e in right]
    assert [o["start_s"] for o in objects] == [e.start / RATE for e in right]
    assert run(capsys, model, path, "--threshold", "1").out == ""


def test_a_model_is_known_by_its_name_too(model, recording, monkeypatch, capsys):
    path, _ = recording
    whole = run(capsys, model, path).out
    monkeypatch.chdir(model.parent.parent)
    assert run(capsys, "small.int8", path).out == whole != ""
    with pytest.raises(UserError, match="no model smal.int8: neither a file nor"):
        run(capsys, "smal.int8", path)


def test_a_pipe_gives_the_same_as_the_recording_at_any_pace(model, recording, monkeypatch, capsys):
    path, samples = recording
    whole = run(capsys, model, path, "--all").out
    for size in (77, 4001):
        content = io.BytesIO(samples.astype("<i2").tobytes())
        pipe = types.SimpleNamespace(read=lambda n, c=content, s=size: c.read(min(n, s)))
        monkeypatch.setattr(sources, "standard_input", lambda p=pipe: p)
        assert run(capsys, model, "-", "--all").out == whole


def test_the_program_starts_without_pytorch(model, recording):
    path, samples = recording
    program = (
        "import sys, runpy; sys.argv[0] = 'listen';"
        "runpy.run_module('spoken_digits.listen', run_name='__main__');"
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model), "-", "--json"],
        input=samples.tobytes() + b"\0",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"ended within a sample" in done.stderr
    words = [event for event in expected(model, samples) if event.verdict is Verdict.WORD]
    assert len(done.stdout.splitlines()) == len(words)
    assert path.exists()


def test_a_stream_of_another_rate_is_resampled_as_one(recording):
    _, samples = recording
    fast = (audio.resample(samples / np.float32(2**15), RATE, 44_100) * 2**15).astype("<i2")
    blocks = list(sources.from_stream(io.BytesIO(fast.tobytes()), 44_100, RATE))
    heard = np.concatenate(blocks)
    assert abs(len(heard) - len(samples)) <= 2
    n = min(len(heard), len(samples))
    inner = slice(RATE, n - RATE)
    assert np.corrcoef(heard[inner], samples[inner])[0, 1] > 0.95


def test_a_terminal_shows_level_and_floor_and_makes_room_for_words(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    spec, *_ = small()
    detector = Detector(spec, lambda clips: np.zeros((len(clips), len(spec.silent)), np.int32))
    screen = Screen(["a"], RATE, everything=False, as_json=False)
    for rms, said in ((33, " -59.9 dB"), (10_000, " -10.3 dB")):
        frame = np.tile([-rms, rms], SPEC.frame_length // 2).astype(np.int16)
        for _ in range(5):
            detector.hear(frame)
        screen.meter(
            int(levels(frame, SPEC.frame_length)[0]), SPEC.frame_length, detector.endpointer
        )
        shown = terminal.getvalue().rsplit("\r", 1)[1]
        assert shown.startswith(said)
        assert shown.count("|") == 1
        assert ("hearing" in shown) == (rms > 1000)
    screen.clear()
    assert terminal.getvalue().endswith(" \r")


# ---- a sliding window


@pytest.fixture(scope="module")
def open_model(tmp_path_factory):
    """A model with the two classes that are not words."""
    path = tmp_path_factory.mktemp("open") / "open.int8.safetensors"
    write_model(path, labels=["a", "b", *NOT_WORDS, "c"])
    write_detector(path, sliding_threshold=0.3)
    return path


def test_a_sliding_window_gives_a_line_a_word(open_model, recording, capsys):
    path, samples = recording
    listener = open_listener(open_model, sliding=True)
    detector = SlidingDetector(listener.sliding, listener.recognise)
    right = detector.hear(samples) + detector.hear(np.zeros(detector.settling, np.int16))
    said = run(capsys, open_model, path, "--sliding", "--json").out.splitlines()
    objects = [json.loads(line) for line in said]
    assert [o["end_s"] for o in objects] == [e.end / RATE for e in right]
    assert [o["word"] for o in objects] == [listener.labels[e.word] for e in right]
    assert len(right) > 5
    assert len(run(capsys, open_model, path).out.splitlines()) != len(right)
    assert run(capsys, open_model, path, "--sliding", "--threshold", "1").out == ""


def test_who_cannot_slide_says_why_in_one_line(model, open_model, recording, capsys, tmp_path):
    path, _ = recording
    with pytest.raises(UserError, match="the model has no class _silence_ or _unknown_, so it"):
        run(capsys, model, path, "--sliding")
    recurrent = write_model(tmp_path / "lstm.int8.safetensors", "int8", [*"a", *NOT_WORDS])
    with pytest.raises(UserError, match="the model hears clips of any length"):
        run(capsys, recurrent, path, "--sliding")
    with pytest.raises(UserError, match="--all shows sounds between pauses"):
        run(capsys, open_model, path, "--sliding", "--all")


def test_settings_of_before_the_sliding_window_are_still_read(
    open_model, recording, capsys, tmp_path
):
    path, _ = recording
    whole = run(capsys, open_model, path).out
    old = tmp_path / "old.int8.safetensors"
    old.write_bytes(open_model.read_bytes())
    settings = json.loads(settings_path(open_model).read_text())
    del settings["sliding_threshold"], settings["detector"]["sliding"]
    settings_path(old).write_text(json.dumps(settings))
    assert run(capsys, old, path).out == whole != ""
    with pytest.raises(UserError, match="holds no sliding window: set `detector.sliding`"):
        run(capsys, old, path, "--sliding")


# ---- what is wrong with the sound


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda tone: tone, ""),
        (lambda tone: np.clip(3 * tone, -1, 1), "the sound is clipped"),
        (lambda tone: tone + 0.2, "a constant offset of about 20 % of full scale"),
        (lambda tone: tone - 0.2, "a constant offset of about -20 % of full scale"),
        (lambda tone: 0 * tone, "nothing but digital silence"),
    ],
)
def test_what_is_wrong_with_live_sound_is_said_once(make, said, model, monkeypatch, capsys):
    tone = 0.5 * np.sin(np.arange(8 * RATE) / 3)
    samples = np.clip(np.round(make(tone) * 2**15), -(2**15), 2**15 - 1).astype("<i2")
    pipe = io.BytesIO(samples.tobytes())
    monkeypatch.setattr(sources, "standard_input", lambda: pipe)
    err = run(capsys, model, "-").err
    lines = [line for line in err.splitlines() if "listening for" not in line]
    assert len(lines) == bool(said)
    assert said in err


def test_a_fault_that_comes_back_is_said_again():
    loud, silent = np.full(RATE, 32_767, np.int16), np.zeros(4 * RATE, np.int16)
    good = (8000 * np.sin(np.arange(RATE))).astype(np.int16)
    sound = np.concatenate([loud, good, loud, loud, silent, good, silent])
    found = []
    for size in (1, 160, RATE):
        watch = SignalWatch(RATE)
        blocks = (sound[i : i + size] for i in range(0, len(sound), size))
        found.append([said for block in blocks if (said := watch.check(block))])
        assert watch.check(sound[:0]) == ""
    assert found[2] == [TOO_LOUD, TOO_LOUD, SILENT, SILENT]
    assert found[0] == found[1] == found[2]


# ---- microphones


class FakeSound:
    """The part of sounddevice that is used."""

    class PortAudioError(Exception):
        pass

    def __init__(self, samples, rates=(RATE,), error=None):
        self.samples, self.rates, self.error = samples, rates, error

    def check_input_settings(self, *, device, channels, dtype, samplerate):
        if samplerate not in self.rates:
            raise self.PortAudioError("Invalid sample rate")

    def query_devices(self, device, kind):
        if not self.rates:
            raise ValueError("No input device matching 'x'")
        return {"default_samplerate": float(self.rates[0])}

    def RawInputStream(self, *, samplerate, blocksize, callback, **_):  # noqa: N802
        if self.error:
            raise self.PortAudioError(self.error)
        for start in range(0, len(self.samples), blocksize):
            callback(self.samples[start : start + blocksize].tobytes(), blocksize, None, start == 0)
        return io.BytesIO()  # a context manager


@pytest.mark.parametrize("rate", [RATE, 2 * RATE])
def test_a_microphone_is_heard_until_it_is_unplugged(rate, recording, monkeypatch, capsys):
    _, samples = recording
    given = samples if rate == RATE else np.repeat(samples, 2)
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSound(given, rates=(rate,)))
    monkeypatch.setattr(sources, "PATIENCE_S", 0.01)
    heard = []
    with pytest.raises(UserError, match=r"given nothing for 0.01 s: is it still plugged in\?"):
        heard.extend(sources.from_microphone(RATE, None))
    got = []
    with pytest.raises(UserError):
        for block in sources.from_microphone(RATE, "1"):
            got.append(block)
    assert abs(sum(map(len, got)) - len(samples)) < 0.1 * RATE
    assert capsys.readouterr().err.count("some sound was lost") == 2


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (None, "needs the package sounddevice"),
        (FakeSound([], error="Error opening stream"), "no microphone can be used .Error opening"),
        (FakeSound([], rates=()), "no microphone can be used .No input device"),
    ],
)
def test_without_a_microphone_there_is_one_line(module, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    with pytest.raises(UserError, match=message):
        list(sources.from_microphone(RATE, None))


# ---- files


def test_a_model_without_its_detector_or_with_another_ones(model, tmp_path):
    copy = tmp_path / "other.int8.safetensors"
    copy.write_bytes(model.read_bytes())
    with pytest.raises(UserError, match=r"other.int8.detector.json is missing: make it with"):
        open_listener(copy)
    write_detector(copy, model_sha256="0" * 64)
    with pytest.raises(UserError, match="detector of another model than"):
        open_listener(copy)
    write_detector(copy, temperature=1e-12)
    with pytest.raises(UserError, match=r"detector.json: `temperature`: a step of the logits"):
        open_listener(copy)
    text = settings_path(model).read_text()
    for right, wrong, key in (
        ('"threshold": 0.65', '"threshold": 7', "threshold"),
        ('"frame_ms": 20', '"frame_ms": 15', "detector.frame_ms"),
        ('"offset_db": 6.0', '"offset_db": 60.0', "detector.offset_db"),
        ('"onset_ms"', '"onset_s"', "detector.onset_s"),
    ):
        assert right in text
        settings_path(copy).write_text(text.replace(right, wrong))
        with pytest.raises(UserError, match=f"`{key}`"):
            open_listener(copy)


def test_the_card_stands_where_models_are_written():
    assert METADATA_KEY == model_card.METADATA_KEY


def test_what_is_no_integer_model(model, tmp_path):
    card = {"scheme": "float32", "labels": ["a"], "features": {}}
    arrays = safetensors.numpy.load_file(model)
    for changes, message in (
        ({"scheme": "float32"}, "is of scheme float32: give an integer model"),
        ({"scheme": "int8", "labels": 3}, "names no labels"),
        ({"scheme": "int8", "features": 3}, "`features.kind`"),
        ({"scheme": "int8", "features": {"kind": "mfcc_int"}}, "model card"),
    ):
        path = tmp_path / "a.int8.safetensors"
        text = json.dumps(card | changes)
        safetensors.numpy.save_file(arrays, path, {METADATA_KEY: text})
        with pytest.raises(UserError, match=message):
            open_listener(path)
    path.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"not a whole .safetensors file"):
        open_listener(path)
    with pytest.raises(UserError, match="is missing"):
        open_listener(tmp_path / "none.safetensors")


@pytest.mark.parametrize("arguments", [["--threshold", "2"], ["--threshold", "x"], ["--rate", "9"]])
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit):
        run(capsys, "model", *arguments)
    assert "is not a" in capsys.readouterr().err


@pytest.mark.parametrize("bad", ["nan", "empty", "text"])
def test_bad_recordings(bad, model, tmp_path, capsys):
    path = tmp_path / "a.wav"
    if bad == "text":
        path.write_text("no sound")
    else:
        samples = np.full(RATE if bad == "nan" else 0, np.nan, np.float32)
        soundfile.write(path, samples, RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=r"a\.wav"):
        run(capsys, model, path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "--rate", "8000"], "--rate is of raw samples on standard input"),
        (["a.wav", "--device", "1"], "--device is of a microphone"),
    ],
)
def test_options_of_another_source_are_refused(arguments, message, model, capsys):
    with pytest.raises(UserError, match=message):
        run(capsys, model, *arguments)


@pytest.mark.parametrize("content", ["empty", "file"])
def test_a_pipe_that_is_empty_or_holds_a_file_is_refused(content, recording):
    path, _ = recording
    stream = io.BytesIO(path.read_bytes() if content == "file" else b"")
    with pytest.raises(UserError, match=rf"standard input is .*{content}; - reads raw 16-bit"):
        list(sources.from_stream(stream, RATE, RATE))
