"""Section `detector` of params.yaml: how a listener finds words in a stream, in ms and dB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from spoken_digits.bounds import Bounds

_Db = Annotated[float, Bounds(0, 60, example=6.0)]
_Ms = Annotated[float, Bounds(0, 2_000, example=60.0)]


@dataclass(frozen=True, kw_only=True)
class SlidingParams:
    """Section `detector.sliding`: windows as long as the word that the model hears."""

    step_ms: Annotated[float, Bounds(1, 1_000, example=100.0)]
    """Time from window to window, ms; rounded to whole frames of the front-end."""
    smoothed_windows: Annotated[int, Bounds(1, 32, example=3)]
    """Windows whose mean probability decides; the first and the last must overlap."""
    refractory_ms: Annotated[float, Bounds(0, 60_000, example=200.0)]
    """Pause after a word during which no other is reported, ms, between what all windows of the
    one and of the other heard."""


@dataclass(frozen=True, kw_only=True)
class DetectorParams:
    """Section `detector`. Durations are rounded to whole frames, up where a word could be lost."""

    frame_ms: Literal[10, 20]
    """Length of a frame whose level is measured, ms."""
    floor_fall_ms: Annotated[float, Bounds(1, 60_000, example=100.0)]
    """Time constant of the noise floor when the level is below it, ms."""
    floor_rise_ms: Annotated[float, Bounds(1, 60_000, example=500.0)]
    """Time constant of the noise floor when the level is above it, but no onset, ms."""
    floor_creep_db: Annotated[float, Bounds(0, 100, example=2.0)]
    """Rise of the noise floor during loud sound, dB a second."""
    onset_db: _Db
    """Level above the noise floor at which a word may begin, dB."""
    offset_db: _Db
    """Level above the noise floor below which a word may end, dB, at most onset_db."""
    drop_db: Annotated[float, Bounds(6, 120, example=35.0)]
    """Level below the loudest frame of a word at which it may end whatever the noise, dB: the
    tail of a room."""
    quietest_dbfs: Annotated[float, Bounds(-96, 0, example=-66.0)]
    """Level below which nothing is a word, dB relative to a full-scale square wave."""
    onset_ms: _Ms
    """Loud sound that begins a word, ms: shorter sounds are clicks."""
    pre_roll_ms: _Ms
    """Sound before the first loud frame that is heard as part of the word, ms."""
    post_roll_ms: _Ms
    """Sound after the last loud frame that is heard as part of the word, ms, at most
    hangover_ms."""
    hangover_ms: Annotated[float, Bounds(1, 2_000, example=220.0)]
    """Quiet that ends a word, ms: longer than the closure within a word such as eight."""
    shortest_ms: Annotated[float, Bounds(0, 10_000, example=100.0)]
    """Loud part of the shortest word, ms."""
    longest_ms: Annotated[float, Bounds(1, 60_000, example=1_200.0)]
    """Loud part of the longest word, ms: longer sounds are speech that runs on, or noise."""
    refractory_ms: Annotated[float, Bounds(0, 60_000, example=0.0)]
    """Pause after a word during which no other is reported, ms, from end to onset."""
    sliding: SlidingParams | None
    """The other way of finding words, a window that slides, for models with `_silence_` and
    `_unknown_`; null: not offered."""

    def __post_init__(self) -> None:
        if self.offset_db > self.onset_db:
            raise ValueError(
                f"`offset_db` is {self.offset_db:g}, must be at most onset_db ({self.onset_db:g})"
            )
        if self.post_roll_ms > self.hangover_ms:
            raise ValueError(
                f"`post_roll_ms` is {self.post_roll_ms:g}, must be at most hangover_ms "
                f"({self.hangover_ms:g})"
            )
        if self.longest_ms < max(self.shortest_ms, self.onset_ms):
            raise ValueError(
                f"`longest_ms` is {self.longest_ms:g}, must be at least shortest_ms "
                f"({self.shortest_ms:g}) and onset_ms ({self.onset_ms:g})"
            )
