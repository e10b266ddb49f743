"""A sliding window on trial: its threshold from validation streams, scored on the test streams.

The threshold is the lowest at which the window gives no more false accepts on validation streams of
other speech than the endpointer does at its own: so the two are compared at the same nuisance.
Speech that runs on without pauses is among them: it is where a window errs, and where the
endpointer hardly hears a word.

Ten windows a second for hours are too many for NumPy: C judges them, and NumPy once more those of
the stream `words`, whole. Without a compiler NumPy judges all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.host_sliding import HostSliding
from spoken_digits.evaluation.detection import trial
from spoken_digits.evaluation.detection.running import C_BLOCKS, Heard, differences
from spoken_digits.evaluation.detection.streams import Pcm, Stream
from spoken_digits.integer.detector.base import Recognise
from spoken_digits.integer.detector.sliding import SlidingDetector, Smoother, Spotter
from spoken_digits.integer.detector.specification import CERTAIN, SlidingSpec

_IN_NUMPY_TOO = trial.WORDS
_CURVE_ROWS = 60


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What the windows of one stream say, whatever the threshold."""

    stream: Stream
    words: NDArray[np.int64]
    """(n_windows,) likeliest class."""
    confidences: NDArray[np.int64]
    """(n_windows,) its mean probability, of `CERTAIN`."""
    n_differences: int
    """Words that NumPy or C reports and the other does not, or otherwise."""


def hear(
    stream: Stream, spec: SlidingSpec, recognise: Recognise, in_c: HostSliding | None
) -> Windows:
    """Listen to a whole stream; parameters are those of `running.hear`."""
    judged: list[NDArray[np.int32]] = []

    def keeping(clips: Sequence[Pcm]) -> NDArray[np.int32]:
        judged.append(recognise(clips))
        return judged[-1]

    detector, smoother, spotter = SlidingDetector(spec, keeping), Smoother(spec), Spotter(spec)
    if in_c is not None:
        in_c.restart(spec.threshold)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    n_differences = 0
    for block in stream.blocks():
        if in_c is None:
            judged = [np.zeros((0, len(spec.silent)), np.int32)]
            found = detector.hear(block)
            logits = np.concatenate(judged)
        else:
            found, logits = in_c.hear_and_judge(block, C_BLOCKS)
        parts.append(smoother(logits))
        expected = spotter(*parts[-1])
        if in_c is not None and stream.kind == _IN_NUMPY_TOO:
            expected = detector.hear(block)
        n_differences += differences(expected, found)
    return Windows(
        stream=stream,
        words=np.concatenate([words for words, _ in parts]),
        confidences=np.concatenate([confidences for _, confidences in parts]),
        n_differences=n_differences,
    )


def threshold(heard: Sequence[Windows], spec: SlidingSpec, n_most: int) -> int:
    """The lowest threshold that gives at most so many false accepts.

    Parameters
    ----------
    heard
        Validation streams in which none of the words is said.
    spec
        With any threshold.
    n_most
        False accepts in all of them together.
    """
    silent = np.array(spec.silent)
    confidences = [one.confidences[~silent[one.words]] for one in heard]
    candidates: list[int] = np.unique(np.concatenate(confidences))[::-1].tolist()
    for candidate in candidates:
        at = replace(spec, threshold=candidate)
        if sum(len(Spotter(at)(one.words, one.confidences)) for one in heard) > n_most:
            return min(candidate + 1, CERTAIN)
    return 0


def metrics(heard: Mapping[str, Windows], spec: SlidingSpec) -> dict[str, Any]:
    """The figures of metrics/detector.json under `sliding`, at the threshold of `spec`."""
    runs = {
        kind: Heard(
            stream=one.stream,
            events=Spotter(spec).every_window(one.words, one.confidences),
            logits=np.zeros((0, len(spec.silent)), np.int32),
            n_differences=one.n_differences,
        )
        for kind, one in heard.items()
    }
    found = trial.metrics(runs, spec.threshold, spec.sample_rate)
    for kind in found:
        if isinstance(found[kind], dict) and "lost" in found[kind]:
            del found[kind]["lost"]["cut"]  # a window is no word's beginning and end
    return found


def curve(heard: Mapping[str, Windows], spec: SlidingSpec) -> list[dict[str, float]]:
    """Hits and false accepts at thresholds that make a difference to a word, as `trial.curve`."""
    silent = np.array(spec.silent)
    asked = np.sort(np.concatenate([one.confidences[~silent[one.words]] for one in heard.values()]))
    some = asked[:: max(1, len(asked) // _CURVE_ROWS)].tolist()
    rows = []
    for threshold in sorted({0, *some, CERTAIN + 1}):
        at = replace(spec, threshold=threshold)
        events = {
            kind: (one.stream, Spotter(at)(one.words, one.confidences))
            for kind, one in heard.items()
        }
        rows.append(trial.row(threshold, events, spec.sample_rate))
    return rows
