"""`mfcc_int`: int8 cepstral coefficients by the fixed-point front-end that runs on the device.

The deployed models train on the features that run on the device: `spoken_digits.integer` holds
the specification and the NumPy twin, ``firmware/`` the same in C, equal bit for bit.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio.offset import remove_offset
from spoken_digits.audio.pcm import FULL_SCALE, to_pcm
from spoken_digits.features.base import described
from spoken_digits.features.mel import Float32, band_edges, hann, mel_bank
from spoken_digits.integer.frontend import frontend
from spoken_digits.integer.frontend.specification import WINDOW_SAMPLES, FrontendSpec

if TYPE_CHECKING:
    from spoken_digits.audio import Waveform
    from spoken_digits.config import Config
    from spoken_digits.data.store import Features


class MfccInt:
    """Integer front-end for waveforms; exact for waveforms read from 16-bit files."""

    kind = "mfcc_int"
    dtype = np.dtype(np.int8)
    length_key = "features.mfcc_int.n_frames"
    n_fft = WINDOW_SAMPLES
    first_sample = 0
    centres_frames = True
    fills_window = False

    def __init__(self, spec: FrontendSpec) -> None:
        self.spec = spec
        self.sample_rate = spec.sample_rate
        self.shape = (spec.n_frames, spec.n_mfcc)
        self.hop_length = spec.hop_length
        self.edges_hz = band_edges(spec.n_mels, spec.fmin, spec.fmax)
        self.heard_samples = (spec.n_frames - 1) * spec.hop_length + WINDOW_SAMPLES

    @functools.cached_property
    def window(self) -> Float32:
        """Hann window, (WINDOW_SAMPLES,), for training on varied sound."""
        return hann(WINDOW_SAMPLES)

    @classmethod
    def from_config(cls, config: Config) -> MfccInt:
        """The extractor that params.yaml describes."""
        return cls(config.section("features.mfcc_int", FrontendSpec))

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> MfccInt:
        """The extractor from the output of `describe`; raises UserError as `described` does."""
        return cls(spec_from(description, source))

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features and valid frames of a block of clips.

        Parameters
        ----------
        waveforms
            Clips (n_samples,) at `sample_rate`, in [-1, 1).

        Returns
        -------
        features
            (n_clips, n_frames, n_mfcc) int8; zeros after the valid frames.
        n_frames
            (n_clips,) valid frames.
        """
        return frontend.extract([to_pcm(waveform) for waveform in waveforms], self.spec)

    def prepare(self, waveform: Waveform) -> Float32:
        """The clip without offset."""
        return remove_offset(waveform).astype(np.float32)

    def n_frames_of(self, n_samples: int) -> int:
        """Frames of a clip of `n_samples`, however long."""
        return 1 + max(0, n_samples - WINDOW_SAMPLES) // self.spec.hop_length

    def bank(self, edges_hz: NDArray[np.float64]) -> Float32:
        """Mel bank (n_bins, n_mels) of other edges than `edges_hz`."""
        return mel_bank(edges_hz, self.sample_rate, WINDOW_SAMPLES, normalised=False)

    def finish(self, power: Float32, heard: NDArray[np.bool_], word: NDArray[np.bool_]) -> Float32:
        """Features of band powers, as in `SpectralExtractor`: the logarithm in float, what follows
        as on the device.
        """
        return frontend.of_powers(power * np.float32(FULL_SCALE**2), heard, self.spec)

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {"kind": self.kind, **dataclasses.asdict(self.spec)}

    def first_heard(self, waveform: Waveform) -> int:
        """The first sample of the clip: what is too long is cut at its end."""
        return 0

    def length_for(self, n_samples: int) -> int:
        """Frames that cover a clip of `n_samples`."""
        return 1 + max(0, -(-(n_samples - WINDOW_SAMPLES) // self.spec.hop_length))


EXTRACTOR = MfccInt


def spec_from(description: Mapping[str, Any], source: str = "model card") -> FrontendSpec:
    """The specification that `MfccInt.describe` wrote into a model file.

    Raises
    ------
    UserError
        The description does not match the current front-end.
    """
    return described(FrontendSpec, description, source)
