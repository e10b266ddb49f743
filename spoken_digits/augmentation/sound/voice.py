"""How a word is spoken: resampled waveforms, tempo, time warp, place in the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.augmentation.sound.distortion import Distortion
from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.features.mel import Float32, power_spectra
from spoken_digits.features.spectral import SpectralExtractor

_FEWEST_FRAMES = 4


@dataclass(frozen=True, kw_only=True)
class Take:
    """How clips are spoken; every field has a row a clip."""

    ratio: NDArray[np.int64]
    """(n,) number of the resampling."""
    start: NDArray[np.int64]
    """(n,) frame of the window where the word begins."""
    heard: NDArray[np.int64]
    """(n,) frames of the window that the clip has, room included."""
    spoken: NDArray[np.bool_]
    """(n, n_frames) frames that the word has, counted from its own first."""
    sample: NDArray[np.int64]
    """(n, n_frames) first sample of each frame, counted from that of the first."""

    def at(self, positions: NDArray[np.int64]) -> Take:
        """The take of the clips at `positions`."""
        return Take(**{name: values[positions] for name, values in vars(self).items()})

    def word(self) -> NDArray[np.bool_]:
        """(n, n_frames) frames of the window in which the word is spoken."""
        step = np.arange(self.spoken.shape[1])
        start = self.start[:, None]
        return np.asarray((step >= start) & (step < start + self.spoken.sum(axis=1)[:, None]))

    def window(self) -> NDArray[np.bool_]:
        """(n, n_frames) frames of the window that the clip has."""
        return np.asarray(np.arange(self.spoken.shape[1]) < self.heard[:, None])


class Voices:
    """Clips at every resampling, end to end in one array each, so that a batch is one lookup.

    Parameters
    ----------
    waveforms
        As `SpectralExtractor.prepare` gives them.
    ratios
        Length of a clip after resampling, relative to its own; 1 among them.
    extractor
        Cuts the frames.
    """

    def __init__(
        self, waveforms: Sequence[Waveform], ratios: Sequence[float], extractor: SpectralExtractor
    ) -> None:
        self._extractor = extractor
        self.ratios = list(ratios)
        self._frames: list[Float32] = []  # a view (samples, window length) for each ratio
        margin, rate = len(extractor.window), extractor.sample_rate
        offsets, n_frames = [], []
        for ratio in ratios:
            clips = [
                waveform if ratio == 1 else soxr.resample(waveform, rate, rate * ratio)
                for waveform in waveforms
            ]
            lengths = np.array([len(clip) for clip in clips]) + 2 * margin
            starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) + margin
            line = np.zeros(lengths.sum() + margin, np.float32)
            for start, clip in zip(starts, clips, strict=True):
                line[start : start + len(clip)] = clip
            self._frames.append(np.lib.stride_tricks.sliding_window_view(line, margin))
            offsets.append(starts + extractor.first_sample)
            n_frames.append([extractor.n_frames_of(len(clip)) for clip in clips])
        self._offsets = np.array(offsets)  # (n_ratios, n_clips) first sample of the first frame
        self._n_frames = np.array(n_frames)  # (n_ratios, n_clips)

    def draw(self, params: SoundParams, rng: np.random.Generator) -> Take:
        """How each clip is spoken this time."""
        n = self._offsets.shape[1]
        drawn = rng.integers(0, len(self.ratios), n)
        plain = self.ratios.index(1.0)
        ratio = np.where(rng.random(n) < params.resampling_probability, drawn, plain)
        source: NDArray[np.int64] = self._n_frames[ratio, np.arange(n)]
        tempo: NDArray[np.float64] = np.exp(rng.uniform(-params.tempo, params.tempo, n))
        n_frames = np.maximum(_FEWEST_FRAMES, np.round(source * tempo).astype(int))
        warp = rng.uniform(-params.time_warp, params.time_warp, (n, 1))
        longest = self._extractor.shape[0]
        kept = np.minimum(n_frames, longest)
        spare = longest - kept
        skipped = np.floor(rng.random(n) * (n_frames - kept + 1)).astype(int)
        room = spare if self._extractor.fills_window else np.minimum(spare, params.room)
        start = np.floor(rng.random(n) * (room + 1)).astype(int)
        after = np.floor(rng.random(n) * (np.minimum(spare - start, room) + 1)).astype(int)
        heard = start + kept + after
        if self._extractor.fills_window:
            heard = np.full(n, longest)
        step = np.arange(longest)
        along = (step + skipped[:, None]) / np.maximum(1, n_frames[:, None] - 1)
        bent = along + warp / (2 * np.pi) * np.sin(2 * np.pi * along)
        last = (source[:, None] - 1) * self._extractor.hop_length
        return Take(
            ratio=ratio,
            start=start,
            heard=heard,
            spoken=step < kept[:, None],
            sample=np.clip(np.round(bent * last), 0, last).astype(np.int64),
        )

    def spectra(self, clips: NDArray[np.int64], take: Take, distortion: Distortion) -> Float32:
        """Power spectra (n, n_frames, n_bins) of `clips`, of which `take` is."""
        extractor = self._extractor
        n, longest = take.spoken.shape
        spectra = np.zeros((n, longest, 1 + extractor.n_fft // 2), np.float32)
        for ratio in np.unique(take.ratio):
            rows = np.flatnonzero(take.ratio == ratio)
            of, frame = np.nonzero(take.spoken[rows])
            of = rows[of]
            samples = take.sample[of, frame] + self._offsets[ratio, clips[of]]
            frames = distortion.apply(self._frames[ratio][samples], of)  # (frames, window length)
            power = power_spectra(frames, extractor.window, extractor.n_fft)
            spectra[of, take.start[of] + frame] = power
        return spectra

    def plain_spectra(self, clip: int, ratio: int) -> Float32:
        """Power spectra (frames, n_bins) of one clip, as resampled but not varied otherwise."""
        hops = self._extractor.hop_length * np.arange(self._n_frames[ratio, clip])
        frames = self._frames[ratio][self._offsets[ratio, clip] + hops]
        return power_spectra(frames, self._extractor.window, self._extractor.n_fft)
