"""Decibel spectrograms: the reference front-end of the CNNs.

librosa's conventions: Hann window, centred frames with zeros beyond the edges, amplitude in
decibels below the clip's maximum, cut at -80 dB; then scaled to [0, 1] by (dB + 80) / 80.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import librosa
import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.audio.offset import remove_offset
from spoken_digits.bounds import Bounds
from spoken_digits.data.store import Features
from spoken_digits.features.base import check_overlap, described

if TYPE_CHECKING:
    from spoken_digits.config import Config

_POWER_FLOOR = 1e-10  # of librosa: an amplitude of 1e-5
_FLOOR_DB = 80.0
_MOST_VALUES = 1 << 20  # of one clip, 2 MiB
_STEPS = 2048


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
                f"`n_samples` gives {n_values:,} values a clip, must give at most "
                f"{_MOST_VALUES:,}: take fewer samples, a larger hop_length or a smaller n_fft"
            )


class Spectrogram:
    """Spectrograms of clips of a fixed length, stored in half precision.

    Values are rounded to steps of 1/2048 (0.04 dB): float16 resolves them below 1, and recordings
    differ by far more.
    """

    kind = "spectrogram"
    dtype = np.dtype(np.float16)
    length_key = "features.spectrogram.n_samples"

    def __init__(self, params: SpectrogramParams) -> None:
        self.params = params
        self.sample_rate = params.sample_rate
        self.shape = (1 + params.n_samples // params.hop_length, 1 + params.n_fft // 2)
        self.heard_samples = params.n_samples
        self._window = librosa.filters.get_window("hann", params.n_fft)

    @classmethod
    def from_config(cls, config: Config) -> Spectrogram:
        """The extractor that params.yaml describes."""
        return cls(config.section("features.spectrogram", SpectrogramParams))

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> Spectrogram:
        """The extractor from the output of `describe`; raises UserError as `described` does."""
        return cls(described(SpectrogramParams, description, source))

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features and valid frames of a block of clips.

        Parameters
        ----------
        waveforms
            Clips (n_samples,) at `sample_rate`, any level and offset.

        Returns
        -------
        features
            (n_clips, n_frames, 1 + n_fft // 2) float16 in [0, 1], time first.
        n_frames
            (n_clips,) frames that hold part of the clip; the rest is padding.
        """
        features = np.empty((len(waveforms), *self.shape), self.dtype)
        for waveform, out in zip(waveforms, features, strict=True):
            scaled = self._scaled(waveform)
            out[: len(scaled)] = scaled
            out[len(scaled) :] = out[len(scaled) - 1]
        samples = np.array([waveform.size for waveform in waveforms])
        valid = np.minimum(1 + samples // self.params.hop_length, self.shape[0])
        return features, valid.astype(np.int32)

    def _scaled(self, waveform: Waveform) -> NDArray[np.float64]:
        """(frames, 1 + n_fft // 2) in [0, 1]; omitted frames equal the last one, all zeros."""
        hop, n_fft, half = self.params.hop_length, self.params.n_fft, self.params.n_fft // 2
        clip = remove_offset(waveform)[: self.params.n_samples]
        # Half of all frames begin after the clip's end; compute only one of them.
        frames = min(self.shape[0], 2 + (clip.size + half - 1) // hop)
        size = (frames - 1) * hop + n_fft  # half a window of zeros, the clip, zeros
        padded = librosa.util.fix_length(np.pad(clip, (half, 0)), size=size)
        spectrum = librosa.stft(
            padded,
            n_fft=n_fft,
            hop_length=hop,
            window=self._window,
            center=False,
            dtype=np.complex128,
        )
        power = spectrum.real**2 + spectrum.imag**2  # (1 + n_fft // 2, frames)
        decibels = librosa.power_to_db(power.T, ref=np.max, amin=_POWER_FLOOR, top_db=_FLOOR_DB)
        return np.asarray(np.round((decibels + _FLOOR_DB) * (_STEPS / _FLOOR_DB)) / _STEPS)

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {"kind": self.kind, **dataclasses.asdict(self.params)}

    def first_heard(self, waveform: Waveform) -> int:
        """The first sample of the clip: what is too long is cut at its end."""
        return 0

    def length_for(self, n_samples: int) -> int:
        """Samples that cover a clip of `n_samples`."""
        return n_samples


EXTRACTOR = Spectrogram
