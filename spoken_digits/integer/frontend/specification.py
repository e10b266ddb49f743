"""Specification of the fixed-point front-end: its parameters and its integer tables.

Everything that NumPy and C share is here. Tables are rounded once, in Python; no
trigonometric function or logarithm enters the firmware.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Any, Protocol

import numpy as np
import numpy.typing as npt

from spoken_digits.bounds import Bounds, SampleRate
from spoken_digits.integer.fixed import IntArray

WINDOW_BITS = 8
WINDOW_SAMPLES = 1 << WINDOW_BITS  # = FFT length; the real FFT is a complex one of half of it
FFT_POINTS = WINDOW_SAMPLES // 2
TWIDDLE_BITS = 14  # sines in Q14
FFT_INPUT_BITS = 16  # components entering a stage with twiddles are at most 2**16
SPLIT_INPUT_BITS = 15  # ... and those entering the split into real spectra 2**15
SPLIT_SHIFT = 2  # of the spectrum, which is twice too large, so that a power is below 2**31
MEL_BITS = 8  # mel weights in Q8
LOG_BITS = 8  # log2 of an energy in Q8
LOG_TABLE_BITS = 5  # 32 intervals an octave
LOG_FRACTION_BITS = 15  # table entries in Q15
COEFFICIENT_SHIFT = 16  # of the accumulator, to int8 features

STEPS_PER_OCTAVE = 9  # of the zeroth coefficient, as the power doubles: 3 a decibel
LEVEL_OFFSET = 64  # of the zeroth coefficient: 192 steps, 64 dB, lie between it and -128


@dataclass(frozen=True, kw_only=True)
class FrontendSpec:
    """Section `features.mfcc_int`. Window and FFT are fixed at 256 samples.

    The bounds below keep every sum of the front-end within 32 bits: a full-scale band lies at
    most 57 octaves of power above the lowest `floor_lsb`.
    """

    sample_rate: SampleRate
    """Sample rate of the int16 input, Hz."""

    hop_length: Annotated[int, Bounds(1, WINDOW_SAMPLES, example=160)]
    """Samples from frame to frame."""

    n_mels: Annotated[int, Bounds(4, 40, example=32)]
    """Mel bands; even, because the cosine transform folds its input."""

    fmin: Annotated[float, Bounds(0, 96_000, example=20)]
    """Lower edge of the first mel band, Hz."""

    fmax: Annotated[float, Bounds(1, 96_000, example=4000)]
    """Upper edge of the last mel band, Hz, at most half the sample rate."""

    floor_lsb: Annotated[float, Bounds(0.001, 32_768, example=1)]
    """Noise floor: root mean square, in input steps, of the white noise whose power in one bin
    is the least energy a mel band can have."""

    level_decay_db: Annotated[float, Bounds(0, 1000, example=0.5)]
    """How far the level tracker falls in one frame, in decibels."""

    n_mfcc: Annotated[int, Bounds(2, 40, example=13)]
    """Cepstral coefficients a frame; at most `n_mels`, and at most `lifter` + 1."""

    lifter: Annotated[int, Bounds(1, 100, example=22)]
    """Length L of the cepstral lifter 1 + L/2 sin(pi k / L), which brings the coefficients k to
    a similar size."""

    n_frames: Annotated[int, Bounds(1, 10_000, example=36)]
    """Most frames taken from one clip."""

    def __post_init__(self) -> None:
        if self.n_mels % 2:
            raise ValueError(f"`n_mels` is {self.n_mels}, must be even")
        most = min(self.n_mels, self.lifter + 1)
        if self.n_mfcc > most:
            raise ValueError(
                f"`n_mfcc` is {self.n_mfcc}, must be at most {most}: no more than n_mels and "
                "lifter + 1"
            )
        if not self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                f"`fmax` is {self.fmax}, must be above fmin ({self.fmin}) and at most half of "
                f"sample_rate ({self.sample_rate})"
            )
        _, edges = mel_table(self)
        if not (edges[2:] > edges[:-2]).all():
            raise ValueError(
                f"`n_mels` is {self.n_mels}, too many for fmin, fmax and sample_rate: a band is "
                f"narrower than the bins of the FFT ({self.sample_rate / WINDOW_SAMPLES:g} Hz)"
            )

    @property
    def n_features(self) -> int:
        """Features of one frame."""
        return self.n_mfcc

    def fingerprint(self) -> str:
        """SHA-256 of the parameters and of every table: equal fingerprints, equal features."""
        return fingerprint(self, arrays_of(tables(self)))


@dataclass(frozen=True, kw_only=True)
class FrontendTables:
    """Integer tables of one specification."""

    window: IntArray
    """First half of the periodic Hann window with its centre, Q15, (129,); w[256 - n] = w[n]."""

    sine: IntArray
    """sin(2 pi i / 256), Q14, i in 0..255, (256,)."""

    order: IntArray
    """Digit-reversed order of the first pass: group q starts at complex sample order[q], (32,)."""

    mel_rising: IntArray
    """Weight of FFT bin b in the band that rises there, Q8, (128,); 256 minus it in the band
    that falls there. Bin 0 is not used."""

    mel_edges: IntArray
    """Bins b with edges[s] <= b < edges[s + 1] rise into band s and fall out of band s - 1,
    (n_mels + 2,)."""

    log_fraction: IntArray
    """log2(1 + i / 32), Q15, i in 0..32, (33,)."""

    cosine: IntArray
    """Rows 1.. of the DCT-II times their gains, (n_mfcc - 1, n_mels / 2): odd rows, which are
    antisymmetric, for bands n_mels / 2 on; even rows, symmetric, for those before."""

    level_gain: int
    """Factor of the zeroth sum, which has no cosine."""

    floor: int
    """Noise floor in the scale of `mel_log`, Q8."""

    level_decay: int
    """Fall of the level tracker a frame, in the scale of the zeroth sum, Q8."""

    @property
    def weights(self) -> IntArray:
        """The whole window, (256,)."""
        return np.concatenate([self.window, self.window[-2:0:-1]])


@dataclass(frozen=True, kw_only=True)
class SharedTables:
    """Integer tables that are the same for every specification."""

    sine: IntArray
    """sin(2 pi i / 256), Q14, i in 0..255, (256,)."""

    order: IntArray
    """Digit-reversed order of the first pass: group q starts at complex sample order[q], (32,)."""

    log_fraction: IntArray
    """log2(1 + i / 32), Q15, i in 0..32, (33,)."""


@lru_cache(maxsize=1)
def shared_tables() -> SharedTables:
    """Round the shared tables."""
    octave = np.arange((1 << LOG_TABLE_BITS) + 1) / (1 << LOG_TABLE_BITS)
    return SharedTables(
        sine=rounded(np.sin(2 * np.pi * np.arange(256) / 256) * (1 << TWIDDLE_BITS)),
        order=_digit_reversed(),
        log_fraction=rounded(np.log2(1 + octave) * (1 << LOG_FRACTION_BITS)),
    )


@lru_cache(maxsize=8)
def tables(spec: FrontendSpec) -> FrontendTables:
    """Round the tables of `spec`.

    Sources: mel scale 2595 log10(1 + f / 700) (O'Shaughnessy 1987, as in HTK); MFCC after Davis
    and Mermelstein 1980, doi:10.1109/TASSP.1980.1163420.
    """
    rising, edges = mel_table(spec)
    half_window = np.sin(np.pi * np.arange(FFT_POINTS + 1) / WINDOW_SAMPLES) ** 2
    rows = np.arange(1, spec.n_mfcc)[:, None]
    bands = np.arange(spec.n_mels // 2) + 0.5 + rows % 2 * (spec.n_mels // 2)
    gains = _gains(spec)
    # log2 of the floor's power, in the scale of the integer energies: halved amplitudes, weights
    # in Q8. A window of N samples has the power sum 3 N / 8.
    floor_power = 3 * WINDOW_SAMPLES / 8 * spec.floor_lsb**2
    floor = (np.log2(floor_power) + MEL_BITS - 2) * (1 << LOG_BITS)
    decay = spec.level_decay_db / (10 * np.log10(2)) * spec.n_mels * (1 << LOG_BITS)
    shared = shared_tables()
    return FrontendTables(
        window=rounded(half_window * (1 << 15)),
        sine=shared.sine,
        order=shared.order,
        mel_rising=rising,
        mel_edges=edges,
        log_fraction=shared.log_fraction,
        cosine=rounded(gains[1:, None] * np.cos(np.pi * rows * bands / spec.n_mels)),
        level_gain=int(rounded(gains[0])),
        floor=int(rounded(np.array(floor))),
        level_decay=int(rounded(np.array(decay))),
    )


def _gains(spec: FrontendSpec) -> npt.NDArray[np.float64]:
    """Gain of each coefficient, (n_mfcc,): one constant times the lifter of the HTK Book (5.6).

    Nothing is fitted to recordings. A sum over the bands grows with their number, so the
    constant is divided by it.
    """
    unit = STEPS_PER_OCTAVE * 2.0 ** (COEFFICIENT_SHIFT - LOG_BITS) / spec.n_mels
    k = np.arange(spec.n_mfcc)
    lifter: npt.NDArray[np.float64] = 1 + spec.lifter / 2 * np.sin(np.pi * k / spec.lifter)
    return unit * lifter


class MelBands(Protocol):
    """What decides the mel bands."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def n_mels(self) -> int: ...

    @property
    def fmin(self) -> float:
        """Hz."""

    @property
    def fmax(self) -> float:
        """Hz."""


def mel_table(spec: MelBands) -> tuple[IntArray, IntArray]:
    """Rising weight of every bin, and the first bin of every segment between band centres."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (spec.fmin, spec.fmax))
    centres_hz = 700 * (10 ** (np.linspace(low, high, spec.n_mels + 2) / 2595) - 1)
    bins_hz = np.arange(FFT_POINTS) * spec.sample_rate / WINDOW_SAMPLES
    segment = np.searchsorted(centres_hz, bins_hz, side="right") - 1  # (128,)
    # A bin below the first edge counts as standing on it: weight 0 in band 0.
    inside = np.clip(segment, 0, spec.n_mels)
    width = centres_hz[inside + 1] - centres_hz[inside]
    rising = np.clip((bins_hz - centres_hz[inside]) / width, 0, 1)
    first = np.searchsorted(bins_hz, centres_hz[:-1], side="left")  # (n_mels + 1,)
    last = np.searchsorted(bins_hz, centres_hz[-1], side="left")
    edges = np.maximum(np.append(first, last), 1)  # bin 0 is a weightless constant
    weights = np.minimum(rounded(rising * (1 << MEL_BITS)), (1 << MEL_BITS) - 1)
    return weights, edges.astype(np.int32)


def arrays_of(table: Any) -> dict[str, IntArray]:
    """A dataclass of tables by name, scalars as arrays of one element."""
    return {field.name: np.atleast_1d(getattr(table, field.name)) for field in fields(table)}


def fingerprint(spec: Any, arrays: Mapping[str, IntArray]) -> str:
    """SHA-256 of a dataclass of parameters and of its tables."""
    digest = hashlib.sha256()
    for field in fields(spec):
        digest.update(f"{field.name}={getattr(spec, field.name)}\n".encode())
    for name, table in arrays.items():
        digest.update(f"{name}{table.shape}".encode() + table.astype("<i4").tobytes())
    return digest.hexdigest()


def _digit_reversed() -> IntArray:
    """First complex sample of each of the 32 groups of the first pass, digits of base 2, 4, 4."""
    n = np.arange(32)
    order = np.empty(32, dtype=np.int32)
    order[16 * (n % 2) + 4 * (n // 2 % 4) + n // 8] = n
    return order


def rounded(x: npt.NDArray[np.float64]) -> IntArray:
    """Round to the nearest integer; `tests/integer` holds every entry clear of a tie."""
    return np.floor(x + 0.5).astype(np.int32)
