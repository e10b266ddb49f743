"""The two classes that are not words, and how the models that have them are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SILENCE = "_silence_"
"""Nobody speaks: noise, hum, tones."""
UNKNOWN = "_unknown_"
"""Speech that is none of the words."""
NOT_WORDS = (SILENCE, UNKNOWN)
"""As Warden, "Speech Commands", 2018, names them; no word can be called so."""
OPEN = "open_sound"
"""Augmentation of an open model, one with these classes, by which its plan is known."""


def with_not_words(labels: Sequence[str]) -> list[str]:
    """The classes of an open model: those of the corpus, and behind them what it lacks of these."""
    return [*labels, *(label for label in NOT_WORDS if label not in labels)]


def word_mask(labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which classes (n_labels,) are words."""
    return np.array([label not in NOT_WORDS for label in labels])
