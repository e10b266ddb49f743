"""Mel bands of power spectra and their logarithms: the NumPy twin of ``firmware/sd_mel.c``."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import IntArray, bit_length, round_shift
from spoken_digits.integer.frontend import fft
from spoken_digits.integer.frontend.specification import (
    LOG_BITS,
    LOG_FRACTION_BITS,
    LOG_TABLE_BITS,
    MEL_BITS,
)

_FRAMES_AT_ONCE = 1024  # keeps the FFT's arrays within a processor's cache

Pcm = npt.NDArray[np.int16]


class MelTables(fft.FftTables, Protocol):
    """The tables that lead from samples to logs; the fields of `FrontendTables`."""

    @property
    def mel_rising(self) -> IntArray:
        """(128,)."""

    @property
    def mel_edges(self) -> IntArray:
        """(n_mels + 2,)."""

    @property
    def log_fraction(self) -> IntArray:
        """(33,)."""

    @property
    def floor(self) -> int | IntArray:
        """What is subtracted from the log2 of the energies, Q8: one for all, or (n_mels,)."""


def mel_log(frames: Pcm, table: MelTables) -> IntArray:
    """log2 of the mel energies above the floor, Q8.

    Parameters
    ----------
    frames
        (n, window length) int16.

    Returns
    -------
    (n, n_mels) int32, 0 at the floor, below 2**14.
    """
    logs = np.empty((len(frames), len(table.mel_edges) - 2), dtype=np.int32)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        part = slice(start, start + _FRAMES_AT_ONCE)
        power, exponent = fft.power_spectrum(frames[part], table)
        logs[part] = _log_energy(_mel_energy(power, table), exponent, table)
    return logs


def log2_q8(
    mantissa: npt.NDArray[np.int64], exponent: IntArray, fraction: IntArray
) -> npt.NDArray[np.int64]:
    """log2 of ``mantissa * 2**exponent``, Q8.

    Parameters
    ----------
    mantissa
        In ``[2**31, 2**32)``.
    fraction
        `SharedTables.log_fraction`.
    """
    interval = (mantissa >> (31 - LOG_TABLE_BITS)) & ((1 << LOG_TABLE_BITS) - 1)
    step = (mantissa >> (31 - LOG_TABLE_BITS - 16)) & 0xFFFF
    below, above = fraction[interval], fraction[interval + 1]
    log2 = ((exponent + 31) << LOG_FRACTION_BITS) + below + (((above - below) * step) >> 16)
    return np.asarray(round_shift(log2, LOG_FRACTION_BITS - LOG_BITS))


def _mel_energy(power: IntArray, table: MelTables) -> npt.NDArray[np.int64]:
    """Triangular bands over the bins: (n, 128) powers -> (n, n_mels) energies below 2**48."""
    wide = power.astype(np.int64)
    rising = wide * table.mel_rising
    edges = table.mel_edges
    sums = np.pad(np.cumsum(wide, axis=1), ((0, 0), (1, 0)))
    sums_rising = np.pad(np.cumsum(rising, axis=1), ((0, 0), (1, 0)))
    segment = np.diff(sums[:, edges], axis=1)  # (n, n_mels + 1)
    segment_rising = np.diff(sums_rising[:, edges], axis=1)
    falling = (segment << MEL_BITS) - segment_rising
    energy: npt.NDArray[np.int64] = segment_rising[:, :-1] + falling[:, 1:]
    return energy


def _log_energy(
    energy: npt.NDArray[np.int64], exponent: IntArray, table: MelTables
) -> npt.NDArray[np.int32]:
    """log2 of energies times ``2**(2 exponent)`` above the floor, Q8; 0 where there is none."""
    # Use at most 32 significant bits, as in C: drop the low 16 if the rest fills more than 16.
    coarse = energy >= (1 << 31)
    mantissa = np.where(coarse, energy >> 16, energy)
    shift = 32 - bit_length(mantissa)
    log2 = log2_q8(mantissa << shift, 16 * coarse - shift, table.log_fraction)
    log2 += (2 * exponent[:, None]) << LOG_BITS
    return np.where(energy > 0, np.maximum(log2 - table.floor, 0), 0).astype(np.int32)
