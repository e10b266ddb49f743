"""Samples in, events out: the NumPy twin of ``firmware/sd_detector.c``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.detector.confidence import confidences
from spoken_digits.integer.detector.endpoint import Change, Endpointer, Pcm, Stretch, levels
from spoken_digits.integer.detector.endpoint import stretches as find_stretches
from spoken_digits.integer.detector.specification import DetectorSpec

Recognise = Callable[[Sequence[Pcm]], NDArray[np.int32]]
"""Clips of int16 samples -> logits (n_clips, n_classes)."""


class Verdict(IntEnum):
    """What became of a sound: ``sd_verdict`` in C."""

    WORD = 1
    """A word, to be acted on."""
    TOO_SHORT = 2
    """Shorter than a word."""
    TOO_LONG = 3
    """Longer than a word; sound that goes on is reported once."""
    NOT_A_WORD = 4
    """Recognised as silence, noise or an unknown word."""
    UNSURE = 5
    """The recogniser is less confident than the threshold."""
    TOO_SOON = 6
    """A word within the refractory time of the one before."""


REASONS = {
    Verdict.WORD: "",
    Verdict.TOO_SHORT: "too short",
    Verdict.TOO_LONG: "too long",
    Verdict.NOT_A_WORD: "not one of the words",
    Verdict.UNSURE: "not confident enough",
    Verdict.TOO_SOON: "too soon after a word",
}


@dataclass(frozen=True)
class Event:
    """A sound that was heard: ``sd_event`` in C. Samples are counted from the beginning."""

    verdict: Verdict
    word: int
    """Class the recogniser chose, -1 where it was not asked."""
    confidence: int
    """0 to `CERTAIN`; 0 where it was not asked."""
    start: int
    """First sample of the sound, as heard by the recogniser."""
    end: int
    """Sample after its last one."""
    decided: int
    """Sample after the one that decided it."""


class Detector:
    """Listens to a stream in blocks of any size.

    Memory is bounded: samples are kept only from the last quiet on, and at most as long as the
    longest word.
    """

    def __init__(self, spec: DetectorSpec, recognise: Recognise) -> None:
        self.spec = spec
        self.endpointer = Endpointer(spec.endpoint)
        self._recognise = recognise
        self._kept: Pcm = np.zeros(0, np.int16)
        self._first = 0  # number of the first sample kept
        self._free_from = 0  # sample from which the next word is reported

    def hear(self, samples: Pcm) -> list[Event]:
        """Take the next samples, (n,) int16; return the events that they decide, in order."""
        length = self.spec.endpoint.frame_length
        kept = np.concatenate([self._kept, samples])
        done = self.endpointer.n_frames * length - self._first
        complete = (len(kept) - done) // length * length
        found = find_stretches(
            self.endpointer, levels(kept[done : done + complete], length).tolist()
        )
        events = self._events(found, kept)
        self._keep(kept)
        return events

    def _keep(self, kept: Pcm) -> None:
        """Keep what may still belong to a word, and the frame that is not full."""
        spec, state = self.spec.endpoint, self.endpointer
        oldest = state.start if state.in_word else state.n_frames - spec.ring_frames
        first = max(oldest * spec.frame_length, self._first)
        self._kept, self._first = kept[first - self._first :].copy(), first

    def _events(self, found: Sequence[Stretch], kept: Pcm) -> list[Event]:
        length, first = self.spec.endpoint.frame_length, self._first
        words = [stretch for stretch in found if stretch.change is Change.ENDED]
        answers = iter(
            self._answers([kept[w.start * length - first : w.end * length - first] for w in words])
        )
        events = []
        for stretch in found:
            start, end = stretch.start * length, stretch.end * length
            word, confidence = (-1, 0) if stretch.change is not Change.ENDED else next(answers)
            verdict = self._verdict(stretch.change, word, confidence, start)
            if verdict is Verdict.WORD:
                self._free_from = end + self.spec.refractory
            events.append(Event(verdict, word, confidence, start, end, stretch.decided * length))
        return events

    def _answers(self, clips: Sequence[Pcm]) -> list[tuple[int, int]]:
        """Class and confidence of each clip."""
        if not clips:
            return []
        logits = self._recognise(clips)
        sure = confidences(logits, self.spec)
        return list(zip(logits.argmax(axis=1).tolist(), sure.tolist(), strict=True))

    def _verdict(self, change: Change, word: int, confidence: int, start: int) -> Verdict:
        if change is not Change.ENDED:
            return Verdict.TOO_SHORT if change is Change.TOO_SHORT else Verdict.TOO_LONG
        if self.spec.silent[word]:
            return Verdict.NOT_A_WORD
        if confidence < self.spec.threshold:
            return Verdict.UNSURE
        return Verdict.TOO_SOON if start < self._free_from else Verdict.WORD
