"""Mel-frequency cepstral coefficients: the reference front-end of the LSTMs.

Same conventions as ``torchaudio.transforms.MFCC`` (Hann window, centred frames with reflected
edges, power spectrum, HTK mel scale, decibels cut 80 dB below the clip's maximum, orthonormal
DCT-II), computed with librosa, which starts faster. Tests compare the two.

Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition in continuously spoken sentences", IEEE TASSP 28(4), 1980.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import librosa
import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.audio.offset import remove_offset
from spoken_digits.bounds import Bounds, SampleRate
from spoken_digits.data.store import Features
from spoken_digits.features.base import check_overlap, described
from spoken_digits.features.mel import Float32, band_edges, mel_bank

if TYPE_CHECKING:
    from spoken_digits.config import Config

_POWER_FLOOR = 1e-10
_TOP_DB = 80.0
_STEPS_PER_DB = 1024
"""Decibels are rounded to this grid: the last bits of logarithms differ among processors."""


@dataclass(frozen=True, kw_only=True)
class MfccParams:
    """Section `features.mfcc`."""

    n_fft: Annotated[int, Bounds(2, 65_536, example=400)]
    """Length of window and transform, samples; at most 64 times hop_length."""
    hop_length: Annotated[int, Bounds(1, 65_536, example=160)]
    """Samples from frame to frame."""
    n_mels: Annotated[int, Bounds(1, 512, example=40)]
    """Mel bands from 0 Hz to half the sample rate."""
    n_mfcc: Annotated[int, Bounds(1, 512, example=13)]
    """Coefficients kept, the zeroth included."""
    n_frames: Annotated[int, Bounds(1, 10_000, example=36)]
    """Frames a clip is padded or trimmed to."""

    def __post_init__(self) -> None:
        check_overlap(self.n_fft, self.hop_length)
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"`n_mfcc` is {self.n_mfcc}, must not exceed n_mels ({self.n_mels})")


@dataclass(frozen=True, kw_only=True)
class _Described(MfccParams):
    sample_rate: SampleRate


class Mfcc:
    """MFCCs of peak-normalised clips, padded with zeros or trimmed to a fixed number of frames."""

    kind = "mfcc"
    dtype = np.dtype(np.float32)
    length_key = "features.mfcc.n_frames"
    centres_frames = False
    fills_window = False

    def __init__(self, params: MfccParams, sample_rate: int) -> None:
        self.params = params
        self.sample_rate = sample_rate
        self.shape = (params.n_frames, params.n_mfcc)
        self._half = params.n_fft // 2
        self.heard_samples = (params.n_frames - 1) * params.hop_length + params.n_fft - self._half
        self.n_fft, self.hop_length = params.n_fft, params.hop_length
        self.first_sample = -self._half
        self._window = librosa.filters.get_window("hann", params.n_fft)
        self.window: Float32 = self._window.astype(np.float32)
        self.edges_hz = band_edges(params.n_mels, 0.0, sample_rate / 2)
        mel = librosa.filters.mel(
            sr=sample_rate,
            n_fft=params.n_fft,
            n_mels=params.n_mels,
            htk=True,
            norm=None,
            dtype=np.float64,
        )
        # Sparse products add in a fixed order; BLAS picks one by processor and matrix size.
        self._mel = scipy.sparse.csr_array(mel)  # (n_mels, 1 + n_fft // 2)

    @classmethod
    def from_config(cls, config: Config) -> Mfcc:
        """The extractor that params.yaml describes."""
        params = config.section("features.mfcc", MfccParams)
        return cls(params, config.value("features.sample_rate", int, SampleRate))

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> Mfcc:
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
            (n_clips, n_frames, n_mfcc) float32; zeros after the valid frames.
        n_frames
            (n_clips,) valid frames, 1 + n_samples // hop_length at most n_frames.
        """
        features = np.zeros((len(waveforms), *self.shape), np.float32)
        valid = np.empty(len(waveforms), np.int32)
        for i, waveform in enumerate(waveforms):
            cepstrum = self._cepstrum(waveform)
            valid[i] = min(len(cepstrum), self.params.n_frames)
            features[i, : valid[i]] = cepstrum[: valid[i]]
        return features, valid

    def _cepstrum(self, waveform: Waveform) -> NDArray[np.float64]:
        """Coefficients (1 + n_samples // hop_length, n_mfcc) of one clip."""
        spectrum = librosa.stft(
            self._padded(waveform),
            n_fft=self.params.n_fft,
            hop_length=self.params.hop_length,
            window=self._window,
            center=False,
            dtype=np.complex128,
        )  # (1 + n_fft // 2, all frames)
        power = spectrum.real**2 + spectrum.imag**2
        return self._of_bands((self._mel @ power).T)

    def _of_bands(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficients (n_frames, n_mfcc) of the band powers (n_frames, n_mels) of one clip."""
        decibels = librosa.power_to_db(power, amin=_POWER_FLOOR, top_db=_TOP_DB)
        decibels = np.round(decibels * _STEPS_PER_DB) / _STEPS_PER_DB
        cepstrum = scipy.fft.dct(decibels, axis=1, norm="ortho")
        return np.asarray(cepstrum[:, : self.params.n_mfcc])

    def prepare(self, waveform: Waveform) -> Float32:
        """The clip without offset, scaled to a peak of 1."""
        return _scaled(waveform).astype(np.float32)

    def n_frames_of(self, n_samples: int) -> int:
        """Frames of a clip of `n_samples`, however long."""
        return 1 + n_samples // self.params.hop_length

    def bank(self, edges_hz: NDArray[np.float64]) -> Float32:
        """Mel bank (n_bins, n_mels) of other edges than `edges_hz`; peaks of 1, as in HTK."""
        return mel_bank(edges_hz, self.sample_rate, self.params.n_fft, normalised=False)

    def finish(self, power: Float32, heard: NDArray[np.bool_], word: NDArray[np.bool_]) -> Float32:
        """Features of band powers, as in `SpectralExtractor`.

        Powers are relative to the loudest frame's, where `__call__` has the waveform's peak: a
        difference that only the floor of `_TOP_DB` notices, and the zeroth coefficient.
        """
        features = np.zeros((len(power), *self.shape), np.float32)
        for i, n in enumerate(heard.sum(axis=1)):
            features[i, :n] = self._of_bands(power[i, :n].astype(np.float64))
        return features

    def _padded(self, waveform: Waveform) -> NDArray[np.float64]:
        """The clip without offset, scaled to a peak of 1, half a window reflected at either end."""
        samples = _scaled(waveform)
        # Reflection needs more samples than it adds.
        samples = librosa.util.fix_length(samples, size=max(samples.size, self._half + 1))
        return np.pad(samples, self._half, mode="reflect")

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {
            "kind": self.kind,
            "sample_rate": self.sample_rate,
            **dataclasses.asdict(self.params),
        }

    def first_heard(self, waveform: Waveform) -> int:
        """The first sample of the clip: what is too long is cut at its end."""
        return 0

    def length_for(self, n_samples: int) -> int:
        """Frames that cover a clip of `n_samples`."""
        beyond = n_samples - (self.params.n_fft - self._half)
        return 1 + max(0, -(-beyond // self.params.hop_length))


def _scaled(waveform: Waveform) -> NDArray[np.float64]:
    """The clip (n_samples,) without offset, scaled to a peak of 1."""
    samples = remove_offset(waveform)
    peak = np.abs(samples).max(initial=0.0)
    return np.asarray(samples / peak if peak > 0 else samples)


EXTRACTOR = Mfcc
