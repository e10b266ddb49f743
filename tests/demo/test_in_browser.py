"""The page in Chromium: every decision as in Python, and one clear line for what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import chromium
import numpy as np
import pytest
import scipy.signal
import soundfile
from chromium import Browser
from detectors import RATE, words_in_noise, write_model, write_open_model
from recordings import REPOSITORY

from spoken_digits.demo import making, module
from spoken_digits.demo.page import page
from spoken_digits.demo.parts import read
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.listen.model import open_listener

pytestmark = pytest.mark.skipif(
    chromium.EXECUTABLE is None or bool(module.missing()),
    reason=f"needs chromium {module.PACKAGES}",
)
KINDS = ("graph", "int8")
OPEN = "open"
FIELDS = ("verdict", "word", "confidence", "start", "end", "decided")


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """A network of convolutions, an LSTM, and a network that a window slides with."""
    folder = tmp_path_factory.mktemp("models")
    found = {kind: write_model(folder / f"{kind}.int8.safetensors", kind) for kind in KINDS}
    return found | {OPEN: write_open_model(folder / f"{OPEN}.int8.safetensors")}


@pytest.fixture(scope="module")
def browser(models, tmp_path_factory):
    """The page with all of them, from a file."""
    folder = tmp_path_factory.mktemp("page")
    for kind, model in models.items():
        making.make(model, REPOSITORY / "firmware", folder / kind)
    path = folder / "page.html"
    path.write_text(page([read(folder / kind) for kind in models]), encoding="utf-8")
    with Browser(folder / "profile") as browser:
        browser.address = path.as_uri()
        yield browser


@pytest.fixture
def opened(browser) -> Browser:
    """The page anew."""
    browser.complaints.clear()
    browser.open(browser.address)
    browser.wait_for("state.engine !== null")
    browser.evaluate(
        "Object.assign(window, { events: [], fed: [], isOver: false });"
        "document.addEventListener('heard', ({ detail }) => events.push(detail));"
        "document.addEventListener('ended', () => { isOver = true; });"
    )
    return browser


def text_of(browser: Browser, identity: str) -> str:
    return str(browser.evaluate(f"at('{identity}').hidden ? '' : at('{identity}').textContent"))


def heard(browser: Browser, path: Path) -> list[tuple[int, ...]]:
    """The events of a recording that is chosen on the page."""
    browser.choose_file("#file", path)
    browser.wait_for("window.isOver")
    return [tuple(event[field] for field in FIELDS) for event in browser.evaluate("events")]


def expected(model: Path, samples: np.ndarray, *, sliding: bool = False) -> list[tuple[int, ...]]:
    listener = open_listener(model, sliding=sliding)
    detector = listener.listening()
    spec = listener.detector.endpoint
    n_quiet = detector.settling if sliding else (spec.hangover + 1) * spec.frame_length
    events = detector.hear(np.append(samples, np.zeros(n_quiet, np.int16)))
    return [tuple(int(getattr(event, field)) for field in FIELDS) for event in events]


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_are_those_of_python(kind, models, opened, tmp_path):
    samples, _ = words_in_noise(11, 12)
    soundfile.write(tmp_path / "words.wav", samples, RATE, subtype="PCM_16")
    opened.evaluate(f"choose('{kind}.int8')")
    found = heard(opened, tmp_path / "words.wav")
    assert found == expected(models[kind], samples)
    verdicts = {verdict for verdict, *_ in found}
    assert verdicts >= {Verdict.WORD, Verdict.TOO_SHORT, Verdict.TOO_LONG}
    words = [event for event in opened.evaluate("events") if event["word"] >= 0]
    for event in words:
        probabilities = opened.evaluate(f"state.engine.probabilities({event['logits']})")
        assert max(probabilities) == pytest.approx(event["confidence"] / 10_000, abs=0.002)
        assert 0 < event["microseconds"] < 1e6
    n_words = sum(verdict == Verdict.WORD for verdict, *_ in found)
    assert text_of(opened, "count") == f"{n_words} words."
    rows = opened.evaluate("[...at('list').tBodies[0].rows].map((row) => row.cells[1].textContent)")
    assert [row for row in rows if row] == [f"{e['confidence'] / 1e4:.4f}" for e in words[::-1]]
    assert opened.complaints == []


def test_words_in_a_sliding_window_are_those_of_python(models, opened, tmp_path):
    samples, _ = words_in_noise(14, 12)
    soundfile.write(tmp_path / "words.wav", samples, RATE, subtype="PCM_16")
    assert opened.evaluate("at('ways').offsetParent") is None  # this model has no window
    opened.evaluate(f"choose('{OPEN}.int8')")
    opened.wait_for(f"state.engine.model.name === '{OPEN}.int8' && !at('ways').hidden")
    assert heard(opened, tmp_path / "words.wav") == expected(models[OPEN], samples)
    facts = text_of(opened, "facts")
    opened.evaluate(
        "at('how').value = 1; at('how').dispatchEvent(new Event('change'));"
        "Object.assign(window, { events: [], isOver: false }); 1"
    )
    assert opened.evaluate("at('everything').disabled")
    assert text_of(opened, "facts") != facts  # its own threshold and memory
    found = heard(opened, tmp_path / "words.wav")
    assert found == expected(models[OPEN], samples, sliding=True)
    assert len(found) > 3
    assert all(event["microseconds"] > 0 for event in opened.evaluate("events"))
    assert opened.evaluate("state.engine.floorDb") is None
    opened.evaluate("choose('graph.int8')")
    opened.wait_for("state.engine.model.name === 'graph.int8'")
    assert opened.evaluate("at('ways').hidden && state.engine.how") == 0
    assert opened.complaints == []


def test_another_rate_is_resampled_and_from_there_on_all_is_equal(models, opened, tmp_path):
    samples, _ = words_in_noise(12, 4)
    faster = np.repeat(samples, 6) / 2**15  # images above 4 kHz, which must not fold back
    soundfile.write(tmp_path / "fast.wav", np.stack([faster, faster], 1), 48_000, subtype="FLOAT")
    opened.evaluate(
        "const original = state.engine.hear.bind(state.engine);"
        "state.engine.hear = (block) => { fed.push(...block); return original(block); };"
    )
    found = heard(opened, tmp_path / "fast.wav")
    fed = np.array(opened.evaluate("fed"), np.int16)[: len(samples)]
    assert found == expected(models["graph"], fed)
    assert np.corrcoef(fed, samples)[0, 1] > 0.9
    assert np.abs(fed).mean() == pytest.approx(np.abs(samples).mean(), rel=0.2)
    assert "48,000 Hz, resampled to 8,000 Hz" in text_of(opened, "state")


RESAMPLE = """
((rate, frequency, block) => {
  const resampler = new Resampler(rate, 8000), made = [];
  const tone = (i) => 0.5 * Math.sin(2 * Math.PI * frequency * i / rate);
  const samples = Array.from({ length: rate }, (_, i) => 0.1 + tone(i));
  for (let i = 0; i < rate; i += block) made.push(...resampler.push(samples.slice(i, i + block)));
  return [...made, ...resampler.end()];
})"""


@pytest.mark.parametrize("rate", [4000, 16_000, 44_100, 48_000])
def test_the_resampler_passes_speech_and_stops_the_rest(rate, opened):
    def made(frequency: float, block: int = 1024) -> np.ndarray:
        return np.array(opened.evaluate(f"{RESAMPLE}({rate}, {frequency}, {block})"))

    low = made(1000.0)
    assert len(low) == 8000
    right = 3276.8 + 16384 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    np.testing.assert_allclose(low[100:-100], right[100:-100], atol=40)  # 0.02 dB
    assert made(1000.0, 77).tolist() == low.tolist()
    constant = made(0.0)
    assert set(constant.tolist()) == {3277}
    if rate > 8000:
        np.testing.assert_allclose(made(5000.0)[100:-100], 3277, atol=8)  # 66 dB


def test_the_resampler_is_a_low_pass_in_blackmans_window(opened):
    taps = np.array(opened.evaluate("[...new Resampler(16000, 8000).filters[0]]"))
    expected = np.sinc(0.975 * np.arange(-47, 49) / 2) * scipy.signal.windows.blackman(97)[1:]
    np.testing.assert_allclose(taps, expected / expected.sum(), atol=1e-14)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("song.mp3", b"ID3", "song.mp3 is no WAV file: convert it with `ffmpeg"),
        ("cut.wav", b"RIFF\0\0\0\0WAVEfmt ", "cut.wav is a damaged WAV file, without a format"),
        ("nan.wav", [0.0, np.nan], "nan.wav holds values that are no numbers"),
        ("odd.wav", [0.5] * 99, "odd.wav has a sample rate of 44099 Hz, which cannot be brought"),
    ],
)
def test_a_file_that_cannot_be_heard_is_one_line(name, content, said, opened, tmp_path):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        rate = 44_099 if name == "odd.wav" else RATE
        soundfile.write(path, np.array(content), rate, subtype="FLOAT")
    opened.choose_file("#file", path)
    opened.wait_for("!at('banner').hidden")
    assert text_of(opened, "banner").startswith(said)
    samples, _ = words_in_noise(13, 1)
    soundfile.write(tmp_path / "good.wav", samples, RATE, subtype="PCM_16")
    assert heard(opened, tmp_path / "good.wav") != []
    assert text_of(opened, "banner") == ""
    assert opened.complaints == []


def test_samples_are_rounded_as_numpy_rounds(opened):
    values = [-40_000, -32_768.5, -2.5, -1.5, -0.5, 0.49, 0.5, 1.5, 2.5, 32_766.5, 40_000]
    right = np.clip(np.round(values), -(2**15), 2**15 - 1).tolist()
    assert opened.evaluate(f"{values}.map(toInt16)") == right


def test_a_recording_may_be_silent_between_words(opened):
    judged = """
    ((last) => {
      const watch = new SignalWatch(8000, false);
      const samples = new Float32Array(64000);
      samples[0] = last;
      return [watch.check(samples), watch.hasSounded];
    })"""
    assert opened.evaluate(f"{judged}(0.5)") == ["", True]
    assert opened.evaluate(f"{judged}(0)") == ["", False]


def test_what_is_wrong_with_the_sound_is_said(opened):
    judged = """
    ((make) => {
      const watch = new SignalWatch(8000);
      const samples = Float32Array.from({ length: 32000 }, (_, i) => make(i));
      const said = watch.check(samples);
      return [said, samples.every(Number.isFinite)];
    })"""
    good = "0.5 * Math.sin(i)"
    sounds = {
        good: "",
        f"i === 9 ? NaN : {good}": "no numbers",
        f"i === 9 ? Infinity : {good}": "no numbers",
        "Math.max(-1, Math.min(1, 2 * Math.sin(i)))": "clipped",
        "0.2 + 0.5 * Math.sin(i)": "constant offset of 20 %",
        "0": "digital silence",
    }
    for sound, said in sounds.items():
        warning, is_clean = opened.evaluate(f"{judged}((i) => {sound})")
        assert said in warning
        assert bool(said) == bool(warning)
        assert is_clean


def listens(browser: Browser, microphone: str) -> None:
    """Press Start with a stand-in for the browser's microphone."""
    browser.evaluate(f"navigator.mediaDevices.getUserMedia = async () => {{ {microphone} }}; 1")
    browser.call(
        "Runtime.evaluate", expression="at('start').click()", userGesture=True, awaitPromise=True
    )


TONE = """
const context = new AudioContext(), tone = context.createOscillator();
const out = context.createMediaStreamDestination();
tone.connect(out);
tone.start();
window.track = out.stream.getAudioTracks()[0];
return out.stream;"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NotAllowedError", "The microphone was refused. Allow it"),
        ("NotFoundError", "There is no microphone. Plug one in"),
        ("NotReadableError", "The microphone is used by another program"),
        ("OddError", "The microphone cannot be used (no)"),
    ],
)
def test_a_microphone_that_cannot_be_had_is_one_line(error, said, opened):
    listens(opened, f"throw new DOMException('no', '{error}');")
    opened.wait_for("!at('banner').hidden")
    assert text_of(opened, "banner").startswith(said)
    assert text_of(opened, "start") == "Start listening"
    assert text_of(opened, "state") == "Not listening."


def test_a_new_model_waits_to_be_started(opened):
    listens(opened, TONE)
    opened.wait_for("state.microphone !== null && state.engine.heard > 4000")
    opened.evaluate("showProbabilities(PAGE.models[0].labels.map(() => 0.5)); 1")
    opened.evaluate("choose(PAGE.models[0].name); 1")
    opened.wait_for("at('state').textContent.startsWith('Press Start')")
    assert opened.evaluate("state.microphone === null")
    assert text_of(opened, "start") == "Start listening"
    shares = "[...at('classes').children].map((one) => one.lastElementChild.textContent)"
    assert set(opened.evaluate(shares)) == {""}


def test_a_microphone_is_heard_until_it_is_unplugged(opened):
    listens(opened, TONE)
    opened.wait_for("state.microphone !== null && state.engine.heard > 4000")
    assert text_of(opened, "start") == "Stop"
    assert "resampled to 8,000 Hz" in text_of(opened, "state")
    assert opened.evaluate("at('level').getAttribute('aria-valuetext')") != "no sound"
    opened.evaluate("track.dispatchEvent(new Event('ended'))")
    assert text_of(opened, "banner").startswith("The microphone was unplugged")
    assert opened.evaluate("state.microphone === null && track.readyState") == "ended"


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("delete window.WebAssembly; main()", "This browser has no WebAssembly"),
        ("AudioContext = undefined; listen()", "This browser has no Web Audio"),
        (
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined }); listen()",
            "This browser gives no microphone to a page opened like this",
        ),
        (
            f"navigator.mediaDevices.getUserMedia = async () => {{ {TONE} }};"
            "AudioWorklet.prototype.addModule = async () => { throw new Error('none'); };"
            "AudioContext.prototype.createScriptProcessor = undefined; listen()",
            "This browser has no AudioWorklet, which the microphone needs",
        ),
        (
            "PAGE.models[0].module = PAGE.models[0].module.slice(0, 400); choose('graph.int8')",
            "This browser cannot run graph.int8 (",
        ),
        (
            "WebAssembly.instantiate = async () => ({ instance: { exports: {"
            "...state.engine.functions, sd_web_listen: () => 3, sd_web_repeat: () => 0 } } });"
            "choose('graph.int8')",
            "This browser cannot run graph.int8 (the model graph.int8 does not fit this page (3))",
        ),
        ("state.engine.functions = {}; listen()", "The page has a fault"),
    ],
)
def test_an_old_browser_is_told_so(without, said, opened):
    opened.evaluate(f"{without}; 1")
    opened.wait_for("!at('banner').hidden")
    assert text_of(opened, "banner").startswith(said)


def test_a_page_without_a_model_says_why(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page([{"name": "tiny.int8", "not_built": "clang is not installed"}]))
    browser.open(path.as_uri())
    assert text_of(browser, "banner").startswith("No model is in this page: see below why")
    assert text_of(browser, "missing") == "Not in this page: tiny.int8: clang is not installed."
    assert browser.evaluate("at('start').disabled && at('file').disabled && at('test').disabled")


def test_the_guided_test_counts_and_keeps_nothing(opened):
    opened.evaluate(f"navigator.mediaDevices.getUserMedia = async () => {{ {TONE} }}; 1")
    opened.call("Runtime.evaluate", expression="at('test').click()", userGesture=True)
    opened.wait_for("testing.run !== null")
    n = opened.evaluate("testing.run.prompts.length")
    prompts = opened.evaluate("testing.run.prompts")
    labels = opened.evaluate("state.engine.model.labels")
    words = [label for label in labels if not label.startswith("_")]
    assert sorted(prompts) == sorted(words * 2)
    assert text_of(opened, "prompt") == f"Say: {prompts[0]}"
    # One is not recognised, one is heard as another word, all others are right.
    for asked in prompts:
        number = opened.evaluate("testing.run.answers.length")
        said = {0: "null", 1: json.dumps(next(w for w in words if w != asked))}
        opened.evaluate(f"testing.hear({said.get(number, json.dumps(asked))})")
    score = text_of(opened, "score")
    assert score.startswith(f"{n} of {n}: {n - 2} right, 1 wrong, 1 not recognised.")
    assert f"That is {round(100 * (n - 2) / n)} %" in score
    assert opened.evaluate("at('confusions').children.length") == 2
    assert text_of(opened, "prompt") == ""
    assert opened.evaluate("state.microphone") is None
    kept = "localStorage.length + sessionStorage.length + document.cookie.length"
    assert opened.evaluate(kept) == 0


def test_the_browser_keeps_to_the_policy(opened):
    opened.evaluate(
        "const script = document.createElement('script');"
        "script.textContent = 'window.isWrong = true';"
        "document.body.append(script);"
    )
    assert opened.evaluate("window.isWrong") is None
    assert opened.evaluate("fetch('data:,x').then(() => 'sent', () => 'refused')") == "refused"
    assert len(opened.complaints) >= 2  # so that no complaint above means there was none
