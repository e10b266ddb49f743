"""What a detector reports: ``sd_event`` in C."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


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
    """A sound that was heard. Samples are counted from the beginning."""

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
