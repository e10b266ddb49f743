"""Streams, scores and thresholds of detectors, on sound and events whose answers are known."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from detectors import PARAMS, RATE, SILENT, small, small_sliding, tone
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.corpora import synthetic
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import (
    backgrounds,
    calibration,
    examination,
    losses,
    material,
    picture,
    scoring,
    sliding,
    streams,
    synthetic_speech,
    trial,
)
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.detection.streams import Span, Stream, Surroundings
from spoken_digits.integer.detector.event import Event, Verdict
from spoken_digits.rejection.labels import NOT_WORDS

DETECT = read_config(REPOSITORY / "params.yaml").section("detect", DetectParams)
QUICK = dataclasses.replace(DETECT, noise_hours=0.02, babble_hours=0.02)


def whole(stream):
    return np.concatenate(list(stream.blocks()))


def clips(n=6, seed=0):
    rng = np.random.default_rng(seed)
    return [(i % 3, 10 ** rng.uniform(-3, -0.5) * tone(rng, 0.4, 1.0)) for i in range(n)]


# ---- streams


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_every_word_of_a_stream_has_the_stated_ratio_to_the_noise(snr_db):
    made = streams.speech(
        "words", clips(), Surroundings(snr_db=snr_db), gap_s=(0.5, 1), sample_rate=RATE, seed=(1,)
    )
    samples = whole(made) / 2**15
    assert len(samples) == made.n_samples
    outside = np.ones(len(samples), bool)
    for span in made.spans:
        outside[span.start - RATE // 10 : span.end + RATE // 10] = False
    noise = samples[outside].var()
    for span in made.spans:
        power = samples[span.start : span.end].var() - noise
        assert 10 * np.log10(power / noise) == pytest.approx(snr_db, abs=1.0)
    gaps = [b.start - a.end for a, b in zip(made.spans, made.spans[1:], strict=False)]
    assert min(gaps) > 0.45 * RATE
    assert sorted(span.label for span in made.spans) == [0, 0, 1, 1, 2, 2]


def test_streams_come_from_their_seed_alone():
    def make(seed, **changes):
        options = {"gap_s": (0.5, 1.0), "sample_rate": RATE, "seed": seed} | changes
        return whole(streams.speech("words", clips(), Surroundings(snr_db=20), **options))

    assert (make((1, 2)) == make((1, 2))).all()
    assert len(make((1, 2))) != len(make((1, 3)))
    for kind in (
        lambda seed: backgrounds.without_speech(0.03, RATE, seed),
        lambda seed: backgrounds.babble(0.03, [c for _, c in clips()], 3, RATE, seed),
    ):
        first, again, other = whole(kind((5,))), whole(kind((5,))), whole(kind((6,)))
        assert len(first) == 2 * 60 * RATE == kind((5,)).n_samples
        assert (first == again).all()
        assert (first != other).mean() > 0.5


def test_a_room_prolongs_words_and_leaves_the_spans():
    def make(rt60):
        return streams.speech(
            "words",
            clips(),
            Surroundings(snr_db=60, reverberation_s=rt60),
            gap_s=(1, 1),
            sample_rate=RATE,
            seed=(1,),
        )

    dry, wet = make(None), make(0.4)
    assert [s.end - s.start for s in dry.spans] == [s.end - s.start for s in wet.spans]
    tails = [
        np.mean([(whole(one)[s.end + 200 : s.end + 800] / 2**15).var() for s in one.spans])
        for one in (dry, wet)
    ]
    assert tails[1] > 100 * tails[0]


def test_the_spoken_part_is_without_the_silence_around_it():
    word = np.concatenate([np.zeros(800), np.full(1600, 0.1), np.full(800, 0.001)])
    assert streams.spoken_part(word, RATE) == (800, 2400)
    assert streams.spoken_part(np.ones(3), RATE) == (0, 3)


def test_noise_has_loud_sounds_and_a_minute_of_zeros():
    stream = backgrounds.without_speech(0.25, RATE, (1,))
    minutes = list(stream.blocks())
    assert [bool((minute == 0).all()) for minute in minutes] == [False] * 14 + [True]
    assert max(np.abs(minute).max() for minute in minutes) > 3000


def test_words_and_voices_of_validation_and_test_are_not_the_same():
    validation, test = synthetic_speech.WORDS["validation"], synthetic_speech.WORDS["test"]
    assert not set(validation) & set(test)
    sounds_like_a_digit = {"to", "too", "for", "fore", "ate", "won", "oh", "sex", "tree", "free"}
    assert not (set(validation) | set(test)) & ({*synthetic.WORDS} | sounds_like_a_digit)
    first = synthetic_speech.FIRST_SPEAKER
    assert min(first.values()) > max(profile.speakers for profile in synthetic.PROFILES.values())


@pytest.mark.skipif(not synthetic_speech.is_there(), reason="eSpeak NG is not installed")
def test_machines_say_other_words_for_as_long_as_wanted():
    said = synthetic_speech.other_speech(0.1, "test", RATE, seed=1)
    assert sum(map(len, said)) > 0.4 * RATE * len(said)
    assert all(one.std() > 0 for one in said)


# ---- scores


def event(start_s, word, confidence=9000, verdict=Verdict.WORD, length_s=0.4):
    start = round(start_s * RATE)
    end = start + round(length_s * RATE)
    return Event(verdict, word, confidence, start, end, end + round(0.2 * RATE))


def stream_of(*spans):
    made = [Span(label, round(at * RATE), round((at + 0.4) * RATE)) for label, at in spans]
    return Stream(kind="words", spans=tuple(made), n_samples=3600 * RATE, blocks=lambda: iter(()))


def test_hits_wrong_words_misses_and_false_accepts():
    stream = stream_of((1, 1), (2, 3), (3, 5), (-1, 7), (-1, 9))
    events = [
        event(0.1, 5),  # nobody said anything
        event(1.1, 1),  # a hit
        event(1.45, 1, length_s=0.1),  # and false once more
        event(3.1, 7),  # wrong
        event(5.0, 3, verdict=Verdict.NOT_A_WORD),
        event(5.0, 3, verdict=Verdict.TOO_LONG),
        event(7.2, 0),  # another word
        event(9.2, 0, confidence=4000, verdict=Verdict.UNSURE),
    ]
    result = scoring.score(stream, events, 5000, RATE)
    assert (result.n_words, result.n_hits, result.n_wrong, result.n_others) == (3, 1, 1, 2)
    assert (result.n_false, result.n_others_false, result.hours) == (2 + 1, 1, 1.0)
    assert result.latencies_ms == (pytest.approx(300),)
    assert scoring.score(stream, events, 4000, RATE).n_others_false == 2
    assert scoring.score(stream, events, 9001, RATE).n_false == 0
    metrics = scoring.word_metrics(result)
    assert metrics["hit_rate"] == pytest.approx(1 / 3)
    assert metrics["hit_rate_ci_low"] < 1 / 3 < metrics["hit_rate_ci_high"]


def test_every_lost_word_is_lost_in_one_way():
    stream = stream_of(*((1, at) for at in range(1, 17, 2)), (-1, 17))
    events = [
        event(1.1, 1),
        event(3.1, 2),
        event(5.1, 1, confidence=4000, verdict=Verdict.UNSURE),
        event(7.1, 2, confidence=4000, verdict=Verdict.UNSURE),
        event(9.1, 3, verdict=Verdict.NOT_A_WORD),
        event(11.1, -1, verdict=Verdict.TOO_LONG),
        event(13.1, -1, verdict=Verdict.TOO_SHORT),
        event(17.1, 3),
    ]
    assert losses.fates(stream, events, 5000) == list(losses.Fate)
    found = losses.losses(stream, events, 5000, RATE)
    assert found.pop("cut") == 4  # of the words recognised; they begin 100 ms late
    assert set(found.values()) == {1}
    assert losses.losses(stream, events, 4000, RATE)["unsure"] == 0
    result = scoring.score(stream, events, 5000, RATE)
    assert result.n_hits + sum(found.values()) == result.n_words


def test_false_accepts_an_hour_have_the_exact_poisson_interval():
    none = scoring.false_accept_metrics(0, 10.0)
    assert none["per_hour"] == none["per_hour_ci_low"] == 0
    assert none["per_hour_ci_high"] == pytest.approx(0.36889, abs=1e-5)
    ten = scoring.false_accept_metrics(10, 2.0)
    assert ten["per_hour"] == 5
    low, high = ten["per_hour_ci_low"], ten["per_hour_ci_high"]
    assert (low, high) == (pytest.approx(4.79539 / 2), pytest.approx(18.39036 / 2))


# ---- calibration


def test_the_temperature_makes_confidence_the_accuracy():
    rng = np.random.default_rng(1)
    true = rng.normal(0, 2, (20_000, 5))
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    actual = (chances.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert calibration.temperature(3.0 * true, actual) == pytest.approx(3.0, rel=0.05)
    assert calibration.temperature(0.5 * true, actual) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("most_lost", "expected"), [(0.0, 1), (0.05, 6), (0.5, 51), (1.0, 100)])
def test_the_threshold_loses_at_most_a_share_of_the_words(most_lost, expected):
    confidences = np.random.default_rng(0).permutation(np.arange(1, 101))
    found = calibration.threshold(confidences, most_lost)
    assert found == expected
    assert (confidences < found).mean() <= most_lost


# ---- the whole


@pytest.fixture(scope="module")
def model():
    """A small recogniser of tones."""
    _, network, frontend, recognise = small("graph")
    labels = [f"word {i}" for i in range(network.n_classes)]
    recogniser = trial.Recogniser(
        labels=labels,
        logit_step=network.logit_step,
        sample_rate=RATE,
        recognise=recognise,
    )
    return examination.Examinee(
        recogniser=recogniser, network=network, frontend=frontend, firmware=REPOSITORY / "firmware"
    )


@pytest.fixture(scope="module")
def report(model):
    """Its examination."""
    others = [(-1, one) for _, one in clips(5, seed=3)]
    sound = [
        material.Material(words=clips(12, seed), other_words=others, phrases=[], synthetic=others)
        for seed in (1, 2)
    ]
    return examination.examine(model, PARAMS, QUICK, *sound, seed=7)


def test_an_examination_reports_what_the_contract_names(report):
    found = report.metrics
    assert found["differences_c"] == 0
    assert {"words", "words_noisy", "words_in_room", "words_in_babble"} <= set(found)
    assert {"noise", "babble", "synthetic", "other_words", "threshold", "hours"} <= set(found)
    assert "phrases" not in found  # there are none
    assert found["words"]["n"] == 12
    lost = {kind: n for kind, n in found["words"]["lost"].items() if kind != "cut"}
    assert sum(lost.values()) == round(12 * (1 - found["words"]["hit_rate"]))
    assert found["other_words"]["n"] == 5
    hits = [row["words_hit_rate"] for row in report.curve]
    assert hits == sorted(hits, reverse=True)
    assert hits[0] > hits[-1] == 0
    json.dumps(found)


def test_a_detector_that_hears_nothing_is_one_line(model):
    deaf = dataclasses.replace(PARAMS, quietest_dbfs=0.0)
    sound = material.Material(words=clips(3), other_words=[], phrases=[], synthetic=[])
    with pytest.raises(UserError, match="finds none of the validation words"):
        examination.examine(model, deaf, QUICK, sound, sound, seed=7)


def test_a_threshold_that_rests_on_no_word_is_said(model, capsys):
    recogniser = model.recogniser
    spec = recogniser.specify(PARAMS, temperature=1.0, threshold=0.0)

    def calibrated(label: int) -> tuple[int, set[int]]:
        """The threshold if all clips are of one class, and the classes that are heard."""
        words = [(label, clip) for _, clip in clips(6)]
        sound = material.Material(words=words, other_words=[], phrases=[], synthetic=[])
        made = trial.speech_streams(sound, QUICK, RATE, 7, "validation")
        heard = trial.run(recogniser, spec, made.values(), None)
        found = {event.word for one in heard.values() for event in one.events}
        return trial.calibrate(recogniser, PARAMS, QUICK, made)[1], found

    _, heard = calibrated(0)
    never = next(c for c in range(len(recogniser.labels)) if c not in heard)
    capsys.readouterr()
    assert calibrated(never)[0] == 0
    assert "none of the validation words is recognised rightly" in capsys.readouterr().err


# ---- a sliding window


def windows_of(spec, words, confidences, *spans):
    made = [Span(label, start, end) for label, start, end in spans]
    n_samples = spec.window + (len(words) - 1) * spec.step
    stream = Stream(kind="words", spans=tuple(made), n_samples=n_samples, blocks=lambda: iter(()))
    return sliding.Windows(
        stream=stream, words=np.array(words), confidences=np.array(confidences), n_differences=0
    )


@pytest.mark.parametrize(("n_most", "expected"), [(0, 9001), (1, 7001), (2, 5001), (3, 0)])
def test_the_threshold_of_a_window_is_the_lowest_with_so_few_false_accepts(n_most, expected):
    spec, *_ = small_sliding()
    words, confidences = [SILENT] * 90, [9999] * 90
    for at, confidence in ((10, 5000), (40, 9000), (70, 7000)):
        words[at : at + 2], confidences[at : at + 2] = [1, 1], [confidence - 500, confidence]
    two = [
        windows_of(spec, words[:30], confidences[:30]),
        windows_of(spec, words[30:], confidences[30:]),
    ]
    assert sliding.threshold(two, spec, n_most) == expected


def test_hits_and_losses_of_a_window_and_what_a_threshold_changes():
    spec, *_ = small_sliding(threshold=0.6)
    words = [SILENT] * 60
    confidences = [9000] * 60
    words[5:8], confidences[5:8] = [1, 1, 1], [3000, 8000, 9000]
    words[30:32], confidences[30:32] = [0, 0], [4000, 5000]
    spans = [(1, 6 * spec.step, 6 * spec.step + spec.window), (0, 30 * spec.step, 33 * spec.step)]
    heard = windows_of(spec, words, confidences, *spans, (4, 50 * spec.step, 52 * spec.step))
    found = sliding.metrics({"words": heard}, spec)
    assert (found["threshold"], found["words"]["n"]) == (0.6, 3)
    assert found["words"]["hit_rate"] == pytest.approx(1 / 3)
    assert {key: n for key, n in found["words"]["lost"].items() if n} == {
        "unsure": 1,
        "not_a_word": 1,
    }
    assert found["words"]["false_accepts"] == 0
    rows = {
        row["threshold"]: row["words_hit_rate"] for row in sliding.curve({"words": heard}, spec)
    }
    assert rows[0.8] == pytest.approx(1 / 3)
    assert rows[0.4] == pytest.approx(2 / 3)
    assert rows[max(rows)] == 0


@pytest.fixture(scope="module")
def open_model():
    """A small recogniser that knows silence and unknown words."""
    _, network, frontend, recognise = small_sliding()
    recogniser = trial.Recogniser(
        labels=["a", "b", *NOT_WORDS, "c"],
        logit_step=network.logit_step,
        sample_rate=RATE,
        recognise=recognise,
    )
    return examination.Examinee(
        recogniser=recogniser, network=network, frontend=frontend, firmware=REPOSITORY / "firmware"
    )


@pytest.fixture(scope="module")
def sound():
    """Material for validation and for the test."""
    others = [(-1, one) for _, one in clips(5, seed=3)]
    words = [[(label if label < 2 else 4, clip) for label, clip in clips(12, s)] for s in (1, 2)]
    return [
        material.Material(words=one, other_words=others, phrases=[], synthetic=others)
        for one in words
    ]


def test_a_window_is_examined_on_the_same_streams_by_c_as_by_numpy(
    open_model, sound, report, tmp_path, monkeypatch
):
    found = examination.examine(open_model, PARAMS, QUICK, *sound, seed=7)
    metrics = found.sliding.metrics
    assert (metrics["judged_by"], metrics["differences_c"]) == ("c", 0)
    assert metrics["threshold"] == found.sliding.threshold
    assert metrics["hours"] == found.metrics["hours"] == report.metrics["hours"]
    kinds = {key for key, value in found.metrics.items() if isinstance(value, dict)}
    assert kinds == {key for key, value in metrics.items() if isinstance(value, dict)}
    assert found.sliding.curve[0]["words_hit_rate"] > found.sliding.curve[-1]["words_hit_rate"] == 0
    json.dumps(metrics)
    picture.write(tmp_path, "small.int8", found, "tones", "voices")
    table = pd.read_csv(tmp_path / "small.int8.csv")
    assert table["model"].unique().tolist() == ["small.int8", "small.int8.sliding"]
    monkeypatch.setattr(examination.shutil, "which", lambda program: None)
    by_numpy = examination.examine(open_model, PARAMS, QUICK, *sound, seed=7).sliding
    assert by_numpy.metrics == metrics | {"judged_by": "numpy", "differences_c": None}
    assert by_numpy.curve == found.sliding.curve


def test_the_threshold_of_a_window_is_chosen_on_speech_that_runs_on(sound):
    quiet = np.zeros(RATE // 2)
    (validation, _) = sound
    others = [(-1, np.concatenate([quiet, one, quiet])) for _, one in validation.other_words]
    validation = dataclasses.replace(validation, other_words=others, synthetic=[])
    made = trial.others_to_validate(validation, DETECT, RATE, seed=7)
    assert made.keys() == {trial.OTHER_WORDS, trial.RUN_ON, "babble"}
    for kind, (shortest, longest) in (
        (trial.RUN_ON, DETECT.run_on_gap_s),
        (trial.OTHER_WORDS, (2 * 0.5 + DETECT.gap_s[0], 2 * 0.5 + DETECT.gap_s[1])),
    ):
        spans = made[kind].spans
        assert len(spans) == len(others)
        gaps = [(b.start - a.end) / RATE for a, b in itertools.pairwise(spans)]
        assert all(shortest - 0.03 < gap < longest + 0.03 for gap in gaps), kind
    none = dataclasses.replace(validation, other_words=[])
    assert trial.others_to_validate(none, DETECT, RATE, seed=7) == {}


def test_a_model_without_silence_or_without_the_section_has_no_window(report, open_model, sound):
    assert report.sliding is None
    without = dataclasses.replace(PARAMS, sliding=None)
    assert examination.examine(open_model, without, QUICK, *sound, seed=7).sliding is None


def test_windows_that_nothing_joins_are_refused_by_the_key(open_model, sound):
    many = dataclasses.replace(PARAMS.sliding, smoothed_windows=32)
    with pytest.raises(UserError, match=r"^params.yaml: `detector.sliding.smoothed_windows` is 32"):
        examination.examine(
            open_model, dataclasses.replace(PARAMS, sliding=many), QUICK, *sound, seed=7
        )


def test_a_picture_names_voices_as_never_heard_only_where_that_is_known():
    found = [picture.voices(6, n) for n in (0, 2, 6, None)]
    assert found == [
        "voices it has heard",
        "6 voices, 2 of which it never heard",
        "voices it never heard",
        "voices it may have heard",
    ]


def test_the_picture_is_the_same_again_and_the_table_holds_the_curve(report, tmp_path):
    for folder in ("a", "b"):
        picture.write(tmp_path / folder, "small.int8", report, "tones", "voices")
    first, second = ((tmp_path / f / "small.int8.png").read_bytes() for f in ("a", "b"))
    assert first == second
    table = pd.read_csv(tmp_path / "a" / "small.int8.csv")
    assert table["model"].unique().tolist() == ["small.int8"]
    assert table["words_hit_rate"].tolist() == pytest.approx(
        [row["words_hit_rate"] for row in report.curve], abs=1e-6
    )
