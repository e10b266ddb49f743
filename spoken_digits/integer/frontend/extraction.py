"""Features by the fixed-point front-end, whichever its last step is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.frontend import frontend, log_mel
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec
from spoken_digits.integer.frontend.specification import FrontendSpec

Spec: TypeAlias = FrontendSpec | LogMelSpec


def extract(
    clips: Sequence[npt.NDArray[np.int16]], spec: Spec
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Features (n_clips, n_frames, n_features) and valid frames (n_clips,)."""
    if isinstance(spec, LogMelSpec):
        return log_mel.extract(clips, spec)
    return frontend.extract(clips, spec)
