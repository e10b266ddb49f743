"""A window that slides over the stream: the NumPy twin of ``firmware/sd_sliding.c``.

Every `step` samples the recogniser is asked about the last `window` samples, whatever their level.
A word is reported where the mean probability of a class over `n_smoothed` windows reaches the
threshold; it lies in what all of these windows heard. For models that know silence and unknown
words: most windows hold no word, or a part of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.detector.base import Judge, Recognise, StreamDetector
from spoken_digits.integer.detector.confidence import probabilities
from spoken_digits.integer.detector.event import Event, Verdict
from spoken_digits.integer.detector.specification import SlidingSpec

_WINDOWS_AT_ONCE = 64  # bounds the memory for the features of a large block


class Smoother:
    """From the logits of one window after the other to the likeliest class over several."""

    def __init__(self, spec: SlidingSpec) -> None:
        self._spec = spec
        self._recent = np.zeros((spec.n_smoothed, len(spec.silent)), np.int64)

    def __call__(self, logits: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Take the next windows.

        Parameters
        ----------
        logits
            (n, n_classes), one row a window.

        Returns
        -------
        words, confidences : ndarray, shape (n,)
            Class of the greatest mean probability over the last `n_smoothed` windows, the first
            among equals, and that mean, 0 to `CERTAIN`. Windows before the first count as 0.
        """
        n = self._spec.n_smoothed
        known = np.concatenate([self._recent, probabilities(logits, self._spec)])
        self._recent = known[len(known) - n :]
        until = np.cumsum(known, axis=0)  # (n_smoothed + n windows, n_classes)
        sums = until[n:] - until[:-n]
        words = sums.argmax(axis=1)
        return words, np.take_along_axis(sums, words[:, None], axis=1)[:, 0] // n


class Spotter:
    """From the likeliest class after each window to words."""

    def __init__(self, spec: SlidingSpec) -> None:
        self._spec = spec
        self._judge = Judge(spec)
        self.n_windows = 0
        """So far."""

    def __call__(self, words: NDArray[np.int64], confidences: NDArray[np.int64]) -> list[Event]:
        """Take what a `Smoother` gave; return the words that it shows, in order."""
        spec = self._spec
        likely = ~np.array(spec.silent)[words] & (confidences >= spec.threshold)
        events = self._events(words, confidences, np.flatnonzero(likely))
        return [event for event in events if event.verdict is Verdict.WORD]

    def every_window(self, words: NDArray[np.int64], confidences: NDArray[np.int64]) -> list[Event]:
        """The same with an event for each window: a word, or why there is none."""
        return self._events(words, confidences, np.arange(len(words)))

    def _events(
        self,
        words: NDArray[np.int64],
        confidences: NDArray[np.int64],
        chosen: NDArray[np.integer],
    ) -> list[Event]:
        spec, first = self._spec, self.n_windows
        self.n_windows += len(words)
        events = []
        for i in chosen.tolist():
            start = (first + i) * spec.step
            decided = start + spec.window
            end = decided - (spec.n_smoothed - 1) * spec.step
            word, confidence = int(words[i]), int(confidences[i])
            verdict = self._judge(word, confidence, start, end)
            events.append(Event(verdict, word, confidence, start, end, decided))
        return events


class SlidingDetector(StreamDetector):
    """Asks the recogniser about one window after the other; reports words alone."""

    def __init__(self, spec: SlidingSpec, recognise: Recognise) -> None:
        super().__init__(spec, recognise)
        self.spec = spec
        self._smoother, self._spotter = Smoother(spec), Spotter(spec)

    @property
    def settling(self) -> int:
        """Samples of silence after which no window holds sound."""
        return self.spec.window + self.spec.n_smoothed * self.spec.step

    def _decide(self) -> list[Event]:
        events = []
        while starts := self._complete():
            clips = [self._samples(start, start + self.spec.window) for start in starts]
            events += self._spotter(*self._smoother(self._recognise(clips)))
        return events

    def _complete(self) -> list[int]:
        """First sample of each of the next windows that are complete."""
        step, first = self.spec.step, self._spotter.n_windows
        n_complete = max(0, (self._n_heard - self.spec.window) // step + 1)
        return [step * i for i in range(first, min(n_complete, first + _WINDOWS_AT_ONCE))]

    def _oldest(self) -> int:
        """Of the next window."""
        return min(self._spotter.n_windows * self.spec.step, self._n_heard)
