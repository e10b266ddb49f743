"""How a word is spoken: resampled waveforms, tempo, time warp, place in the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.augmentation.sound.params import SoundParams
from spoken_digits.features.log_mel import LogMel
from spoken_digits.features.mel import Float32, power_spectra

_FEWEST_FRAMES = 4
_MU = 255.0


class Voices:
    """Clips at every resampling, end to end in one array each, so that a batch is one lookup."""

    def __init__(
        self, waveforms: Sequence[Waveform], ratios: Sequence[float], extractor: LogMel
    ) -> None:
        self._extractor = extractor
        self._margin = extractor.params.window_length
        self.ratios = list(ratios)
        self._windows: list[Float32] = []  # (samples, window_length) views
        offsets, n_frames = [], []
        rate = extractor.sample_rate
        for ratio in ratios:
            clips = [
                waveform if ratio == 1 else soxr.resample(waveform, rate, rate * ratio)
                for waveform in waveforms
            ]
            lengths = np.array([len(clip) for clip in clips]) + 2 * self._margin
            starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            line = np.zeros(lengths.sum() + self._margin, np.float32)
            for start, clip in zip(starts + self._margin, clips, strict=True):
                line[start : start + len(clip)] = clip
            self._windows.append(np.lib.stride_tricks.sliding_window_view(line, self._margin))
            offsets.append(starts + self._margin)
            n_frames.append([extractor.n_frames_of(len(clip)) for clip in clips])
        self._offsets = np.array(offsets)  # (n_ratios, n_clips) first sample of each clip
        self.n_frames = np.array(n_frames)  # (n_ratios, n_clips)

    def draw(self, clips: NDArray[np.int64], params: SoundParams, rng: np.random.Generator) -> Take:
        """How each of `clips` is spoken this time."""
        n = len(clips)
        plain = self.ratios.index(1.0) if 1.0 in self.ratios else 0
        drawn = rng.integers(0, len(self.ratios), n)
        ratio = np.where(rng.random(n) < params.resampling_probability, drawn, plain)
        source = self.n_frames[ratio, clips]
        tempo = np.exp(rng.uniform(-params.tempo, params.tempo, n))
        n_frames = np.maximum(_FEWEST_FRAMES, np.round(source * tempo).astype(int))
        warp = rng.uniform(-params.time_warp, params.time_warp, n)
        longest = self._extractor.params.n_frames
        kept = np.minimum(n_frames, longest)
        skipped = np.floor(rng.random(n) * (n_frames - kept + 1)).astype(int)
        start = np.floor(rng.random(n) * (longest - kept + 1)).astype(int)
        step = np.arange(longest)
        valid = step < kept[:, None]  # (n, longest)
        along = (step + skipped[:, None]) / np.maximum(1, n_frames - 1)[:, None]
        bent = along + (warp / (2 * np.pi))[:, None] * np.sin(2 * np.pi * along)
        samples = np.round(bent * ((source - 1) * self._extractor.params.hop_length)[:, None])
        last = (source - 1) * self._extractor.params.hop_length
        position = np.clip(samples, 0, last[:, None]).astype(np.int64)
        return Take(ratio=ratio, start=start, valid=valid, position=position)

    def plain_spectra(self, clip: int, ratio: int) -> Float32:
        """Power spectra (frames, n_bins) of one clip, as resampled but not varied otherwise."""
        hop = self._extractor.params.hop_length
        starts = self._offsets[ratio, clip] + hop * np.arange(self.n_frames[ratio, clip])
        frames = self._windows[ratio][starts]
        return power_spectra(frames, self._extractor.window, self._extractor.params.n_fft)

    def spectra(
        self,
        clips: NDArray[np.int64],
        take: Take,
        params: SoundParams,
        rng: np.random.Generator,
    ) -> tuple[Float32, NDArray[np.bool_]]:
        """Power spectra (n, n_frames, n_bins) of `clips` as drawn, and which frames are theirs."""
        extractor = self._extractor
        n, longest = take.valid.shape
        n_bins = 1 + extractor.params.n_fft // 2
        spectra = np.zeros((n, longest, n_bins), np.float32)
        placed = np.zeros((n, longest), bool)
        driven = rng.random(n) < params.drive_probability
        level = np.where(driven, rng.uniform(params.drive, 1.0, n), np.inf)
        on_line = rng.random(n) < params.mu_law_probability
        for number in np.unique(take.ratio):
            rows = np.flatnonzero(take.ratio == number)
            starts = take.position[rows] + self._offsets[number, clips[rows]][:, None]
            of, frame = np.nonzero(take.valid[rows])
            frames = self._windows[number][starts[of, frame]]  # (frames, window_length)
            of = rows[of]
            frames = _distorted(frames, of, level, on_line)
            place = take.start[of] + frame
            spectra[of, place] = power_spectra(frames, extractor.window, extractor.params.n_fft)
            placed[of, place] = True
        return spectra, placed


@dataclass(frozen=True, kw_only=True)
class Take:
    """How clips are spoken; every field has a row a clip."""

    ratio: NDArray[np.int64]
    """Number of the resampling."""
    start: NDArray[np.int64]
    """Frame of the window where the clip begins."""
    valid: NDArray[np.bool_]
    """(n, n_frames) frames that the clip has, counted from its own first."""
    position: NDArray[np.int64]
    """(n, n_frames) first sample of each frame."""


def _distorted(
    frames: Float32, of: NDArray[np.int64], level: NDArray[np.float64], on_line: NDArray[np.bool_]
) -> Float32:
    """Frames (frames, window_length) of clips `of`, some overdriven, some through mu-law.

    Memoryless, so frames may be distorted instead of clips. Levels are relative to the clip's
    peak within these frames.
    """
    touched = np.flatnonzero(np.isfinite(level[of]) | on_line[of])
    if not len(touched):
        return frames
    peaks = np.full(len(level), 1e-9)
    np.maximum.at(peaks, of[touched], np.abs(frames[touched]).max(axis=1))
    peak = peaks[of[touched]][:, None].astype(np.float32)
    relative = frames[touched] / peak
    limit = np.minimum(level[of[touched]], 1.0)[:, None].astype(np.float32)
    relative = np.clip(relative, -limit, limit)
    coded = np.sign(relative) * np.log1p(_MU * np.abs(relative)) / np.log1p(_MU)
    coded = np.round(coded * 127) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(_MU)) / _MU
    frames[touched] = peak * np.where(on_line[of[touched]][:, None], decoded, relative)
    return frames
