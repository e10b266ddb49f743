"""Section `detect` of params.yaml: the streams that detectors are tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from spoken_digits.bounds import Bounds

_Gaps = tuple[Annotated[float, Bounds(0, 60)], Annotated[float, Bounds(0, 60)]]
_Hours = Annotated[float, Bounds(0.01, 1_000, example=1.0)]


@dataclass(frozen=True, kw_only=True)
class DetectParams:
    """Section `detect`."""

    words: Annotated[int, Bounds(10, 100_000, example=300)]
    """Most words in a stream, spread over labels and speakers."""
    gap_s: _Gaps
    """Shortest and longest pause between two words, seconds."""
    run_on_gap_s: _Gaps
    """The same between two words or sentences of people who talk to each other, for the threshold
    of a sliding window, seconds."""
    snr_db: Annotated[float, Bounds(-20, 100, example=20.0)]
    """Words over noise, dB, where nothing else is said."""
    noisy_snr_db: Annotated[float, Bounds(-20, 100, example=10.0)]
    """Words over noise in the stream of more noise, and over babble in the stream of babble, dB."""
    reverberation_s: Annotated[float, Bounds(0.01, 10, example=0.4)]
    """Reverberation time of the room, seconds."""
    talkers: Annotated[int, Bounds(1, 100, example=5)]
    """People who babble at once."""
    noise_hours: _Hours
    """Length of the stream without speech, hours."""
    babble_hours: _Hours
    """Length of the stream of babble, hours; half as long for the threshold of a sliding window."""
    synthetic_minutes: Annotated[float, Bounds(0.1, 10_000, example=60.0)]
    """Length of the stream of synthetic speech of other words, at least, minutes; half as long for
    the threshold of a sliding window."""
    most_lost: Annotated[float, Bounds(0, 1, example=0.05)]
    """Share of the validation words recognised rightly that the threshold may cost."""

    def __post_init__(self) -> None:
        for name in ("gap_s", "run_on_gap_s"):
            least, most = getattr(self, name)
            if least > most:
                raise ValueError(f"`{name}` is {[least, most]}, the first must not be the larger")
