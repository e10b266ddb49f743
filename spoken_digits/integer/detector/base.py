"""What every detector is: a bounded memory of the stream, a recogniser, and a judge of its word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.detector.endpoint import Pcm
from spoken_digits.integer.detector.event import Event, Verdict
from spoken_digits.integer.detector.specification import DecisionSpec

Recognise = Callable[[Sequence[Pcm]], NDArray[np.int32]]
"""Clips of int16 samples -> logits (n_clips, n_classes)."""


class Judge:
    """Decides whether what was recognised is a word to be reported."""

    def __init__(self, spec: DecisionSpec) -> None:
        self.spec = spec
        self._free_from = 0  # sample from which the next word is reported

    def __call__(self, word: int, confidence: int, start: int, end: int) -> Verdict:
        """About a class that was heard from `start` to `end`; remembers a word's end."""
        if self.spec.silent[word]:
            return Verdict.NOT_A_WORD
        if confidence < self.spec.threshold:
            return Verdict.UNSURE
        if start < self._free_from:
            return Verdict.TOO_SOON
        self._free_from = end + self.spec.refractory
        return Verdict.WORD


class StreamDetector(ABC):
    """Listens to a stream in blocks of any size, for ever, in bounded memory."""

    def __init__(self, spec: DecisionSpec, recognise: Recognise) -> None:
        self._recognise = recognise
        self._judge = Judge(spec)
        self._kept: Pcm = np.zeros(0, np.int16)
        self._first = 0  # number of the first sample kept

    def hear(self, samples: Pcm) -> list[Event]:
        """Take the next samples, (n,) int16; return the events that they decide, in order."""
        self._kept = np.concatenate([self._kept, samples])
        events = self._decide()
        oldest = max(self._oldest(), self._first)
        self._kept, self._first = self._kept[oldest - self._first :].copy(), oldest
        return events

    @property
    @abstractmethod
    def settling(self) -> int:
        """Samples of silence after which nothing more will come of what was heard."""

    @abstractmethod
    def _decide(self) -> list[Event]:
        """The events that all samples up to `_n_heard` decide."""

    @abstractmethod
    def _oldest(self) -> int:
        """First sample that may still be needed."""

    @property
    def _n_heard(self) -> int:
        """Samples so far."""
        return self._first + len(self._kept)

    def _samples(self, start: int, end: int) -> Pcm:
        """Some of those that are kept."""
        return self._kept[start - self._first : end - self._first]
