"""The conditions of stage `robustness`: which distortions, how strong.

Every draw is seeded by condition, level and recording alone, so none depends on which models,
conditions or recordings are measured besides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from spoken_digits.audio import Waveform
from spoken_digits.bounds import Bounds, Length
from spoken_digits.evaluation import distortion
from spoken_digits.evaluation.distortion import Samples

_ROOM_NOISE = 10 ** (-60 / 20)  # root mean square, full scale 1


@dataclass(frozen=True, kw_only=True)
class RobustnessParams:
    """Section `robustness`: distortions of the test clips, each at several levels."""

    clips: Annotated[int, Bounds(1, 1_000_000, example=600)] | None
    """Most test clips for each condition, spread over words and speakers; null: all of them."""
    giga_macs: Annotated[float, Bounds(above=0, high=1e9, example=500.0)]
    """Most work for one model, 10^9 multiply-accumulates: a large network hears fewer clips."""
    talkers: Annotated[int, Bounds(1, 100, example=4)]
    """Other test speakers that babble at once."""
    snr_db: Annotated[
        tuple[Annotated[float, Bounds(-60, 100)], ...], Length(1, 100, example=[20.0, 10.0])
    ]
    """Signal-to-noise ratios of white noise, pink noise and babble, dB."""
    level_dbfs: Annotated[
        tuple[Annotated[float, Bounds(-90, 0)], ...], Length(1, 100, example=[-20.0, -40.0])
    ]
    """Peak levels, dB relative to full scale, of 16 bits."""
    dc: Annotated[tuple[Annotated[float, Bounds(-1, 1)], ...], Length(1, 100, example=[0.05])]
    """Constant offsets, full scale 1."""
    clipping: Annotated[
        tuple[Annotated[float, Bounds(0, below=1)], ...], Length(1, 100, example=[0.1])
    ]
    """Shares of samples at full scale."""
    speed: Annotated[
        tuple[Annotated[float, Bounds(0.25, 4)], ...], Length(1, 100, example=[0.9, 1.1])
    ]
    """How many times as fast, tempo and pitch together."""
    reverberation_s: Annotated[
        tuple[Annotated[float, Bounds(0.01, 10)], ...], Length(1, 100, example=[0.4])
    ]
    """Reverberation times (decay by 60 dB), seconds."""
    silence_ms: Annotated[
        tuple[Annotated[float, Bounds(0, 10_000)], ...], Length(1, 100, example=[100.0, 300.0])
    ]
    """Silence before or after the word, milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A test clip as recorded."""

    utterance: str
    speaker: str
    samples: Samples
    """(n_samples,), full scale 1."""
    sample_rate: int
    """Hz."""


Babble = Callable[[Recording, np.random.Generator], Samples]
"""Other people who talk as long as a recording: (n_samples,) at its rate."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a distortion works on."""

    clip: Recording
    level: float
    """In the kind's unit; NaN for a kind without levels."""
    rng: np.random.Generator
    babble: Babble

    @property
    def samples(self) -> Samples:
        """(n_samples,) of the clip."""
        return self.clip.samples

    @property
    def sample_rate(self) -> int:
        """Of the clip, Hz."""
        return self.clip.sample_rate

    def in_noise(self, noise: Samples) -> Samples:
        """The clip in `noise`, with `level` as the signal-to-noise ratio."""
        return distortion.mixed(self.samples, noise, self.level)


Distort = Callable[[Scene], Samples]
Levels = Callable[[RobustnessParams], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of distortion."""

    title: str
    """For people."""
    unit: str = ""
    """What `level` counts; empty for a kind without levels."""
    levels: Levels | None = None
    """Picks the levels out of the parameters; None for a kind without levels."""
    distort: Distort


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One distortion at one level."""

    name: str
    """A key of `KINDS`."""
    level: float | None
    """None for a kind without levels."""

    @property
    def written_level(self) -> str:
        """As tables write it; empty without a level."""
        return "" if self.level is None else f"{self.level:g}"

    def __call__(self, clip: Recording, babble: Babble) -> Waveform:
        """`clip` under this condition, at its own rate, as a 16-bit converter gives it."""
        seed = hashlib.sha256(f"{self.name} {self.written_level} {clip.utterance}".encode())
        scene = Scene(
            clip=clip,
            level=np.nan if self.level is None else self.level,
            rng=np.random.default_rng(int.from_bytes(seed.digest(), "big")),
            babble=babble,
        )
        return distortion.to_pcm16(KINDS[self.name].distort(scene))


def conditions(params: RobustnessParams) -> list[Condition]:
    """Every condition, in the order of `KINDS`."""
    return [
        Condition(name=name, level=level)
        for name, kind in KINDS.items()
        for level in (kind.levels(params) if kind.levels else (None,))
    ]


def _noise(title: str, noise: Distort) -> Kind:
    return Kind(
        title=title,
        unit="signal-to-noise ratio / dB",
        levels=lambda params: params.snr_db,
        distort=lambda scene: scene.in_noise(noise(scene)),
    )


def _silence(title: str, *, leading: bool, root_mean_square: float) -> Kind:
    def distort(scene: Scene) -> Samples:
        n_samples = round(scene.level * scene.sample_rate / 1000)
        silence = root_mean_square * distortion.white_noise(n_samples, scene.rng)
        return np.concatenate([silence, scene.samples] if leading else [scene.samples, silence])

    return Kind(
        title=title, unit="duration / ms", levels=lambda params: params.silence_ms, distort=distort
    )


def _format(title: str, subtype: str) -> Kind:
    return Kind(
        title=title,
        distort=lambda scene: distortion.through_format(scene.samples, scene.sample_rate, subtype),
    )


KINDS: Mapping[str, Kind] = {
    "clean": Kind(title="as recorded", distort=lambda scene: scene.samples),
    "white_noise": _noise(
        "white noise", lambda scene: distortion.white_noise(scene.samples.size, scene.rng)
    ),
    "pink_noise": _noise(
        "pink noise",
        lambda scene: distortion.pink_noise(scene.samples.size, scene.sample_rate, scene.rng),
    ),
    "babble": _noise("babble", lambda scene: scene.babble(scene.clip, scene.rng)),
    "level": Kind(
        title="level",
        unit="peak / dBFS",
        levels=lambda params: params.level_dbfs,
        distort=lambda scene: distortion.at_peak(scene.samples, scene.level),
    ),
    "dc": Kind(
        title="constant offset",
        unit="offset / full scale",
        levels=lambda params: params.dc,
        distort=lambda scene: scene.samples + scene.level,
    ),
    "clipping": Kind(
        title="clipping",
        unit="share of clipped samples",
        levels=lambda params: params.clipping,
        distort=lambda scene: distortion.clipped(scene.samples, scene.level),
    ),
    "speed": Kind(
        title="speed",
        unit="times as fast",
        levels=lambda params: params.speed,
        distort=lambda scene: distortion.sped_up(scene.samples, scene.sample_rate, scene.level),
    ),
    "reverberation": Kind(
        title="reverberation",
        unit="decay by 60 dB / s",
        levels=lambda params: params.reverberation_s,
        distort=lambda scene: distortion.reverberated(
            scene.samples, scene.sample_rate, scene.level, scene.rng
        ),
    ),
    "leading_zeros": _silence("zeros before", leading=True, root_mean_square=0.0),
    "trailing_zeros": _silence("zeros after", leading=False, root_mean_square=0.0),
    "leading_noise": _silence("room noise before", leading=True, root_mean_square=_ROOM_NOISE),
    "trailing_noise": _silence("room noise after", leading=False, root_mean_square=_ROOM_NOISE),
    "telephone": Kind(
        title="telephone band",
        distort=lambda scene: distortion.telephone(scene.samples, scene.sample_rate),
    ),
    "mu_law": _format("8-bit mu-law", "ULAW"),
    "linear_8_bit": _format("8-bit linear", "PCM_U8"),
}
"""Kinds by the name in column `condition`."""
