"""Specification of log-mel bands relative to the word's level: parameters and integer tables.

Window, FFT and mel bands are those of `specification`; tables are rounded once, in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from spoken_digits.bounds import Bounds, SampleRate
from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.frontend.specification import (
    FFT_POINTS,
    LOG_BITS,
    LOG_FRACTION_BITS,
    LOG_TABLE_BITS,
    MEL_BITS,
    WINDOW_SAMPLES,
    arrays_of,
    fingerprint,
    mel_table,
    rounded,
    shared_tables,
)

AUDIBLE_OCTAVES = 8  # a log of 0 is a power of 2**-8 in the scale of the FFT
ENERGY_OCTAVES = 51  # logs are below this many octaves
SOFTPLUS_STEP_BITS = 5  # table steps of 1/8 octave, Q8
SOFTPLUS_OCTAVES = 10  # beyond, the rest rounds to 0
GAIN_SHIFT = 18  # of octaves in Q8 times the gain, to feature steps

_DB_PER_OCTAVE = 10 * np.log10(2)
_MOST_BANDS = 1 << (64 - ENERGY_OCTAVES)  # of a word: their energies are summed in 64 bits
_MOST_STEPS = 64  # of a feature, an octave: keeps the product with the gain within 32 bits


@dataclass(frozen=True, kw_only=True)
class LogMelSpec:
    """Section `features.log_mel` and the sample rate, as far as integers can compute it."""

    sample_rate: SampleRate
    """Sample rate of the int16 input, Hz."""

    window_length: Annotated[int, Bounds(2, 65_536, example=200)]
    """Length of the Hann window, samples: a multiple of 4, at most 256."""

    n_fft: Annotated[int, Bounds(2, 65_536, example=256)]
    """Length of the transform, samples: 256."""

    hop_length: Annotated[int, Bounds(1, 65_536, example=100)]
    """Samples from frame to frame, at most window_length."""

    n_mels: Annotated[int, Bounds(1, 512, example=40)]
    """Mel bands, each wider than the bins of the FFT."""

    fmin: Annotated[float, Bounds(0, 96_000, example=64.0)]
    """Lower edge of the first band, Hz."""

    fmax: Annotated[float, Bounds(above=0, high=96_000, example=4000.0)]
    """Upper edge of the last band, Hz, at most half the sample rate."""

    floor_db: Annotated[float, Bounds(0, 120, example=25.0)]
    """Noise floor, decibels below the word's mean band power; at most 128 times step_db."""

    step_db: Annotated[float, Bounds(above=0, high=10, example=0.5)]
    """Decibels of one step of the int8 features."""

    n_frames: Annotated[int, Bounds(1, 10_000, example=54)]
    """Frames of a clip; n_frames times n_mels at most 8,192."""

    def __post_init__(self) -> None:
        if self.n_fft != WINDOW_SAMPLES:
            raise ValueError(
                f"`n_fft` is {self.n_fft}, must be {WINDOW_SAMPLES}, the length of the fixed-point "
                "FFT"
            )
        if self.window_length % 4 or self.window_length > WINDOW_SAMPLES:
            raise ValueError(
                f"`window_length` is {self.window_length}, must be a multiple of 4 and at most "
                f"{WINDOW_SAMPLES}"
            )
        if self.hop_length > self.window_length:
            raise ValueError(
                f"`hop_length` is {self.hop_length}, must be at most window_length "
                f"({self.window_length})"
            )
        if not self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                f"`fmax` is {self.fmax}, must be above fmin ({self.fmin}) and at most half of "
                f"sample_rate ({self.sample_rate})"
            )
        if self.n_mels >= FFT_POINTS or not _weight_sums(self).all():
            raise ValueError(
                f"`n_mels` is {self.n_mels}, too many for fmin, fmax and sample_rate: a band is "
                f"narrower than the bins of the FFT ({self.sample_rate / WINDOW_SAMPLES:g} Hz)"
            )
        if self.n_frames * self.n_mels > _MOST_BANDS:
            raise ValueError(
                f"`n_frames` is {self.n_frames}, must be at most {_MOST_BANDS // self.n_mels}: the "
                f"energies of n_frames times {self.n_mels} bands are summed in 64 bits"
            )
        if self.step_db * _MOST_STEPS < _DB_PER_OCTAVE:
            raise ValueError(
                f"`step_db` is {self.step_db:g}, must be at least "
                f"{_DB_PER_OCTAVE / _MOST_STEPS:.4f}, for products of 32 bits"
            )
        if self.floor_db > 128 * self.step_db:
            raise ValueError(
                f"`floor_db` is {self.floor_db:g}, must be at most {128 * self.step_db:g}, 128 "
                "times step_db: features are int8"
            )

    @property
    def n_features(self) -> int:
        """Features of one frame."""
        return self.n_mels

    def fingerprint(self) -> str:
        """SHA-256 of the parameters and of every table: equal fingerprints, equal features."""
        return fingerprint(self, arrays_of(log_mel_tables(self)))


@dataclass(frozen=True, kw_only=True)
class LogMelTables:
    """Integer tables of one specification."""

    weights: IntArray
    """Periodic Hann window, Q15, 0 from window_length on, (256,)."""

    sine: IntArray
    order: IntArray
    log_fraction: IntArray
    """As in `SharedTables`."""

    mel_rising: IntArray
    mel_edges: IntArray
    """As in `FrontendTables`."""

    floor: IntArray
    """What is subtracted from the log2 of each band's sum, Q8, (n_mels,): the log2 of the sum of
    its weights, so that logs are of a mean, and `AUDIBLE_OCTAVES` below."""

    exp_fraction: IntArray
    """2**(i / 32) - 1, Q15, i in 0..32, (33,)."""

    softplus: IntArray
    """log2(1 + 2**(-i / 8)), Q8, i in 0..80, (81,)."""

    floor_depth: int
    """`floor_db` in octaves, Q8."""

    gain: int
    """Feature steps an octave, Q10."""

    silence: int
    """The feature of silence."""


@dataclass(frozen=True, kw_only=True)
class SharedLogMelTables:
    """Integer tables that are the same for every `LogMelSpec`; as in `LogMelTables`."""

    exp_fraction: IntArray
    softplus: IntArray


@lru_cache(maxsize=1)
def shared_log_mel_tables() -> SharedLogMelTables:
    """Round the shared tables."""
    octave = np.arange((1 << LOG_TABLE_BITS) + 1) / (1 << LOG_TABLE_BITS)
    below = np.arange(8 * SOFTPLUS_OCTAVES + 1) / 8
    return SharedLogMelTables(
        exp_fraction=rounded((2**octave - 1) * (1 << LOG_FRACTION_BITS)),
        softplus=rounded(np.log2(1 + 2**-below) * (1 << LOG_BITS)),
    )


@lru_cache(maxsize=8)
def log_mel_tables(spec: LogMelSpec) -> LogMelTables:
    """Round the tables of `spec`."""
    shared, shared_log_mel = shared_tables(), shared_log_mel_tables()
    n = np.arange(WINDOW_SAMPLES)
    window = np.sin(np.pi * n / spec.window_length) ** 2 * (n < spec.window_length)
    rising, edges = mel_table(spec)
    means = np.log2(_weight_sums(spec)) - AUDIBLE_OCTAVES
    octave = _DB_PER_OCTAVE / spec.step_db
    return LogMelTables(
        weights=rounded(window * (1 << 15)),
        sine=shared.sine,
        order=shared.order,
        log_fraction=shared.log_fraction,
        mel_rising=rising,
        mel_edges=edges,
        floor=rounded(means * (1 << LOG_BITS)),
        exp_fraction=shared_log_mel.exp_fraction,
        softplus=shared_log_mel.softplus,
        floor_depth=int(rounded(np.array(spec.floor_db / _DB_PER_OCTAVE * (1 << LOG_BITS)))),
        gain=int(rounded(np.array(octave * (1 << (GAIN_SHIFT - LOG_BITS))))),
        silence=int(rounded(np.array(-spec.floor_db / spec.step_db))),
    )


def _weight_sums(spec: LogMelSpec) -> IntArray:
    """Sum of the integer weights of each band, Q8, (n_mels,)."""
    rising, edges = mel_table(spec)
    sums = np.concatenate([[0], np.cumsum(rising)])  # (129,)
    segment = np.diff(edges)
    segment_rising = sums[edges[1:]] - sums[edges[:-1]]  # (n_mels + 1,)
    falling = (segment << MEL_BITS) - segment_rising
    return np.asarray(segment_rising[:-1] + falling[1:])
