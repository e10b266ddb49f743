"""Blocks of sound through a detector onto a screen, for as long as there is sound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spoken_digits import errors
from spoken_digits.integer.detector.base import StreamDetector
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.endpoint import Pcm, levels
from spoken_digits.listen.model import Listener
from spoken_digits.listen.terminal import Screen
from spoken_digits.listen.watch import SILENT, SignalWatch
from spoken_digits.rejection.labels import NOT_WORDS


def listen(listener: Listener, blocks: Iterator[Pcm], screen: Screen) -> None:
    """Hear all blocks, and then as much silence as ends the last word."""
    detector = listener.listening()
    endpointer = detector.endpointer if isinstance(detector, Detector) else None
    length = listener.detector.endpoint.frame_length
    watch = SignalWatch(listener.detector.sample_rate)
    for number, block in enumerate(blocks):
        if number == 0:  # there is sound
            words = [label for label in listener.labels if label not in NOT_WORDS]
            errors.warn(f"listening for: {errors.printable(', '.join(words))}")
        _hear(detector, block, screen)
        is_live = length <= len(block) < 100 * length
        if is_live:
            level = int(levels(block[len(block) - length :], length)[0])
            screen.meter(level, length, endpointer)
        said = watch.check(block)
        if said and (is_live or said != SILENT):  # recordings may be silent between words
            screen.clear()
            errors.warn(said)
    _hear(detector, np.zeros(detector.settling, np.int16), screen)


def _hear(detector: StreamDetector, samples: Pcm, screen: Screen) -> None:
    for event in detector.hear(samples):
        screen.show(event)
