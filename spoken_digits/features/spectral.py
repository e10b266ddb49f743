"""Kinds of features that are made of short-time power spectra through mel bands.

Augmentation of sound works on spectra and bands; a kind that is a `SpectralExtractor` says how
frames are cut and what becomes of the bands.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.features.mel import Float32


@runtime_checkable
class SpectralExtractor(Protocol):
    """The parts of an extractor between waveform and features."""

    kind: str
    sample_rate: int
    """Hz."""
    shape: tuple[int, int]
    """(n_frames, n_coefficients) of one clip."""
    window: Float32
    """(window length,)."""
    n_fft: int
    """Length of the transform."""
    hop_length: int
    """Samples from frame to frame."""
    first_sample: int
    """Where the first frame begins, relative to the clip's first sample; negative if before."""
    edges_hz: NDArray[np.float64]
    """(n_mels + 2,) edges of the mel bands."""
    fills_window: bool
    """Whether a clip's features always have `n_frames` frames: the word may then be anywhere in
    them. Otherwise the word begins in the first."""

    def prepare(self, waveform: Waveform) -> Float32:
        """The clip without offset, scaled if the kind scales clips before cutting frames."""
        ...

    def n_frames_of(self, n_samples: int) -> int:
        """Frames of a clip of `n_samples`, however long."""
        ...

    def bank(self, edges_hz: NDArray[np.float64]) -> Float32:
        """Mel bank (n_bins, n_mels) of other edges than `edges_hz`."""
        ...

    def finish(self, power: Float32, heard: NDArray[np.bool_], word: NDArray[np.bool_]) -> Float32:
        """Features of band powers.

        Parameters
        ----------
        power
            (n, n_frames, n_mels), of waveforms in [-1, 1).
        heard
            (n, n_frames) the frames that the clip has.
        word
            (n, n_frames) those of them in which the word is spoken.

        Returns
        -------
        (n, n_frames, n_coefficients), as the extractor would store them.
        """
        ...
