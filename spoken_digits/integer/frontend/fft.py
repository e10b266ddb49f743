"""Block-floating real FFT of 256 samples in integers: the NumPy twin of ``firmware/sd_fft.c``.

A real FFT of 256 points is a complex one of 128 points over (even, odd) sample pairs, followed
by a split (Sorensen et al. 1987, doi:10.1109/TASSP.1987.1165220). The complex one is decimated
in time, in passes of radix 4, 4, 4 and 2. All values of a frame share one exponent: before each
pass they are shifted right, rounding, just far enough to keep its products within 32 bits.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import IntArray, bit_length, round_shift
from spoken_digits.integer.frontend.specification import (
    FFT_INPUT_BITS,
    FFT_POINTS,
    SPLIT_INPUT_BITS,
    SPLIT_SHIFT,
    TWIDDLE_BITS,
    WINDOW_SAMPLES,
)

WORK = np.int32  # the type of every product and sum; tests widen it to prove that none overflows

Complex = tuple[IntArray, IntArray]


class FftTables(Protocol):
    """The tables of a transform; the fields of `FrontendTables`."""

    @property
    def weights(self) -> IntArray:
        """Window, Q15, with zeros after it, (256,)."""

    @property
    def sine(self) -> IntArray:
        """(256,)."""

    @property
    def order(self) -> IntArray:
        """(32,)."""


def power_spectrum(frames: npt.NDArray[np.int16], table: FftTables) -> tuple[IntArray, IntArray]:
    """Power in each bin below half the sample rate.

    Parameters
    ----------
    frames
        (n, window length) int16, at most 256 samples each.

    Returns
    -------
    power
        (n, 128) in ``[0, 2**31)``; bin 0 is 0. Times ``2**(2 exponent)`` it is a quarter of the
        squared magnitude of the DFT of the windowed frame after its mean is removed.
    exponent
        (n,) from -15 to 13.
    """
    z, exponent = _normalised(frames, table)
    z = _first_pass(z)
    for span in (4, 16):
        z, exponent = _shifted(z, exponent, FFT_INPUT_BITS)
        z = _radix4_pass(z, span, table)
    z, exponent = _shifted(z, exponent, FFT_INPUT_BITS)
    z = _radix2_pass(z, table)
    z, exponent = _shifted(z, exponent, SPLIT_INPUT_BITS)
    return _split_power(z, table), exponent


def _normalised(frames: npt.NDArray[np.int16], table: FftTables) -> tuple[Complex, IntArray]:
    """Mean, level and window: (n, n_samples) -> complex (n, 32, 4) in the order of the first pass.

    Without their mean, samples reach at most 65279 (one of 32767 among 255 of -32768): 16 bits
    and a sign. Times a window weight of at most 2**15, and rounded, they stay below 2**31.
    """
    x = frames.astype(WORK)
    n_samples = x.shape[1]
    mean = (x.sum(axis=1, dtype=WORK) + n_samples // 2) // n_samples  # halves up, as round_shift
    x -= mean[:, None]
    length = bit_length(np.bitwise_or.reduce(x ^ (x >> 31), axis=1)).astype(WORK)  # (n,) 0..16
    x = round_shift(x * table.weights[:n_samples].astype(WORK), length[:, None])  # Q15: 15 bits
    x = np.pad(x, ((0, 0), (0, WINDOW_SAMPLES - n_samples)))
    rows = table.order[:, None] + 32 * np.arange(4)  # (32, 4)
    return (x[:, 2 * rows], x[:, 2 * rows + 1]), length - 15


def _shifted(z: Complex, exponent: IntArray, bits: int) -> tuple[Complex, IntArray]:
    """Shift each frame right until its components fit `bits` bits and a sign."""
    re, im = z
    mask = np.bitwise_or.reduce((re ^ (re >> 31)) | (im ^ (im >> 31)), axis=1)
    shift = np.maximum(bit_length(mask) - bits, 0).astype(WORK)  # (n,)
    return (
        (round_shift(re, shift[:, None]), round_shift(im, shift[:, None])),
        exponent + shift,
    )


def _first_pass(z: Complex) -> Complex:
    """Radix-4 butterflies without twiddles: (n, 32, 4) -> (n, 128)."""
    re, im = z
    outputs = _butterfly4([(re[..., i], im[..., i]) for i in range(4)])
    return _joined(outputs, axis=2)


def _radix4_pass(z: Complex, span: int, table: FftTables) -> Complex:
    """Join four DFTs of `span` points each into one, for all groups: (n, 128) -> (n, 128)."""
    shape = (len(z[0]), FFT_POINTS // (4 * span), 4, span)
    re, im = z[0].reshape(shape), z[1].reshape(shape)
    angle = np.arange(span) * (256 // (4 * span))
    inputs = [
        _turned((re[:, :, leg], im[:, :, leg]), leg * angle, TWIDDLE_BITS, table)
        for leg in range(4)
    ]
    return _joined(_butterfly4(inputs), axis=2)


def _radix2_pass(z: Complex, table: FftTables) -> Complex:
    """Join two DFTs of 64 points into one of 128: (n, 128) -> (n, 128)."""
    half = FFT_POINTS // 2
    (re, im) = z
    turned_re, turned_im = _turned(
        (re[:, half:], im[:, half:]), 2 * np.arange(half), TWIDDLE_BITS, table
    )
    return (
        np.concatenate([re[:, :half] + turned_re, re[:, :half] - turned_re], axis=1),
        np.concatenate([im[:, :half] + turned_im, im[:, :half] - turned_im], axis=1),
    )


def _split_power(z: Complex, table: FftTables) -> IntArray:
    """Spectrum of the 256 real samples from that of their pairs, then its power: (n, 128)."""
    k = np.arange(1, FFT_POINTS // 2 + 1)  # 1..64
    re, im = z[0][:, k], z[1][:, k]
    mirror_re, mirror_im = z[0][:, FFT_POINTS - k], z[1][:, FFT_POINTS - k]
    even = (
        round_shift(re + mirror_re, SPLIT_SHIFT),
        round_shift(im - mirror_im, SPLIT_SHIFT),
    )
    odd = (im + mirror_im, mirror_re - re)  # the odd samples' spectrum times -j, twice
    odd = _turned(odd, k, TWIDDLE_BITS + SPLIT_SHIFT, table)
    power = np.zeros((len(re), FFT_POINTS), dtype=WORK)
    power[:, FFT_POINTS - k] = (even[0] - odd[0]) ** 2 + (even[1] - odd[1]) ** 2
    power[:, k] = (even[0] + odd[0]) ** 2 + (even[1] + odd[1]) ** 2
    return power


def _turned(z: Complex, angle: npt.NDArray[np.int64], shift: int, table: FftTables) -> Complex:
    """Turn by ``-2 pi angle / 256`` and shift right by `shift`, rounding."""
    re, im = z
    sine = table.sine[angle % WINDOW_SAMPLES].astype(WORK)
    cosine = table.sine[(angle + 64) % WINDOW_SAMPLES].astype(WORK)
    return (
        round_shift(re * cosine + im * sine, shift),
        round_shift(im * cosine - re * sine, shift),
    )


def _butterfly4(z: list[Complex]) -> list[Complex]:
    """DFT of four points."""
    (ar, ai), (br, bi), (cr, ci), (dr, di) = z
    sum_ac, sum_bd = (ar + cr, ai + ci), (br + dr, bi + di)
    dif_ac, dif_bd = (ar - cr, ai - ci), (br - dr, bi - di)
    return [
        (sum_ac[0] + sum_bd[0], sum_ac[1] + sum_bd[1]),
        (dif_ac[0] + dif_bd[1], dif_ac[1] - dif_bd[0]),
        (sum_ac[0] - sum_bd[0], sum_ac[1] - sum_bd[1]),
        (dif_ac[0] - dif_bd[1], dif_ac[1] + dif_bd[0]),
    ]


def _joined(outputs: list[Complex], axis: int) -> Complex:
    """Stack butterfly outputs along `axis` and flatten to (n, 128)."""
    n = len(outputs[0][0])
    return (
        np.stack([re for re, _ in outputs], axis=axis).reshape(n, FFT_POINTS),
        np.stack([im for _, im in outputs], axis=axis).reshape(n, FFT_POINTS),
    )
