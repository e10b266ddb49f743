"""What the fields of files accept, as part of their types; `spoken_digits.validation` reads it."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal


@dataclass(frozen=True)
class Bounds:
    """The numbers that a field accepts; always finite ones."""

    low: float = -math.inf
    """Smallest number."""
    high: float = math.inf
    """Largest number."""
    above: float = dataclasses.field(default=-math.inf, kw_only=True)
    """Any number must be larger than this one."""
    below: float = dataclasses.field(default=math.inf, kw_only=True)
    """Any number must be smaller than this one."""
    example: float | None = dataclasses.field(default=None, kw_only=True)
    """A sensible value, for error messages."""

    def hold(self, number: float) -> bool:
        """Whether `number` is within the bounds."""
        return (
            math.isfinite(number)
            and self.low <= number <= self.high
            and self.above < number < self.below
        )

    def __str__(self) -> str:
        """Such as ``from 1 to 10,000``."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"from {self.low:,} to {self.high:,}"
        sides = (
            ("of at least", self.low),
            ("above", self.above),
            ("at most", self.high),
            ("below", self.below),
        )
        return " and ".join(f"{word} {side:,}" for word, side in sides if math.isfinite(side))


@dataclass(frozen=True)
class Length:
    """How long a text or a list may be."""

    low: int
    """Fewest characters or items."""
    high: int
    """Most characters or items."""
    printable: bool = dataclasses.field(default=True, kw_only=True)
    """Whether a text must be without control characters and the like."""
    example: Any = dataclasses.field(default=None, kw_only=True)
    """A sensible value, for error messages."""


@dataclass(frozen=True)
class Form:
    """How a text must be written."""

    pattern: str
    """A regular expression for the whole text."""
    words: str
    """The same in words, after ``a text``."""
    example: None = None

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Keys:
    """The keys that a section of free keys may have."""

    names: tuple[str, ...]
    example: None = None


# Types of values that several rooms read which do not import one another.
CorpusName = Literal["fsdd", "audiomnist", "speech_commands", "synthetic", "spoken", "folder"]
ByCorpus = Annotated[dict[str, dict[str, Any]], Keys(typing.get_args(CorpusName))]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Threads = Annotated[int, Bounds(1, 1024, example=2)]
SampleRate = Annotated[int, Bounds(1000, 192_000, example=8000)]
Digest = Annotated[str, Form("[0-9a-f]{64}", "of 64 hexadecimal digits")]
