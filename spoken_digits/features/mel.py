"""Short-time power spectra and triangular mel bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def hz_to_mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """HTK's mel scale: 2595 log10(1 + f / 700)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0))


def mel_to_hz(mel: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0))


def band_edges(n_mels: int, fmin: float, fmax: float) -> NDArray[np.float64]:
    """Edges of `n_mels` overlapping triangles, Hz: band i spans edges i to i + 2, (n_mels + 2,)."""
    return mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), n_mels + 2))


def mel_bank(
    edges_hz: NDArray[np.float64], sample_rate: int, n_fft: int, *, normalised: bool = True
) -> Float32:
    """Triangles between arbitrary edges.

    librosa and torchaudio make banks on the mel scale only; augmentation warps the edges.

    Parameters
    ----------
    edges_hz
        (n_mels + 2,) rising.
    sample_rate
        Hz.
    n_fft
        Length of the transform.
    normalised
        Whether each triangle sums to 1; otherwise its peak is 1.

    Returns
    -------
    (1 + n_fft // 2, n_mels) float32. A band that holds no bin, or lies above half the sample rate,
    takes the bin nearest to its centre.
    """
    bins = np.arange(1 + n_fft // 2) * sample_rate / n_fft
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    narrow = sample_rate / n_fft * 1e-3
    rising = (bins[:, None] - low) / np.maximum(centre - low, narrow)
    falling = (high - bins[:, None]) / np.maximum(high - centre, narrow)
    bank = np.maximum(0.0, np.minimum(rising, falling))  # (n_bins, n_mels)
    empty = np.flatnonzero(bank.sum(axis=0) == 0)
    nearest = np.round(centre[empty] * n_fft / sample_rate).astype(int)
    bank[np.minimum(nearest, len(bins) - 1), empty] = 1.0
    if normalised:
        bank /= bank.sum(axis=0)
    return bank.astype(np.float32)


def hann(length: int) -> Float32:
    """Periodic Hann window, (length,); SciPy's `signal` takes half a second to import."""
    turns = np.arange(length) / length
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * turns), np.float32)


def power_spectra(frames: Float32, window: Float32, n_fft: int) -> Float32:
    """Power spectra (n, 1 + n_fft // 2) of frames (n, window length), float32 all the way."""
    import scipy.fft  # integer models run without

    spectra = scipy.fft.rfft(frames * window, n_fft, axis=1)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)
