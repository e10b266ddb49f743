"""Decibel spectrograms: the reference front-end of the CNNs.

librosa's conventions: Hann window, centred frames with zeros beyond the edges, amplitude in
decibels below the clip's maximum, cut at -80 dB; then scaled to [0, 1] by (dB + 80) / 80.
Equal to ``librosa.amplitude_to_db(abs(librosa.stft(y)), ref=np.max)``, which a test checks,
without librosa's start-up time in every worker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.bounds import Bounds
from spoken_digits.data.store import Features
from spoken_digits.features.base import check_overlap

_POWER_FLOOR = 1e-10  # of librosa: an amplitude of 1e-5
_FLOOR_DB = 80.0
_MOST_VALUES = 1 << 20  # of one clip, 2 MiB
_STEPS = 2048
_HALVES = (np.arange(_STEPS + 1) / _STEPS).astype(np.float16)
"""Every value that is stored; NumPy's own rounding to float16 costs more than the transform."""


@dataclass(frozen=True, kw_only=True)
class SpectrogramParams:
    """Section `features.spectrogram`."""

    sample_rate: Annotated[int, Bounds(1000, 192_000, example=16_000)]
    """Rate clips are resampled to, Hz."""
    n_samples: Annotated[int, Bounds(1, 1_000_000, example=16_000)]
    """Length clips are cut or padded to, samples."""
    n_fft: Annotated[int, Bounds(2, 65_536, example=2048)]
    """Length of window and transform, samples; at most 64 times hop_length."""
    hop_length: Annotated[int, Bounds(1, 65_536, example=512)]
    """Samples from frame to frame."""

    def __post_init__(self) -> None:
        check_overlap(self.n_fft, self.hop_length)
        n_values = (1 + self.n_samples // self.hop_length) * (1 + self.n_fft // 2)
        if n_values > _MOST_VALUES:
            raise ValueError(
                f"n_samples` gives {n_values:,} values a clip, must give at most {_MOST_VALUES:,}: "
                "take fewer samples, a larger hop_length or a smaller n_fft"
            )


class Spectrogram:
    """Spectrograms of clips of a fixed length, stored in half precision.

    In steps of 1/2048, 0.04 dB: what float16 resolves below 1, and far less than recordings
    differ by.
    """

    kind = "spectrogram"
    dtype = np.dtype(np.float16)

    def __init__(self, params: SpectrogramParams) -> None:
        self.params = params
        self.sample_rate = params.sample_rate
        self.shape = (1 + params.n_samples // params.hop_length, 1 + params.n_fft // 2)
        n = np.arange(params.n_fft)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * n / params.n_fft)).astype(np.float32)

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features and valid frames of a block of clips.

        Parameters
        ----------
        waveforms
            Clips (n_samples,) at `sample_rate`, any level.

        Returns
        -------
        features
            (n_clips, n_frames, 1 + n_fft // 2) float16 in [0, 1], time first.
        n_frames
            (n_clips,) frames that hold some of the clip, the rest being padding.
        """
        features = np.empty((len(waveforms), *self.shape), self.dtype)
        for waveform, out in zip(waveforms, features, strict=True):
            self._one(waveform, out)
        samples = np.array([waveform.size for waveform in waveforms])
        valid = np.minimum(1 + samples // self.params.hop_length, self.shape[0])
        return features, valid.astype(np.int32)

    def _one(self, waveform: Waveform, out: Features) -> None:
        """Fill `out` (n_frames, 1 + n_fft // 2)."""
        hop, half = self.params.hop_length, self.params.n_fft // 2
        clip = waveform[: self.params.n_samples]
        # Frames that begin after the clip's end hold nothing: half of them on average.
        heard = min(self.shape[0], 1 + (clip.size + half - 1) // hop)
        padded = np.zeros((heard - 1) * hop + self.params.n_fft, np.float32)
        inside = clip[: padded.size - half]
        padded[half : half + inside.size] = inside
        frames = sliding_window_view(padded, self.params.n_fft)[::hop]  # (heard, n_fft)
        spectrum = scipy.fft.rfft(frames * self._window)  # (heard, 1 + n_fft // 2)
        power = spectrum.real**2 + spectrum.imag**2
        reference = max(float(power.max()), _POWER_FLOOR)
        np.maximum(power, _POWER_FLOOR, out=power)
        np.log(power, out=power)  # the one logarithm that NumPy has vector code for
        power -= np.float32(np.log(reference))
        power *= np.float32(_STEPS * 10 / np.log(10) / _FLOOR_DB)
        power += np.float32(_STEPS + 0.5)  # truncation then rounds
        np.maximum(power, 0, out=power)
        nothing = _STEPS * (1 + 10 * np.log10(_POWER_FLOOR / reference) / _FLOOR_DB)
        out[heard:] = _HALVES[max(0, round(nothing))]
        # No index is outside; saying so spares NumPy a buffer.
        _HALVES.take(power.astype(np.intp), out=out[:heard], mode="clip")

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {"kind": self.kind, **dataclasses.asdict(self.params)}
