"""Where a word begins and ends: frame levels against an adaptive noise floor.

The NumPy twin of ``firmware/sd_endpoint.c``. An `Endpointer` is in one of three states:

========  ==================================================================================
waiting   `onset_frames` frames in a row at `onset` above the floor begin a word
in word   `hangover` frames in a row below `offset` above the floor, or `drop` below the
          word's peak, end it: a word, or too short for one; it becomes too long otherwise
overlong  until `hangover` frames in a row are quiet; meanwhile the floor adapts as to noise
========  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.detector.specification import FLOOR_BITS, RATE_BITS, EndpointSpec
from spoken_digits.integer.frontend import log_mel
from spoken_digits.integer.frontend.specification import LOG_BITS

_FLOOR_SHIFT = FLOOR_BITS - LOG_BITS
_FRAMES_AT_ONCE = 4096

Pcm = NDArray[np.int16]


class Change(IntEnum):
    """What a frame brought: ``sd_change`` in C."""

    NONE = 0
    BEGAN = 1
    """A word: it began `pre_roll` frames before its first loud one."""
    ENDED = 2
    """The word, `hangover` frames ago."""
    TOO_SHORT = 3
    """The sound that had begun has ended, and was no word."""
    TOO_LONG = 4
    """The sound that had begun is no word, and goes on."""


class State(IntEnum):
    """``sd_endpoint_state`` in C."""

    WAITING = 0
    IN_WORD = 1
    OVERLONG = 2


@dataclass(frozen=True)
class Stretch:
    """Sound between quiet ones, in frames from the beginning."""

    change: Change
    """`ENDED`, `TOO_SHORT` or `TOO_LONG`."""
    start: int
    """First frame."""
    end: int
    """Frame after the last one."""
    decided: int
    """Frame after the one that decided it."""


def levels(samples: Pcm, frame_length: int) -> NDArray[np.int64]:
    """Level of each frame: log2 of ``frame_length**2`` times the variance, Q8; 0 if that is 0.

    Parameters
    ----------
    samples
        (n_frames * frame_length,) int16. The constant part of a frame counts for nothing.
    frame_length
        At most `MOST_SAMPLES`.
    """
    frames = samples.reshape(-1, frame_length)
    powers = np.empty(len(frames), np.uint64)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        part = frames[start : start + _FRAMES_AT_ONCE].astype(np.int64)
        spread = frame_length * (part * part).sum(axis=1) - part.sum(axis=1) ** 2
        powers[start : start + len(part)] = spread.astype(np.uint64)
    return np.where(powers > 0, log_mel.log2_of(powers), 0)


class Endpointer:
    """Finds stretches of sound in a stream of levels."""

    def __init__(self, spec: EndpointSpec) -> None:
        self.spec = spec
        self.state = State.WAITING
        self.n_frames = 0
        """Frames so far."""
        self.floor = 0
        """Noise floor, log2, Q12."""
        self.start = 0
        """First frame of the sound that has begun."""
        self.end = 0
        """Frame after the last one of the sound as far as it is known to go; of the last sound."""
        self._peak = self._loud = self._quiet = 0

    @property
    def in_word(self) -> bool:
        """Whether a sound has begun that may be a word."""
        return self.state is State.IN_WORD

    def step(self, level: int) -> Change:
        """Take the level of the next frame."""
        spec = self.spec
        if self.n_frames == 0:
            self.floor = level << _FLOOR_SHIFT
        self.n_frames += 1
        above = level - (self.floor >> _FLOOR_SHIFT)
        if self.state is State.WAITING:
            return self._wait(level, above >= spec.onset and level >= spec.quietest)
        self._peak = max(self._peak, level)
        is_loud = above >= spec.offset and level >= spec.quietest
        if self.state is State.OVERLONG:
            return self._wear_off(level, is_loud)
        return self._follow(level, is_loud and level >= self._peak - spec.drop)

    def _wait(self, level: int, is_loud: bool) -> Change:
        spec = self.spec
        self._adapt(level, is_loud)
        if not is_loud:
            self._loud = 0
            return Change.NONE
        self._peak = max(self._peak, level) if self._loud else level
        self._loud += 1
        if self._loud < spec.onset_frames:
            return Change.NONE
        self.start = max(self.end, self.n_frames - spec.onset_frames - spec.pre_roll)
        self.end, self._quiet, self.state = self.n_frames, 0, State.IN_WORD
        return Change.BEGAN

    def _follow(self, level: int, is_loud: bool) -> Change:
        spec = self.spec
        self._adapt(level, True)
        if is_loud:
            self._loud += self._quiet + 1
            self._quiet, self.end = 0, self.n_frames
            if self._loud <= spec.longest:
                return Change.NONE
            self._loud, self.state = 0, State.OVERLONG
            return Change.TOO_LONG
        self._quiet += 1
        if self._quiet <= spec.post_roll:
            self.end = self.n_frames
        if self._quiet < spec.hangover:
            return Change.NONE
        is_word = self._loud >= spec.shortest
        self._loud, self.state = 0, State.WAITING
        return Change.ENDED if is_word else Change.TOO_SHORT

    def _wear_off(self, level: int, is_loud: bool) -> Change:
        self._adapt(level, False)
        self.end = self.n_frames
        self._quiet = 0 if is_loud else self._quiet + 1
        if self._quiet == self.spec.hangover:
            self.state = State.WAITING
        return Change.NONE

    def _adapt(self, level: int, is_loud: bool) -> None:
        """Move the floor: quickly down, slowly up, and hardly at all during loud sound."""
        spec = self.spec
        distance = (level << _FLOOR_SHIFT) - self.floor
        if distance < 0:
            self.floor += (distance * spec.fall) >> RATE_BITS
        elif is_loud:
            self.floor += min(distance, spec.creep)
        else:
            self.floor += (distance * spec.rise) >> RATE_BITS


def stretches(endpointer: Endpointer, frame_levels: Iterable[int]) -> list[Stretch]:
    """Every stretch that the next frames end."""
    found = []
    step = endpointer.step
    for level in frame_levels:
        change = step(level)
        if change > Change.BEGAN:
            found.append(
                Stretch(change, endpointer.start, endpointer.end, decided=endpointer.n_frames)
            )
    return found
