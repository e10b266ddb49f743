"""Train clips whose sound is varied: waveform -> spectra -> bands -> features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.augmentation.sound import channel
from spoken_digits.augmentation.sound.banks import warped_banks
from spoken_digits.augmentation.sound.distortion import Distortion
from spoken_digits.augmentation.sound.talkers import talker_statistics
from spoken_digits.augmentation.sound.voice import Take, Voices
from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.data.dataset import Batch, Normalisation
from spoken_digits.features.mel import Float32
from spoken_digits.features.spectral import SpectralExtractor

_BANKS = 1
"""A stream of random numbers of its own."""
_SILENCE = 1e-12


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
    recipe
        What is varied.
    epochs
        Epochs of the training, the last of which may vary less.
    normalisation
        ``per_talker``: one deviation for all coefficients, ``per_coefficient``: one for each.
    seed
        Draws the mel banks.
    offset
        Standard deviation of a constant added to each normalised coefficient of a clip: a voice
        or a microphone whose mean is not that of the talkers heard. In use nobody subtracts it.
    """

    def __init__(
        self,
        waveforms: Sequence[Waveform],
        y: NDArray[np.int64],
        talkers: NDArray[np.int64],
        extractor: SpectralExtractor,
        recipe: SoundParams,
        epochs: int,
        normalisation: str,
        seed: int,
        offset: float = 0.0,
    ) -> None:
        rng = np.random.default_rng((seed, _BANKS))
        self._offset = offset
        self._y, self._talkers = y, talkers
        self._extractor, self._recipe, self._epochs = extractor, recipe, epochs
        self._params = recipe
        ratios = sorted({1.0, *recipe.resampling})
        prepared = [extractor.prepare(waveform) for waveform in waveforms]
        self._voices = Voices(prepared, ratios, extractor)
        self._banks = warped_banks(extractor, recipe, rng)  # (n_banks, n_bins, n_mels)
        banks = self._banks if recipe.remove_talker else self._banks[:1]
        statistics = talker_statistics(self._voices, banks, extractor, y, talkers, rng)
        std = statistics.std
        if normalisation == "per_talker":
            std = np.sqrt((std**2).mean(keepdims=True))
        self.normalisation = Normalisation(statistics.mean, std)
        self._talker_means = statistics.means if recipe.remove_talker else None
        self._rng = rng
        self._take: Take

    def __len__(self) -> int:
        return len(self._y)

    def begin_epoch(
        self, epoch: int, common: np.random.Generator, own: np.random.Generator
    ) -> NDArray[np.integer]:
        """Draw how every clip is spoken, which decides its length."""
        self._rng = own
        self._params = self._recipe.in_epoch(epoch, self._epochs)
        self._take = self._voices.draw(self._params, common)
        return self._take.heard

    def batch(self, positions: NDArray[np.int64], device: torch.device) -> Batch:
        """The clips at `positions`, varied and normalised."""
        x = torch.from_numpy(self.features(positions)).to(device)
        n_frames = torch.from_numpy(self._take.heard[positions].astype(np.int32))
        return Batch(x, n_frames, torch.from_numpy(self._y[positions]).to(device))

    def features(self, positions: NDArray[np.int64]) -> Float32:
        """Normalised features (n, n_frames, n_coefficients) of the clips at `positions`."""
        params, rng, n = self._params, self._rng, len(positions)
        take = self._take.at(positions)
        heard, word = take.window(), take.word()
        spectra = self._voices.spectra(positions, take, Distortion(n, params, rng))
        bank, share = self._draw_banks(n, rng)
        power = (1 - share) * np.matmul(spectra, self._banks[bank[0]])
        drifts = np.flatnonzero(share.any(axis=(1, 2)))
        if len(drifts):
            other = np.matmul(spectra[drifts], self._banks[bank[1, drifts]])
            power[drifts] += share[drifts] * other
        # power is (n, n_frames, n_mels)
        power = channel.contour(power, params, rng)
        power = channel.colour(power, self._extractor.edges_hz[1:-1], params, rng)
        level = (power.sum(axis=(1, 2)) / (word.sum(axis=1) * power.shape[2]) + _SILENCE).astype(
            np.float32
        )
        power = channel.reverberate(power, params, rng)
        power = channel.add_babble(power, level, params, rng)
        power = channel.add_noise(power, level, params, rng)
        features = self._extractor.finish(power, heard, word)
        means = self.normalisation.mean
        if self._talker_means is not None:
            of = self._talker_means[self._talkers[positions], take.ratio]  # (n, n_banks, ...)
            first, second = of[np.arange(n), bank[0]], of[np.arange(n), bank[1]]
            means = first[:, None] + share * (second - first)[:, None]
        features = (features - means) / self.normalisation.std
        if self._offset:
            features += self._offset * rng.standard_normal((n, 1, features.shape[2]))
        for axis, longest in ((1, params.time_mask), (2, params.coefficient_mask)):
            _blank(features, axis, longest, rng)
        return np.asarray(features * heard[..., None], np.float32)

    def _draw_banks(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Float32]:
        """Two banks a clip (2, n), and the share (n, n_frames, 1) of the second in each frame."""
        bank = rng.integers(0, len(self._banks), (2, n))
        n_frames = self._extractor.shape[0]
        middle, width = rng.uniform(0, n_frames, (n, 1)), rng.uniform(1, n_frames, (n, 1))
        share = np.clip((np.arange(n_frames) - middle) / width + 0.5, 0, 1)
        share[rng.random(n) >= self._params.mel_drift] = 0.0
        return bank, share[..., None].astype(np.float32)


def _blank(features: Float32, axis: int, longest: int, rng: np.random.Generator) -> None:
    """Set a run of 0 to `longest` frames (axis 1) or coefficients (axis 2) of each clip to 0."""
    n, size = len(features), features.shape[axis]
    width = rng.integers(0, min(longest, size) + 1, (n, 1))
    start = np.floor(rng.random((n, 1)) * (size - width + 1))
    steps = np.arange(size)
    blank = (steps >= start) & (steps < start + width)  # (n, size)
    features[np.broadcast_to(np.expand_dims(blank, 3 - axis), features.shape)] = 0.0
