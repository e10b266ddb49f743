"""Section `sound` of a recipe: how recordings are varied while a network trains."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from spoken_digits.bounds import Bounds, Length

Probability = Annotated[float, Bounds(0, 1, example=0.2)]
Decibels = Annotated[float, Bounds(-20, 100, example=20.0)]
Range = Annotated[tuple[Decibels, Decibels], Length(2, 2, example=[5.0, 25.0])]


@dataclass(frozen=True, kw_only=True)
class LastEpochs:
    """What holds in the last epochs of a training instead, where clips are varied less.

    The network ends among clips like those that it will hear; Ge et al., "YOLOX", 2021, likewise
    turn their strongest augmentation off for the last epochs.
    """

    share: Annotated[float, Bounds(0, 1, example=0.25)]
    """Share of all epochs."""
    resampling_probability: Probability
    """As in `sound`."""
    drive_probability: Probability
    """As in `sound`."""
    mu_law_probability: Probability
    """As in `sound`."""
    tempo: Annotated[float, Bounds(0, 1, example=0.2)]
    """As in `sound`."""
    time_warp: Annotated[float, Bounds(0, 0.49, example=0.15)]
    """As in `sound`."""
    mel_drift: Probability
    """As in `sound`."""
    contour_db: Annotated[float, Bounds(0, 30, example=0.0)]
    """As in `sound`."""
    telephone_probability: Probability
    """As in `sound`."""
    babble_probability: Probability
    """As in `sound`."""
    noise_snr_db: Range
    """As in `sound`."""
    coefficient_mask: Annotated[int, Bounds(0, 512, example=3)]
    """As in `sound`."""
    time_mask: Annotated[int, Bounds(0, 10_000, example=2)]
    """As in `sound`."""

    def __post_init__(self) -> None:
        _check_ranges(self, "noise_snr_db")


@dataclass(frozen=True, kw_only=True)
class SoundParams:
    """What is drawn for each clip, in the order in which it is applied."""

    resampling: Annotated[
        tuple[Annotated[float, Bounds(0.25, 4, example=1.25)], ...], Length(1, 32, example=[0.8, 1])
    ]
    """Length of the clip after resampling, relative to the recording: moves pitch and formants
    together. One of these is drawn."""
    resampling_probability: Probability
    """Share of the clips that are resampled."""
    drive_probability: Probability
    """Share of the clips that are overdriven until the loudest samples are clipped."""
    drive: Annotated[float, Bounds(above=0, high=1, example=0.3)]
    """Clipping level relative to the clip's peak: drawn between this and 1."""
    mu_law_probability: Probability
    """Share of the clips that go through 8-bit mu-law, as on a telephone line."""
    tempo: Annotated[float, Bounds(0, 1, example=0.3)]
    """Natural logarithm of the largest change of duration; pitch stays."""
    time_warp: Annotated[float, Bounds(0, 0.49, example=0.4)]
    """Largest relative change of speed within a word by each of two waves: ends against middle,
    and quarters against each other."""
    room: Annotated[int, Bounds(0, 10_000, example=8)]
    """Most frames of room before and after a word, for features that begin with the word; where
    the window is fixed (log_mel), the word is anywhere in it."""
    level_db: Annotated[float, Bounds(0, 60, example=6.0)]
    """Largest change of level, for features that depend on it."""
    mel_warp: Annotated[float, Bounds(0, 0.5, example=0.22)]
    """Natural logarithm of the largest shift of all mel bands in frequency: a longer or a shorter
    vocal tract."""
    mel_warp_knots: Annotated[float, Bounds(0, 0.3, example=0.04)]
    """Standard deviation of the further shift at five knots along the mel axis, natural logarithm:
    a vocal tract of another shape."""
    mel_banks: Annotated[int, Bounds(1, 10_000, example=120)]
    """Number of warped mel banks; drawn once for a training."""
    mel_drift: Probability
    """Share of the clips whose mel bank changes into another in the course of the word: another
    accent, whose vowels move in other ways."""
    contour_db: Annotated[float, Bounds(0, 30, example=3.0)]
    """Standard deviation of a smooth random change of level over bands and frames, decibels: some
    sounds of the word louder, others quieter."""
    equaliser_db: Annotated[float, Bounds(0, 30, example=2.2)]
    """Standard deviation of the slowest of four random cosines along the mel axis, decibels: a
    microphone or a room."""
    tilt_db: Annotated[float, Bounds(0, 30, example=4.3)]
    """Largest change of the first and the last band in opposite directions, decibels."""
    telephone_probability: Probability
    """Share of the clips cut to 300 to 3,400 Hz."""
    reverberation_probability: Probability
    """Share of the clips with a tail of decaying power."""
    babble_probability: Probability
    """Share of the clips with two other train clips in the background."""
    babble_snr_db: Range
    """Level of the clip above the babble, decibels: drawn between these."""
    noise_snr_db: Range
    """Level of the clip above coloured noise, decibels: drawn between these."""
    coefficient_mask: Annotated[int, Bounds(0, 512, example=6)]
    """Most adjacent coefficients, or mel bands, that are blanked."""
    time_mask: Annotated[int, Bounds(0, 10_000, example=4)]
    """Most consecutive frames that are blanked."""
    remove_talker: bool
    """Subtract each talker's own mean in training; in use, the mean over all of them."""
    last_epochs: LastEpochs | None
    """Epochs at the end with less variation; null: none."""

    def __post_init__(self) -> None:
        _check_ranges(self, "babble_snr_db", "noise_snr_db")

    def in_epoch(self, epoch: int, epochs: int) -> SoundParams:
        """What applies in one of `epochs` epochs, counted from 1."""
        last = self.last_epochs
        if last is None or epoch <= round((1 - last.share) * epochs):
            return self
        instead = {name: value for name, value in vars(last).items() if name != "share"}
        return dataclasses.replace(self, **instead)


def _check_ranges(params: LastEpochs | SoundParams, *names: str) -> None:
    for name in names:
        low, high = getattr(params, name)
        if low > high:
            raise ValueError(f"`{name}` is [{low:g}, {high:g}], must be [lowest, highest]")
