"""The mean features of each talker, which training subtracts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.augmentation.sound.voice import Voices
from spoken_digits.features.log_mel import LogMel
from spoken_digits.features.mel import Float32

_CLIPS_A_WORD = 3


def talker_means(
    voices: Voices,
    banks: Float32,
    extractor: LogMel,
    y: NDArray[np.int64],
    talkers: NDArray[np.int64],
    rng: np.random.Generator,
) -> Float32:
    """Mean features of every talker at every resampling through every bank.

    Parameters
    ----------
    voices
        The train clips.
    banks
        (n_banks, n_bins, n_mels).
    extractor
        Makes features of band powers.
    y, talkers
        (n_clips,) word and talker of each clip.
    rng
        Draws three clips of every word of a talker: the mean of all of them differs little.

    Returns
    -------
    (n_talkers, n_ratios, n_banks, n_mels) float32.
    """
    n_banks, n_bins, n_mels = banks.shape
    all_banks = banks.transpose(1, 0, 2).reshape(n_bins, -1)
    shape = (int(talkers.max()) + 1, len(voices.ratios), n_banks, n_mels)
    means = np.zeros(shape, np.float32)
    for talker in range(shape[0]):
        chosen = [
            rng.permutation(np.flatnonzero((talkers == talker) & (y == word)))[:_CLIPS_A_WORD]
            for word in np.unique(y)
        ]
        for ratio in range(shape[1]):
            total, count = np.zeros((n_banks, n_mels)), 0
            for clip in np.concatenate(chosen):
                spectra = voices.plain_spectra(int(clip), ratio)  # (frames, n_bins)
                power = (spectra @ all_banks).reshape(-1, n_banks, n_mels).swapaxes(0, 1)
                features = extractor.finish(power, np.ones(power.shape[:2], bool))
                total += features.sum(axis=1)
                count += len(spectra)
            means[talker, ratio] = total / count
    return means
