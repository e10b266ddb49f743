"""One detector on trial: calibrated on validation streams, scored on test streams."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spoken_digits.embedded.host_detector import HostDetector
from spoken_digits.errors import UserError, warn
from spoken_digits.evaluation.detection import backgrounds, calibration, losses, scoring
from spoken_digits.evaluation.detection.material import Clips, Material
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.detection.running import Heard, hear
from spoken_digits.evaluation.detection.streams import Stream, Surroundings, speech, spoken
from spoken_digits.integer.detector.base import Recognise
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.specification import CERTAIN, DetectorSpec, specify

WORDS, NOISY, ROOM, BABBLE = "words", "words_noisy", "words_in_room", "words_in_babble"
OTHER_WORDS, PHRASES, SYNTHETIC = "other_words", "phrases", "synthetic"
RUN_ON = "run_on"
"""Other words and synthetic speech one after the other, as people talk to each other."""
ROLES = {"validation": 0, "test": 1}
"""First number of the seeds of each role's streams."""
VALIDATION_SHARE = 0.5
"""Length of validation streams without a word, of that of the test streams."""


@dataclass(frozen=True, kw_only=True)
class Recogniser:
    """What a detector needs of its model."""

    labels: Sequence[str]
    logit_step: float
    sample_rate: int
    recognise: Recognise

    def specify(self, params: DetectorParams, temperature: float, threshold: float) -> DetectorSpec:
        """The detector with these settings."""
        return specify(
            params,
            self.sample_rate,
            labels=self.labels,
            logit_step=self.logit_step,
            temperature=temperature,
            threshold=threshold,
        )


def speech_streams(
    material: Material, params: DetectParams, sample_rate: int, seed: int, role: str
) -> dict[str, Stream]:
    """Streams of words, and of speech that is none of them; only those there is material for."""
    steady = Surroundings(snr_db=params.snr_db)
    plans: dict[str, tuple[Clips, Surroundings]] = {
        WORDS: (material.words, steady),
        NOISY: (material.words, Surroundings(snr_db=params.noisy_snr_db)),
        ROOM: (
            material.words,
            Surroundings(snr_db=params.snr_db, reverberation_s=params.reverberation_s),
        ),
        OTHER_WORDS: (material.other_words, steady),
        PHRASES: (material.phrases, steady),
        SYNTHETIC: (material.synthetic, steady),
    }
    if material.voices:
        murmur = functools.partial(backgrounds.talk, material.voices, params.talkers)
        plans[BABBLE] = (material.words, Surroundings(snr_db=params.noisy_snr_db, noise=murmur))
    return {
        kind: speech(
            kind,
            clips,
            surroundings,
            gap_s=params.gap_s,
            sample_rate=sample_rate,
            seed=(ROLES[role], seed, number),
        )
        for number, (kind, (clips, surroundings)) in enumerate(plans.items())
        if clips
    }


def backgrounds_of(
    material: Material, params: DetectParams, sample_rate: int, seed: int
) -> dict[str, Stream]:
    """Test streams in which nobody says a word by himself."""
    seeds = [(ROLES["test"], seed, 100 + i) for i in range(2)]
    streams = {"noise": backgrounds.without_speech(params.noise_hours, sample_rate, seeds[0])}
    if material.voices:
        streams["babble"] = backgrounds.babble(
            params.babble_hours, material.voices, params.talkers, sample_rate, seeds[1]
        )
    return streams


def others_to_validate(
    material: Material, params: DetectParams, sample_rate: int, seed: int
) -> dict[str, Stream]:
    """Validation streams in which none of the words is said; only those there is material for."""
    made = speech_streams(material, params, sample_rate, seed, "validation")
    streams = {kind: made[kind] for kind in (OTHER_WORDS, PHRASES, SYNTHETIC) if kind in made}
    if talk := [*material.other_words, *material.synthetic]:
        streams[RUN_ON] = speech(
            RUN_ON,
            [(label, spoken(samples, sample_rate)) for label, samples in talk],
            Surroundings(snr_db=params.snr_db),
            gap_s=params.run_on_gap_s,
            sample_rate=sample_rate,
            seed=(ROLES["validation"], seed, 102),
        )
    if material.voices:
        streams["babble"] = backgrounds.babble(
            VALIDATION_SHARE * params.babble_hours,
            material.voices,
            params.talkers,
            sample_rate,
            (ROLES["validation"], seed, 101),
        )
    return streams


def calibrate(
    recogniser: Recogniser,
    detector: DetectorParams,
    params: DetectParams,
    streams: Mapping[str, Stream],
) -> tuple[float, int]:
    """Temperature and threshold (of `CERTAIN`) from validation streams of words.

    Raises
    ------
    UserError
        The detector hears nothing.
    """
    first = recogniser.specify(detector, temperature=1.0, threshold=0.0)
    rows, actual = [], []
    for kind in (WORDS, NOISY, ROOM):
        heard = hear(streams[kind], first, recogniser.recognise, None)
        asked = [event for event in heard.events if event.word >= 0]
        number = {id(event): i for i, event in enumerate(asked)}
        for position, event in scoring.first_events(streams[kind], heard.events):
            rows.append(heard.logits[number[id(event)]])
            actual.append(streams[kind].spans[position].label)
    if not rows:
        raise UserError(
            "the detector finds none of the validation words, so no threshold can be chosen: "
            "set `detector` in params.yaml to hear more, such as a lower `onset_db`"
        )
    logits = np.array(rows, np.float64) * recogniser.logit_step
    found = calibration.temperature(logits, np.array(actual))
    return found, _threshold(recogniser, detector, params, streams[WORDS], found)


def _threshold(
    recogniser: Recogniser,
    detector: DetectorParams,
    params: DetectParams,
    stream: Stream,
    temperature: float,
) -> int:
    """The highest one that costs at most `params.most_lost` of the words recognised rightly."""
    spec = recogniser.specify(detector, temperature, threshold=0.0)
    heard = hear(stream, spec, recogniser.recognise, None)
    right = [
        event.confidence
        for position, event in scoring.first_events(stream, heard.events)
        if event.word == stream.spans[position].label
    ]
    if not right:
        warn("none of the validation words is recognised rightly: at the threshold 0 all are heard")
    return calibration.threshold(np.array(right or [0]), params.most_lost)


def run(
    recogniser: Recogniser, spec: DetectorSpec, streams: Iterable[Stream], in_c: HostDetector | None
) -> dict[str, Heard]:
    """Every stream heard, under its kind."""
    return {stream.kind: hear(stream, spec, recogniser.recognise, in_c) for stream in streams}


def metrics(heard: Mapping[str, Heard], threshold: int, sample_rate: int) -> dict[str, Any]:
    """The figures of metrics/detector.json for one model, at a threshold of `CERTAIN`."""
    scores = {
        kind: scoring.score(one.stream, one.events, threshold, sample_rate)
        for kind, one in heard.items()
    }
    found: dict[str, Any] = {"threshold": threshold / CERTAIN}
    for kind, result in scores.items():
        if result.n_words:
            stream, events = heard[kind].stream, heard[kind].events
            lost = losses.losses(stream, events, threshold, sample_rate)
            found[kind] = scoring.word_metrics(result) | {"lost": lost}
        elif kind in (OTHER_WORDS, PHRASES):
            found[kind] = {
                "n": result.n_others,
                "false_accepts": result.n_false,
                "minutes": 60 * result.hours,
            }
        else:
            found[kind] = scoring.false_accept_metrics(result.n_false, result.hours)
    found |= scoring.latency_metrics(scores[WORDS].latencies_ms)
    found["hours"] = sum(result.hours for result in scores.values())
    return found


def curve(heard: Mapping[str, Heard], sample_rate: int) -> list[dict[str, float]]:
    """Hits and false accepts at thresholds that make a difference to a word: 200 at most."""
    asked = sorted(e.confidence for one in heard.values() for e in one.events if e.word >= 0)
    thresholds = sorted({0, *asked[:: max(1, len(asked) // 98)], *asked[-1:], CERTAIN + 1})
    events = {kind: (one.stream, one.events) for kind, one in heard.items()}
    return [row(threshold, events, sample_rate) for threshold in thresholds]


def row(
    threshold: int, heard: Mapping[str, tuple[Stream, Sequence[Event]]], sample_rate: int
) -> dict[str, float]:
    """Hits and false accepts at one threshold of `CERTAIN`, as in plots/detector."""
    found: dict[str, float] = {"threshold": threshold / CERTAIN}
    for kind, (stream, events) in heard.items():
        result = scoring.score(stream, events, threshold, sample_rate)
        if result.n_words:
            found[f"{kind}_hit_rate"] = result.n_hits / result.n_words
            found[f"{kind}_wrong_rate"] = result.n_wrong / result.n_words
        elif result.n_others:
            found[f"{kind}_accepted"] = result.n_others_false / result.n_others
        if not result.n_words:
            found[f"{kind}_per_hour"] = result.n_false / result.hours
    return found
