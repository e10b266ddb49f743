"""The mean features of each talker, which training subtracts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.augmentation.sound.voice import Voices
from spoken_digits.features.mel import Float32
from spoken_digits.features.spectral import SpectralExtractor

_CLIPS_A_WORD = 3


@dataclass(frozen=True, kw_only=True)
class TalkerStatistics:
    """What talkers sound like on average."""

    means: Float32
    """(n_talkers, n_ratios, n_banks, n_coefficients) through every resampling and bank."""
    mean: Float32
    """(n_coefficients,) mean over talkers, neither resampled nor warped."""
    std: Float32
    """(n_coefficients,) deviation of frames from their talker's mean, likewise."""


def talker_statistics(
    voices: Voices,
    banks: Float32,
    extractor: SpectralExtractor,
    y: NDArray[np.int64],
    talkers: NDArray[np.int64],
    rng: np.random.Generator,
) -> TalkerStatistics:
    """Mean features of every talker at every resampling through every bank.

    Parameters
    ----------
    voices
        The train clips.
    banks
        (n_banks, n_bins, n_mels); the first is the extractor's own.
    extractor
        Makes features of band powers.
    y, talkers
        (n_clips,) word and talker of each clip.
    rng
        Draws three clips of every word of a talker: the mean of all of them differs little.
    """
    n_banks, n_bins, n_mels = banks.shape
    all_banks = banks.transpose(1, 0, 2).reshape(n_bins, -1)
    n_talkers, n_coefficients = int(talkers.max()) + 1, extractor.shape[1]
    means = np.zeros((n_talkers, len(voices.ratios), n_banks, n_coefficients), np.float32)
    plain = voices.ratios.index(1.0)
    variances = np.zeros((n_talkers, n_coefficients))
    for talker in range(n_talkers):
        chosen = [
            rng.permutation(np.flatnonzero((talkers == talker) & (y == word)))[:_CLIPS_A_WORD]
            for word in np.unique(y)
        ]
        for ratio in range(len(voices.ratios)):
            total, squares = np.zeros((2, n_banks, n_coefficients))
            count = 0
            for clip in np.concatenate(chosen):
                spectra = voices.plain_spectra(int(clip), ratio)[: extractor.shape[0]]
                power = np.zeros((n_banks, extractor.shape[0], n_mels), np.float32)
                n = len(spectra)  # frames
                power[:, :n] = (spectra @ all_banks).reshape(n, n_banks, n_mels).swapaxes(0, 1)
                heard = np.broadcast_to(np.arange(extractor.shape[0]) < n, power.shape[:2])
                features = extractor.finish(power, heard, heard)[:, :n].astype(np.float64)
                total += features.sum(axis=1)
                squares += (features**2).sum(axis=1)
                count += n
            means[talker, ratio] = total / count
            if ratio == plain:
                variances[talker] = squares[0] / count - (total[0] / count) ** 2
    return TalkerStatistics(
        means=means,
        mean=means[:, plain, 0].mean(axis=0),
        std=np.sqrt(np.maximum(variances.mean(axis=0), 1e-6)).astype(np.float32),
    )
