"""Specification of the fixed-point front-end: its parameters and its integer tables.

Everything that NumPy and C must agree on is here. Tables are rounded once, in Python; no
trigonometric function or logarithm enters the firmware.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import IntArray

WINDOW_SAMPLES = 256  # = FFT length; the real FFT is a complex one of half that length
FFT_POINTS = WINDOW_SAMPLES // 2
TWIDDLE_BITS = 14  # sines in Q14
FFT_INPUT_BITS = 16  # components entering a stage with twiddles are at most 2**16
SPLIT_INPUT_BITS = 15  # ... and those entering the split into real spectra 2**15
SPLIT_SHIFT = 2  # of the twice too large spectrum, so that a power is below 2**31
MEL_BITS = 8  # mel weights in Q8
LOG_BITS = 8  # log2 of an energy in Q8
LOG_TABLE_BITS = 5  # 32 intervals an octave
LOG_FRACTION_BITS = 15  # table entries in Q15
COEFFICIENT_SHIFT = 16  # of the accumulator, to int8 features

# From `fit_scales` over every third recording of the Free Spoken Digit Dataset, then frozen:
# constants of the specification, not learnt anew with each split.
_DEFAULT_GAINS = (79, 224, 317, 412, 441, 473, 658, 758, 863, 923, 901, 1037, 1048)
_DEFAULT_OFFSETS = (24, -30, -9, 12, 35, 19, 18, 14, 21, 15, 19, 26, 25)


@dataclass(frozen=True, kw_only=True)
class FrontendSpec:
    """Parameters of the ``mfcc_int`` features. Window and FFT are fixed at 256 samples."""

    sample_rate_hz: int = 8000
    """Sample rate of the int16 input."""

    hop_samples: int = 160
    """Step from one frame to the next, at most 256 samples."""

    n_mels: int = 32
    """Mel bands; even, because the cosine transform folds its input."""

    low_hz: float = 0.0
    """Lower edge of the first mel band."""

    high_hz: float = 4000.0
    """Upper edge of the last mel band, at most half the sample rate."""

    floor_lsb: float = 5.0
    """Noise floor: root mean square, in input steps, of the white noise whose power in one bin
    is the least energy a mel band can have."""

    level_decay_db: float = 0.5
    """How far the level tracker falls in one frame, in decibels."""

    n_coefficients: int = 13
    """Cepstral coefficients a frame, at most `n_mels`."""

    n_frames: int = 36
    """Most frames taken from one clip."""

    gains: tuple[int, ...] = _DEFAULT_GAINS
    """Amplitude of each cosine row, below 2**15; see `fit_scales`."""

    offsets: tuple[int, ...] = _DEFAULT_OFFSETS
    """Added to each coefficient, in steps of the int8 feature; see `fit_scales`."""

    def __post_init__(self) -> None:
        _check(0 < self.hop_samples <= WINDOW_SAMPLES, "hop_samples` must lie in 1..256")
        _check(4 <= self.n_mels <= 40 and self.n_mels % 2 == 0, "n_mels` must be even, in 4..40")
        _check(
            0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2,
            "low_hz` and `high_hz` must satisfy 0 <= low_hz < high_hz <= sample_rate_hz / 2",
        )
        _check(0 < self.n_coefficients <= self.n_mels, "n_coefficients` must lie in 1..n_mels")
        _check(self.n_frames > 0, "n_frames` must be positive")
        _check(
            len(self.gains) == len(self.offsets) == self.n_coefficients,
            "gains` and `offsets` must have n_coefficients entries",
        )

    def fingerprint(self) -> str:
        """SHA-256 of the parameters and of every table: equal fingerprints, equal features."""
        digest = hashlib.sha256()
        for field in fields(self):
            digest.update(f"{field.name}={getattr(self, field.name)}\n".encode())
        for name, table in tables(self).arrays().items():
            digest.update(f"{name}{table.shape}".encode() + table.astype("<i4").tobytes())
        return digest.hexdigest()


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
    """Rows 1.. of the DCT-II times their gains, (n_coefficients - 1, n_mels / 2): odd rows,
    which are antisymmetric, for bands n_mels / 2 on; even rows, symmetric, for those before."""

    floor: int
    """Noise floor in the scale of `mel_log`, Q8."""

    level_decay: int
    """Fall of the level tracker a frame, in the scale of the zeroth sum, Q8."""

    def arrays(self) -> dict[str, IntArray]:
        """Tables by name, scalars as arrays of one element."""
        return {field.name: np.atleast_1d(getattr(self, field.name)) for field in fields(self)}


@lru_cache(maxsize=8)
def tables(spec: FrontendSpec) -> FrontendTables:
    """Round the tables of `spec`.

    Sources: mel scale 2595 log10(1 + f / 700) (O'Shaughnessy 1987, as in HTK); MFCC after Davis
    and Mermelstein 1980, doi:10.1109/TASSP.1980.1163420.
    """
    rising, edges = _mel_table(spec)
    half_window = np.sin(np.pi * np.arange(FFT_POINTS + 1) / WINDOW_SAMPLES) ** 2
    rows = np.arange(1, spec.n_coefficients)[:, None]
    bands = np.arange(spec.n_mels // 2) + 0.5 + rows % 2 * (spec.n_mels // 2)
    gains = np.array(spec.gains[1:], dtype=np.float64)[:, None]
    # log2 of the floor's power, in the scale of the integer energies: halved amplitudes, weights
    # in Q8. A window of N samples has the power sum 3 N / 8.
    floor_power = 3 * WINDOW_SAMPLES / 8 * spec.floor_lsb**2
    floor = (np.log2(floor_power) + MEL_BITS - 2) * (1 << LOG_BITS)
    decay = spec.level_decay_db / (10 * np.log10(2)) * spec.n_mels * (1 << LOG_BITS)
    octave = np.arange((1 << LOG_TABLE_BITS) + 1) / (1 << LOG_TABLE_BITS)
    return FrontendTables(
        window=_rounded(half_window * (1 << 15)),
        sine=_rounded(np.sin(2 * np.pi * np.arange(256) / 256) * (1 << TWIDDLE_BITS)),
        order=_digit_reversed(),
        mel_rising=rising,
        mel_edges=edges,
        log_fraction=_rounded(np.log2(1 + octave) * (1 << LOG_FRACTION_BITS)),
        cosine=_rounded(gains * np.cos(np.pi * rows * bands / spec.n_mels)),
        floor=int(_rounded(np.array(floor))),
        level_decay=int(_rounded(np.array(decay))),
    )


def _mel_table(spec: FrontendSpec) -> tuple[IntArray, IntArray]:
    """Rising weight of every bin, and the first bin of every segment between band centres."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (spec.low_hz, spec.high_hz))
    centres_hz = 700 * (10 ** (np.linspace(low, high, spec.n_mels + 2) / 2595) - 1)
    bins_hz = np.arange(FFT_POINTS) * spec.sample_rate_hz / WINDOW_SAMPLES
    segment = np.searchsorted(centres_hz, bins_hz, side="right") - 1  # (128,)
    # A bin below the first edge counts as standing on it: weight 0 in band 0.
    inside = np.clip(segment, 0, spec.n_mels)
    width = centres_hz[inside + 1] - centres_hz[inside]
    rising = np.clip((bins_hz - centres_hz[inside]) / width, 0, 1)
    first = np.searchsorted(bins_hz, centres_hz[:-1], side="left")  # (n_mels + 1,)
    last = np.searchsorted(bins_hz, centres_hz[-1], side="left")
    edges = np.maximum(np.append(first, last), 1)  # bin 0 is a weightless constant
    weights = np.minimum(_rounded(rising * (1 << MEL_BITS)), (1 << MEL_BITS) - 1)
    return weights, edges.astype(np.int32)


def _digit_reversed() -> IntArray:
    """First complex sample of each of the 32 groups of the first pass, digits of base 2, 4, 4."""
    n = np.arange(32)
    order = np.empty(32, dtype=np.int32)
    order[16 * (n % 2) + 4 * (n // 2 % 4) + n // 8] = n
    return order


def _rounded(x: npt.NDArray[np.float64]) -> IntArray:
    """Round to the nearest integer; `tests/integer` holds every entry clear of a tie."""
    return np.floor(x + 0.5).astype(np.int32)


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
