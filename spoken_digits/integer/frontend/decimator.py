"""16 kHz to 8 kHz in integers, for a microphone that is twice as fast as the front-end.

The NumPy twin of ``firmware/sd_decimator.c``, equal bit for bit: a half-band low-pass of 47 taps,
of which 24 differ from zero, and every second sample of its output. Flat to 0.1 dB up to 3.4 kHz,
6 dB down at 4 kHz, at least 55 dB from 4.6 kHz on, so that what folds over ends up above 3.4 kHz.
Its gain at 0 Hz is exactly one and the past of a clip is taken to be its first sample: **a constant
offset stays just that offset**, and silence with an offset stays silence.

The output is 23 samples of the input late, 1.4 ms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import round_shift, saturate
from spoken_digits.integer.frontend.mel import Pcm

SIDE_TAPS = (-15, 40, -81, 144, -235, 364, -546, 807, -1200, 1870, -3344, 10388)
"""Every second tap from the first to the middle, Q15; the others are zero but for the middle one,
one half. The second side mirrors the first. By a Kaiser window for 55 dB; the last takes up the
rounding of all, so that the sum is one."""

TAP_BITS = 15
_MIDDLE = 1 << (TAP_BITS - 1)
_N_TAPS = 4 * len(SIDE_TAPS) - 1


def taps() -> npt.NDArray[np.int64]:
    """All 47 taps, Q15, as a dense filter."""
    dense = np.zeros(_N_TAPS, np.int64)
    dense[: 2 * len(SIDE_TAPS) : 2] = SIDE_TAPS
    dense[-1 : -2 * len(SIDE_TAPS) - 1 : -2] = SIDE_TAPS
    dense[_N_TAPS // 2] = _MIDDLE
    return dense


class Decimator:
    """Halves the rate of samples that come in blocks of any size."""

    def __init__(self) -> None:
        self._past: npt.NDArray[np.int64] | None = None
        self._is_odd = False

    def push(self, samples: Pcm) -> Pcm:
        """The next samples at half the rate.

        Parameters
        ----------
        samples
            (n,) int16, as many as there are.

        Returns
        -------
        ndarray, int16
            (n / 2,), rounded up or down in turn where n is odd: the first sample of a clip gives
            one, then every second.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError(f"samples must be int16 in one row, not {samples.dtype}")
        if samples.size == 0:
            return samples
        if self._past is None:
            self._past = np.full(_N_TAPS - 1, samples[0], np.int64)
        line = np.concatenate([self._past, samples])
        self._past = line[line.size - (_N_TAPS - 1) :]
        first = int(self._is_odd)
        self._is_odd ^= samples.size % 2 == 1
        sums = np.convolve(line, taps(), mode="valid")[first::2]
        return saturate(round_shift(sums, TAP_BITS), 16).astype(np.int16)


def decimate(samples: Pcm) -> Pcm:
    """A whole clip at half the rate: (n,) int16 to ((n + 1) // 2,) int16."""
    return Decimator().push(samples)
