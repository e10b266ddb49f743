"""Warped mel banks: vocal tracts of other lengths and shapes."""

from __future__ import annotations

import numpy as np

from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.features.mel import Float32
from spoken_digits.features.spectral import SpectralExtractor

_KNOTS = 5


def warped_banks(
    extractor: SpectralExtractor, params: SoundParams, rng: np.random.Generator
) -> Float32:
    """Mel banks (mel_banks, n_bins, n_mels); the first is the extractor's own.

    Edges are scaled by ``e^w``, where w is linear between knots along the mel axis: a common
    shift and a deviation at each knot. Jaitly and Hinton, "Vocal tract length perturbation
    improves speech recognition", 2013, scale by one factor.
    """
    edges = extractor.edges_hz
    along = np.linspace(0.0, 1.0, len(edges))
    at = np.linspace(0.0, 1.0, _KNOTS)
    banks = [extractor.bank(edges)]
    for _ in range(params.mel_banks - 1):
        shift = rng.uniform(-params.mel_warp, params.mel_warp)
        knots = shift + rng.normal(0.0, params.mel_warp_knots, _KNOTS)
        warped = edges * np.exp(np.interp(along, at, knots))
        banks.append(extractor.bank(np.maximum.accumulate(warped)))
    return np.stack(banks)
