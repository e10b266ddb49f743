"""Log-mel bands relative to the clip's own level: the front-end of the convolutional networks.

Level and noise floor are settled in one step: a band's power is divided by the mean power of the
clip's bands, and a floor is added before the logarithm. A quiet clip gives the features of a loud
one, and whatever lies `floor_db` below the mean hardly shows. All of it can be computed in
integers: the mean is known at the end of a word.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.audio.offset import remove_offset
from spoken_digits.bounds import Bounds, SampleRate
from spoken_digits.errors import UserError
from spoken_digits.features.base import check_overlap, described
from spoken_digits.features.mel import Float32, band_edges, hann, mel_bank, power_spectra

if TYPE_CHECKING:
    from spoken_digits.config import Config
    from spoken_digits.data.store import Features

_SILENCE = 1e-12
"""Added to the mean power, so that digital silence divides by something."""


@dataclass(frozen=True, kw_only=True)
class LogMelParams:
    """Section `features.log_mel`."""

    window_length: Annotated[int, Bounds(2, 65_536, example=200)]
    """Length of the Hann window, samples."""
    n_fft: Annotated[int, Bounds(2, 65_536, example=256)]
    """Length of the transform, samples; at least window_length, at most 64 times hop_length."""
    hop_length: Annotated[int, Bounds(1, 65_536, example=100)]
    """Samples from frame to frame."""
    n_mels: Annotated[int, Bounds(1, 512, example=40)]
    """Mel bands."""
    fmin: Annotated[float, Bounds(0, 96_000, example=64.0)]
    """Lower edge of the first band, Hz."""
    fmax: Annotated[float, Bounds(above=0, high=96_000, example=4000.0)]
    """Upper edge of the last band, Hz."""
    floor_db: Annotated[float, Bounds(0, 120, example=25.0)]
    """Noise floor, decibels below the clip's mean band power."""
    step_db: Annotated[float, Bounds(above=0, high=10, example=0.5)] | None
    """Features are rounded to multiples of this, as int8 ones on the device will be; null: not
    rounded."""
    n_frames: Annotated[int, Bounds(1, 10_000, example=54)]
    """Frames of a clip: a shorter one is centred in silence, of a longer one the stretch with the
    most energy is kept."""

    def __post_init__(self) -> None:
        check_overlap(self.n_fft, self.hop_length)
        if self.window_length > self.n_fft:
            raise ValueError(
                f"`window_length` is {self.window_length}, must not exceed n_fft ({self.n_fft})"
            )
        if self.fmin >= self.fmax:
            raise ValueError(f"`fmin` is {self.fmin:g}, must be below fmax ({self.fmax:g})")


@dataclass(frozen=True, kw_only=True)
class _Described(LogMelParams):
    sample_rate: SampleRate


class LogMel:
    """Log-mel bands, decibels relative to the clip's mean band power."""

    kind = "log_mel"
    dtype: np.dtype[Any] = np.dtype(np.float32)
    length_key = "features.log_mel.n_frames"
    first_sample = 0
    centres_frames = False
    fills_window = True

    def __init__(self, params: LogMelParams, sample_rate: int) -> None:
        self.params = params
        self.sample_rate = sample_rate
        self.shape = (params.n_frames, params.n_mels)
        self.heard_samples = (params.n_frames - 1) * params.hop_length + params.window_length
        self.n_fft, self.hop_length = params.n_fft, params.hop_length
        self.edges_hz = band_edges(params.n_mels, params.fmin, params.fmax)
        self._bank = self.bank(self.edges_hz)

    @functools.cached_property
    def window(self) -> Float32:
        """Hann window, (window_length,)."""
        return hann(self.params.window_length)

    @classmethod
    def from_config(cls, config: Config) -> LogMel:
        """The extractor that params.yaml describes."""
        params = config.section("features.log_mel", LogMelParams)
        sample_rate = config.value("features.sample_rate", int, SampleRate)
        if params.fmax > sample_rate / 2:
            raise UserError(
                f"params.yaml: `features.log_mel.fmax` is {params.fmax:g}, must be at most half of "
                f"features.sample_rate ({sample_rate / 2:g})"
            )
        return cls(params, sample_rate)

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> LogMel:
        """The extractor from the output of `describe`; raises UserError as `described` does."""
        params = described(_Described, description, source)
        return cls(params, params.sample_rate)

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features and valid frames of a block of clips.

        Parameters
        ----------
        waveforms
            Clips (n_samples,) at `sample_rate`, any level and offset.

        Returns
        -------
        features
            (n_clips, n_frames, n_mels) float32, decibels; silence around a short clip is
            ``-floor_db``.
        n_frames
            (n_clips,) n_frames each: the silence around a clip is part of what is heard.
        """
        n_frames = self.params.n_frames
        power = np.zeros((len(waveforms), *self.shape), np.float32)
        valid = np.zeros((len(waveforms), n_frames), bool)
        for i, waveform in enumerate(waveforms):
            clip = self._loudest(self._mel_power(self.prepare(waveform)))
            start = (n_frames - len(clip)) // 2
            power[i, start : start + len(clip)] = clip
            valid[i, start : start + len(clip)] = True
        heard = np.ones_like(valid)
        return self.finish(power, heard, valid), np.full(len(waveforms), n_frames, np.int32)

    def prepare(self, waveform: Waveform) -> Float32:
        """The clip without offset."""
        return remove_offset(waveform).astype(np.float32)

    def n_frames_of(self, n_samples: int) -> int:
        """Frames of a clip of `n_samples`, however long."""
        return 1 + max(0, n_samples - self.params.window_length) // self.params.hop_length

    def bank(self, edges_hz: NDArray[np.float64]) -> Float32:
        """Mel bank (n_bins, n_mels) of other edges than `edges_hz`."""
        return mel_bank(edges_hz, self.sample_rate, self.params.n_fft)

    def finish(self, power: Float32, heard: NDArray[np.bool_], word: NDArray[np.bool_]) -> Float32:
        """Features of band powers.

        Parameters
        ----------
        power
            (n_clips, n_frames, n_mels).
        heard
            (n_clips, n_frames) the frames that the clip has: all.
        word
            (n_clips, n_frames) those in which the word is spoken; level is their mean.

        Returns
        -------
        (n_clips, n_frames, n_mels) decibels.
        """
        totals = (power.sum(axis=2) * word).sum(axis=1)  # (n_clips,)
        mean = totals / (word.sum(axis=1) * power.shape[2]) + _SILENCE
        floor = np.float32(10.0 ** (-self.params.floor_db / 10.0))
        relative = power / mean[:, None, None].astype(np.float32)
        features = np.float32(10.0) * np.log10(relative + floor)
        step = self.params.step_db
        return np.asarray(
            features if step is None else np.round(features / step) * step, np.float32
        )

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {
            "kind": self.kind,
            "sample_rate": self.sample_rate,
            **dataclasses.asdict(self.params),
        }

    def first_heard(self, waveform: Waveform) -> int:
        """The first sample of the stretch with the most energy."""
        return self._loudest_from(self._mel_power(self.prepare(waveform))) * self.hop_length

    def length_for(self, n_samples: int) -> int:
        """Frames that cover a clip of `n_samples`."""
        beyond = n_samples - self.params.window_length
        return 1 + max(0, -(-beyond // self.params.hop_length))

    def _mel_power(self, waveform: Float32) -> Float32:
        """Band powers (frames of the clip, n_mels) of a clip without offset."""
        length = self.params.window_length
        samples = np.zeros(max(len(waveform), length), np.float32)
        samples[: len(waveform)] = waveform
        frames = np.lib.stride_tricks.sliding_window_view(samples, length)[:: self.hop_length]
        return power_spectra(frames, self.window, self.n_fft) @ self._bank

    def _loudest(self, power: Float32) -> Float32:
        """The `n_frames` consecutive frames with the most energy; all of a clip that is shorter."""
        start = self._loudest_from(power)
        return power[start : start + self.params.n_frames]

    def _loudest_from(self, power: Float32) -> int:
        n_frames = self.params.n_frames
        if len(power) <= n_frames:
            return 0
        until = np.concatenate([[0.0], np.cumsum(power.sum(axis=1, dtype=np.float64))])
        return int(np.argmax(until[n_frames:] - until[:-n_frames]))


EXTRACTOR = LogMel
