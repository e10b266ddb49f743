"""`log_mel_int`: int8 log-mel bands by the fixed-point front-end that runs on the device.

The same features as `log_mel`, from the same section of params.yaml, in counts of `step_db`:
`spoken_digits.integer` holds the specification and the NumPy twin, ``firmware/`` the same in C,
equal bit for bit. They differ from the float ones by rounding, and because the mean of each
window is removed instead of the clip's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits import validation
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.bounds import SampleRate
from spoken_digits.features.base import described
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.features.mel import Float32
from spoken_digits.integer.frontend import log_mel
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec

if TYPE_CHECKING:
    from spoken_digits.audio import Waveform
    from spoken_digits.config import Config
    from spoken_digits.data.store import Features


class LogMelInt(LogMel):
    """Integer front-end for waveforms; exact for waveforms read from 16-bit files."""

    kind = "log_mel_int"
    dtype = np.dtype(np.int8)
    centres_frames = True

    def __init__(self, spec: LogMelSpec) -> None:
        params = dataclasses.asdict(spec)
        sample_rate = params.pop("sample_rate")
        super().__init__(LogMelParams(**params), sample_rate)
        self.spec = spec

    @classmethod
    def from_config(cls, config: Config) -> LogMelInt:
        """The extractor that `features.log_mel` of params.yaml describes.

        Raises
        ------
        UserError
            A parameter is missing or wrong, or one that integers cannot hold.
        """
        config.section("features.log_mel", LogMelParams)
        sample_rate = config.value("features.sample_rate", int, SampleRate)
        values = {**config.subsection("features.log_mel"), "sample_rate": sample_rate}
        return cls(validation.build(LogMelSpec, values, "features.log_mel", "params.yaml"))

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> LogMelInt:
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
            (n_clips, n_frames, n_mels) int8, counts of `step_db`.
        n_frames
            (n_clips,) n_frames each: the silence around a clip is part of what is heard.
        """
        return log_mel.extract([to_pcm(waveform) for waveform in waveforms], self.spec)

    def finish(self, power: Float32, heard: NDArray[np.bool_], word: NDArray[np.bool_]) -> Float32:
        """Features of band powers that were computed in float, for training on varied sound.

        Parameters and shape as in `LogMel.finish`; counts of `step_db`, whole numbers in the
        range of int8.
        """
        counts = super().finish(power, heard, word) / np.float32(self.spec.step_db)
        return np.asarray(np.clip(np.round(counts), -128, 127), np.float32)

    def describe(self) -> dict[str, Any]:
        """Kind and parameters, for the model file."""
        return {"kind": self.kind, **dataclasses.asdict(self.spec)}

    def first_heard(self, waveform: Waveform) -> int:
        """The first sample of the stretch with the most energy."""
        return log_mel.first_sample(to_pcm(waveform), self.spec)


EXTRACTOR = LogMelInt


def spec_from(description: Mapping[str, Any], source: str = "model card") -> LogMelSpec:
    """The specification that `LogMelInt.describe` wrote into a model file.

    Raises
    ------
    UserError
        The description does not match the current front-end.
    """
    return described(LogMelSpec, description, source)
