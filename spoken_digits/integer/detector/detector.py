"""Samples in, events out, word by word: the NumPy twin of ``firmware/sd_detector.c``."""

from __future__ import annotations

from collections.abc import Sequence

from spoken_digits.integer.detector.base import Recognise, StreamDetector
from spoken_digits.integer.detector.confidence import confidences
from spoken_digits.integer.detector.endpoint import Change, Endpointer, Pcm, levels
from spoken_digits.integer.detector.endpoint import stretches as find_stretches
from spoken_digits.integer.detector.event import Event, Verdict
from spoken_digits.integer.detector.specification import DetectorSpec

_CHANGES = {Change.TOO_SHORT: Verdict.TOO_SHORT, Change.TOO_LONG: Verdict.TOO_LONG}


class Detector(StreamDetector):
    """Hands each stretch of sound between two quiet ones to the recogniser.

    Samples are kept only from the last quiet on, and at most as long as the longest word.
    """

    def __init__(self, spec: DetectorSpec, recognise: Recognise) -> None:
        super().__init__(spec, recognise)
        self.spec = spec
        self.endpointer = Endpointer(spec.endpoint)

    @property
    def settling(self) -> int:
        """Samples of silence after which the last word has ended."""
        return (self.spec.endpoint.hangover + 1) * self.spec.endpoint.frame_length

    def _decide(self) -> list[Event]:
        length = self.spec.endpoint.frame_length
        done, complete = self.endpointer.n_frames * length, self._n_heard // length * length
        found = find_stretches(
            self.endpointer, levels(self._samples(done, complete), length).tolist()
        )
        words = [stretch for stretch in found if stretch.change is Change.ENDED]
        answers = iter(
            self._answers([self._samples(w.start * length, w.end * length) for w in words])
        )
        events = []
        for stretch in found:
            start, end = stretch.start * length, stretch.end * length
            if stretch.change is Change.ENDED:
                word, confidence = next(answers)
                verdict = self._judge(word, confidence, start, end)
            else:
                word, confidence, verdict = -1, 0, _CHANGES[stretch.change]
            events.append(Event(verdict, word, confidence, start, end, stretch.decided * length))
        return events

    def _oldest(self) -> int:
        """Of what may still belong to a word, and of the frame that is not full."""
        spec, state = self.spec.endpoint, self.endpointer
        oldest = state.start if state.in_word else state.n_frames - spec.ring_frames
        return oldest * spec.frame_length

    def _answers(self, clips: Sequence[Pcm]) -> list[tuple[int, int]]:
        """Class and confidence of each clip."""
        if not clips:
            return []
        logits = self._recognise(clips)
        sure = confidences(logits, self.spec)
        return list(zip(logits.argmax(axis=1).tolist(), sure.tolist(), strict=True))
