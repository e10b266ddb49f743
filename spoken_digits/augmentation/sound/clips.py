"""Train clips whose sound is varied: waveform -> spectra -> bands -> features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.augmentation.sound import channel
from spoken_digits.augmentation.sound.banks import warped_banks
from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.augmentation.sound.talkers import talker_means
from spoken_digits.augmentation.sound.voice import Voices
from spoken_digits.data.dataset import Batch
from spoken_digits.features.log_mel import LogMel
from spoken_digits.features.mel import Float32


class SoundClips:
    """`TrainingClips` that are spoken, recorded and disturbed anew every time.

    Parameters
    ----------
    waveforms
        The train clips, at the extractor's sample rate.
    y, talkers
        (n,) class number of each clip, and number of who speaks it.
    extractor
        Makes the features.
    params
        What is varied.
    seed
        Draws the mel banks.
    """

    def __init__(
        self,
        waveforms: Sequence[Waveform],
        y: NDArray[np.int64],
        talkers: NDArray[np.int64],
        extractor: LogMel,
        params: SoundParams,
        seed: int,
    ) -> None:
        rng = np.random.default_rng((seed, _BANKS))
        self._y, self._talkers = y, talkers
        self._extractor, self._params = extractor, params
        ratios = sorted({1.0, *params.resampling})
        self._voices = Voices([_centred(waveform) for waveform in waveforms], ratios, extractor)
        self._banks = warped_banks(extractor, params, rng)  # (n_banks, n_bins, n_mels)
        banks = self._banks if params.remove_talker else self._banks[:1]
        means = talker_means(self._voices, banks, extractor, y, talkers, rng)
        self.mean: Float32 = means[:, ratios.index(1.0), 0].mean(axis=0)
        """(n_mels,) mean over talkers of their mean features, which use subtracts."""
        self._talker_means = means if params.remove_talker else None
        self.std = _DEVIATION_DB
        self._rng = rng

    def __len__(self) -> int:
        return len(self._y)

    def begin_epoch(
        self, common: np.random.Generator, own: np.random.Generator
    ) -> NDArray[np.integer]:
        """All clips fill the window: there is nothing to sort by."""
        self._rng = own
        return np.full(len(self), self._extractor.params.n_frames)

    def batch(self, positions: NDArray[np.int64], device: torch.device) -> Batch:
        """The clips at `positions`, varied and normalised."""
        x = torch.from_numpy(self.features(positions)).to(device)
        n_frames = torch.full((len(positions),), x.shape[1], dtype=torch.int32)
        return Batch(x, n_frames, torch.from_numpy(self._y[positions]).to(device))

    def features(self, positions: NDArray[np.int64]) -> Float32:
        """Normalised features (n, n_frames, n_mels) of the clips at `positions`, drawn anew."""
        params, rng, n = self._params, self._rng, len(positions)
        take = self._voices.draw(positions, params, rng)
        spectra, valid = self._voices.spectra(positions, take, params, rng)
        bank = rng.integers(0, len(self._banks), n)
        power = np.matmul(spectra, self._banks[bank])  # (n, n_frames, n_mels)
        power = channel.colour(power, self._extractor.edges_hz[1:-1], params, rng)
        frames = valid.sum(axis=1) * power.shape[2]
        level = (power.sum(axis=(1, 2)) / frames + _SILENCE).astype(np.float32)
        power = channel.reverberate(power, params, rng)
        power = channel.add_babble(power, level, params, rng)
        power = channel.add_noise(power, level, params, rng)
        features = self._extractor.finish(power, valid)
        if self._talker_means is None:
            features -= self.mean
        else:
            means = self._talker_means[self._talkers[positions], take.ratio, bank]
            features -= means[:, None]
        for axis, longest in ((1, params.time_mask), (2, params.band_mask)):
            _blank(features, axis, longest, rng)
        return features / np.float32(self.std)


_BANKS = 1
"""A stream of random numbers of its own."""
_SILENCE = 1e-12
_DEVIATION_DB = 8.0
"""What features are divided by: about their standard deviation, which varies little."""


def _centred(waveform: Waveform) -> Waveform:
    """Without constant offset."""
    return (waveform - waveform.mean(dtype=np.float64)).astype(np.float32)


def _blank(features: Float32, axis: int, longest: int, rng: np.random.Generator) -> None:
    """Set a random run of 0 to `longest` frames (axis 1) or bands (axis 2) of each clip to 0."""
    n, size = len(features), features.shape[axis]
    width = rng.integers(0, min(longest, size) + 1, (n, 1))
    start = np.floor(rng.random((n, 1)) * (size - width + 1))
    steps = np.arange(size)
    blank = (steps >= start) & (steps < start + width)  # (n, size)
    features[np.broadcast_to(np.expand_dims(blank, 3 - axis), features.shape)] = 0.0
