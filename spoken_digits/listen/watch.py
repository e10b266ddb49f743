"""What is wrong with live sound itself: clipping, a constant offset, nothing at all.

The page's twin is ``demo/browser/signal.js``.
"""

from __future__ import annotations

import numpy as np

from spoken_digits.integer.detector.endpoint import Pcm

CLIPPED = 32_735  # 0.999 of full scale
MOST_CLIPPED = 0.001
"""Of the samples of a second."""
MOST_OFFSET = 0.05
"""Of full scale."""
SILENT_S = 3
_FULL_SCALE = 32_768

SILENT = "there is nothing but digital silence: is the microphone muted?"
TOO_LOUD = "the sound is clipped: lower the input level, or move away from the microphone"


class SignalWatch:
    """Says each fault once, and again only after a second without it."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._kept: list[Pcm] = []
        self._n = self._silent = 0
        self._said = ""

    def check(self, samples: Pcm) -> str:
        """Take the next samples, any number of them; return what is newly wrong, or ""."""
        (sounding,) = np.nonzero(samples)
        rest = len(samples) - 1 - int(sounding[-1]) if len(sounding) else len(samples)
        self._silent = rest if len(sounding) else self._silent + rest
        self._kept.append(samples)
        self._n += len(samples)
        if self._n < self._rate:
            return ""
        before, self._said = self._said, self._judge(np.concatenate(self._kept))
        self._kept, self._n = [], 0
        return self._said if self._said != before else ""

    def _judge(self, samples: Pcm) -> str:
        """About the last second."""
        if self._silent >= SILENT_S * self._rate:
            return SILENT
        wide = samples.astype(np.int64)
        if (np.abs(wide) >= CLIPPED).mean() > MOST_CLIPPED:
            return TOO_LOUD
        offset = float(wide.mean()) / _FULL_SCALE
        if abs(offset) > MOST_OFFSET:
            return (
                f"the sound has a constant offset of about {round(20 * offset) * 5} % of full "
                "scale: the sound card or cable may be at fault; the detector ignores it"
            )
        return ""
