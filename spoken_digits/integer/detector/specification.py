"""The integers that a detector works with, made from parameters in ms and dB in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spoken_digits.integer.detector.params import DetectorParams, SlidingParams
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec
from spoken_digits.integer.frontend.specification import LOG_BITS
from spoken_digits.rejection.labels import NOT_WORDS

CERTAIN = 10_000
"""Confidence of 1."""

FLOOR_BITS = 12  # fraction bits of the noise floor, an octave is 1
RATE_BITS = 12  # of a time constant's share a frame
MOST_SAMPLES = 1024  # of a frame: keeps the sum of squares times it within 64 bits
SCALE_SHIFT = 19  # largest, of the confidence's scale
FAR = 15 << LOG_BITS  # 2**-15 and less count as nothing

_DB_PER_OCTAVE = 10 * math.log10(2)
_FULL_SCALE_OCTAVES = 30  # log2 of the power of a full-scale square wave


@dataclass(frozen=True, kw_only=True)
class EndpointSpec:
    """``sd_endpoint_spec``: levels are log2 of a power, Q8, durations are frames."""

    frame_length: int
    """Samples of a frame."""
    fall: int
    rise: int
    """Share of the way to the level that the floor goes in a frame, Q12."""
    creep: int
    """Rise of the floor in a loud frame, octaves in Q12."""
    onset: int
    offset: int
    """Above the floor."""
    drop: int
    """Below the peak."""
    quietest: int
    """Level."""
    onset_frames: int
    """1 or more."""
    pre_roll: int
    post_roll: int
    hangover: int
    """1 or more."""
    shortest: int
    longest: int

    @property
    def ring_frames(self) -> int:
        """Frames that are kept: until an onset is sure, or it is known that a word goes on."""
        return max(self.pre_roll + self.onset_frames, self.hangover - self.post_roll)


@dataclass(frozen=True, kw_only=True)
class DecisionSpec:
    """When a word is reported, however it was found."""

    sample_rate: int
    """Hz."""
    refractory: int
    """Samples."""
    scale: int
    scale_shift: int
    """A difference of logits times ``scale >> scale_shift`` is octaves of probability, Q8."""
    farthest: int
    """Difference of logits from which on a class counts as impossible."""
    threshold: int
    """Least confidence of a word, 0 to `CERTAIN`."""
    silent: tuple[bool, ...]
    """(n_classes,) whether a class is never reported."""


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(DecisionSpec):
    """``sd_detector_spec``: words lie between quiet."""

    endpoint: EndpointSpec


@dataclass(frozen=True, kw_only=True)
class SlidingSpec(DecisionSpec):
    """``sd_sliding_spec``: words lie in windows that slide over the stream."""

    window: int
    """Samples that the recogniser hears at once."""
    step: int
    """Samples from window to window."""
    n_smoothed: int
    """Windows whose mean probability decides; all of them overlap."""


def endpoint_spec(params: DetectorParams, sample_rate: int) -> EndpointSpec:
    """The endpointing part, for samples of `sample_rate` Hz.

    Raises
    ------
    ValueError
        A frame is no whole number of samples, or too long; starts with the key in backticks.
    """
    length = params.frame_ms * sample_rate / 1000
    if not length.is_integer() or not 1 <= length <= MOST_SAMPLES:
        raise ValueError(
            f"`frame_ms` is {params.frame_ms}: at {sample_rate} Hz that is {length:g} samples, "
            f"must be a whole number up to {MOST_SAMPLES}"
        )
    squared = 2 * math.log2(length)  # `endpoint.levels` measures power times length squared
    creep_octaves = params.floor_creep_db * params.frame_ms / 1000 / _DB_PER_OCTAVE
    return EndpointSpec(
        frame_length=int(length),
        fall=_share(params.frame_ms, params.floor_fall_ms),
        rise=_share(params.frame_ms, params.floor_rise_ms),
        creep=round(creep_octaves * (1 << FLOOR_BITS)),
        onset=_octaves(params.onset_db),
        offset=_octaves(params.offset_db),
        drop=_octaves(params.drop_db),
        quietest=_octaves(params.quietest_dbfs)
        + round((_FULL_SCALE_OCTAVES + squared) * (1 << LOG_BITS)),
        onset_frames=max(1, _frames(params.onset_ms, params)),
        pre_roll=_frames(params.pre_roll_ms, params),
        post_roll=math.floor(params.post_roll_ms / params.frame_ms),
        hangover=_frames(params.hangover_ms, params),
        shortest=math.floor(params.shortest_ms / params.frame_ms),
        longest=_frames(params.longest_ms, params),
    )


def specify(
    params: DetectorParams,
    sample_rate: int,
    *,
    labels: Sequence[str],
    logit_step: float,
    temperature: float,
    threshold: float,
) -> DetectorSpec:
    """All integers of a detector that finds words between quiet.

    Parameters
    ----------
    params
        Section `detector`.
    sample_rate
        Of the front-end, Hz.
    labels
        (n_classes,) of the recogniser.
    logit_step
        Real value of one step of its logits.
    temperature
        Divides the logits before the softmax; above 0.
    threshold
        Least confidence of a word, 0 to 1.

    Raises
    ------
    ValueError
        A value is out of bounds; starts with its name in backticks.
    """
    decision = _decision_spec(
        sample_rate, params.refractory_ms, labels, logit_step, temperature, threshold
    )
    return DetectorSpec(**vars(decision), endpoint=endpoint_spec(params, sample_rate))


def specify_sliding(
    params: SlidingParams,
    frontend: Spec,
    *,
    labels: Sequence[str],
    logit_step: float,
    temperature: float,
    threshold: float,
) -> SlidingSpec:
    """All integers of a detector whose window slides: as long as the word that the model hears.

    Parameters
    ----------
    params
        Section `detector.sliding`.
    frontend
        Of the model.
    labels, logit_step, temperature, threshold
        As for `specify`.

    Raises
    ------
    ValueError
        As for `specify`, or the model is not made for it (see `why_not_sliding`).
    """
    if reason := why_not_sliding(labels, frontend):
        raise ValueError(reason)
    assert isinstance(frontend, LogMelSpec)
    hop = frontend.hop_length
    window = (frontend.n_frames - 1) * hop + frontend.window_length
    step = max(1, round(params.step_ms * frontend.sample_rate / 1000 / hop)) * hop
    if (params.smoothed_windows - 1) * step >= window:
        raise ValueError(
            f"`sliding.smoothed_windows` is {params.smoothed_windows}: the first and the last "
            f"of so many windows of {1000 * window / frontend.sample_rate:g} ms, one every "
            f"{1000 * step / frontend.sample_rate:g} ms, have no sound in common"
        )
    decision = _decision_spec(
        frontend.sample_rate, params.refractory_ms, labels, logit_step, temperature, threshold
    )
    return SlidingSpec(
        **vars(decision), window=window, step=step, n_smoothed=params.smoothed_windows
    )


def why_not_sliding(labels: Sequence[str], frontend: Spec) -> str | None:
    """Why a model cannot listen through a sliding window, of which most hold no word; or None."""
    lacking = [label for label in NOT_WORDS if label not in labels]
    if lacking:
        return (
            f"the model has no class {' or '.join(lacking)}, so it would take any window for a "
            "word: a sliding window needs an open model, such as tiny_open"
        )
    if not isinstance(frontend, LogMelSpec):
        return (
            "the model hears clips of any length: a sliding window needs one that hears words of "
            "one length, of features `log_mel`, such as tiny_open"
        )
    return None


def _decision_spec(
    sample_rate: int,
    refractory_ms: float,
    labels: Sequence[str],
    logit_step: float,
    temperature: float,
    threshold: float,
) -> DecisionSpec:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"`temperature` is {temperature}, must be above 0")
    if not 0 <= threshold <= 1:
        raise ValueError(f"`threshold` is {threshold}, must be from 0 to 1")
    scale, shift = _scale(logit_step / (temperature * math.log(2)) * (1 << LOG_BITS))
    return DecisionSpec(
        sample_rate=sample_rate,
        refractory=round(refractory_ms * sample_rate / 1000),
        scale=scale,
        scale_shift=shift,
        farthest=-(-(FAR << shift) // scale),
        threshold=round(threshold * CERTAIN),
        silent=tuple(label in NOT_WORDS for label in labels),
    )


def _scale(real: float) -> tuple[int, int]:
    """`real` as ``scale / 2**shift``, scale of at most 16 bits."""
    shift = min(SCALE_SHIFT, 15 - math.frexp(real)[1])
    if shift < 0 or round(real * 2.0**shift) < 1:
        raise ValueError(
            f"`temperature`: a step of the logits would be {real:g} steps of 1/256 octave, must "
            f"be from {2.0**-SCALE_SHIFT:g} to {2**15}"
        )
    return round(real * 2.0**shift), shift


def _octaves(db: float) -> int:
    return round(db / _DB_PER_OCTAVE * (1 << LOG_BITS))


def _share(frame_ms: float, constant_ms: float) -> int:
    return max(1, round(-math.expm1(-frame_ms / constant_ms) * (1 << RATE_BITS)))


def _frames(ms: float, params: DetectorParams) -> int:
    return math.ceil(ms / params.frame_ms)


def dbfs(octaves: float, frame_length: int) -> float:
    """A level of `endpoint.levels`, or a floor, in decibels relative to a full-scale square."""
    full = _FULL_SCALE_OCTAVES + 2 * math.log2(frame_length)
    return (octaves - full) * _DB_PER_OCTAVE
