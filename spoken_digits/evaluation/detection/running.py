"""Run a detector over streams, in NumPy and in C, and compare every event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.host_detector import HostDetector
from spoken_digits.evaluation.detection.streams import Pcm, Stream
from spoken_digits.integer.detector.base import Recognise
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.specification import DetectorSpec

C_BLOCKS = (160, 1, 999)
"""Sizes of the blocks in which C hears a stream: other ones than NumPy."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a detector made of one stream."""

    stream: Stream
    events: list[Event]
    logits: NDArray[np.int32]
    """(number of events with a word, n_classes), in their order."""
    n_differences: int
    """Events that C does not give, or gives otherwise."""


def hear(
    stream: Stream, spec: DetectorSpec, recognise: Recognise, in_c: HostDetector | None
) -> Heard:
    """Listen to a whole stream.

    Parameters
    ----------
    stream
        What to listen to.
    spec, recognise
        The detector.
    in_c
        The same in C; its threshold is set to that of `spec`. None where there is no compiler.
    """
    rows: list[NDArray[np.int32]] = []

    def keeping(clips: Sequence[Pcm]) -> NDArray[np.int32]:
        rows.append(recognise(clips))
        return rows[-1]

    detector = Detector(spec, keeping)
    if in_c is not None:
        in_c.restart(spec.threshold)
    events: list[Event] = []
    n_differences = 0
    for block in stream.blocks():
        found = detector.hear(block)
        if in_c is not None:
            n_differences += differences(found, in_c.hear(block, C_BLOCKS))
        events += found
    logits = np.concatenate(rows) if rows else np.zeros((0, len(spec.silent)), np.int32)
    return Heard(stream=stream, events=events, logits=logits, n_differences=n_differences)


def differences(found: Sequence[Event], others: Sequence[Event]) -> int:
    """Events of either list that the other lacks at the same place."""
    same = sum(a == b for a, b in zip(found, others, strict=False))
    return max(len(found), len(others)) - same
