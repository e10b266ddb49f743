"""How sure a recogniser is of its word: softmax of its logits at a temperature, in integers.

The NumPy twin of ``firmware/sd_confidence.c``. At the temperature that makes confidence equal
accuracy on validation words (Guo et al., "On calibration of modern neural networks", 2017),
a word of confidence 0.9 is right nine times in ten, as far as it is one of the words at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.detector.specification import CERTAIN, FAR, DecisionSpec
from spoken_digits.integer.frontend.log_mel import exp2


def probabilities(logits: NDArray[np.int32], spec: DecisionSpec) -> NDArray[np.int64]:
    """Probability of every class, in steps of 1 / `CERTAIN`, each rounded down.

    Parameters
    ----------
    logits
        (n, n_classes) of a recogniser.

    Returns
    -------
    ndarray, shape (n, n_classes)
        0 to `CERTAIN`; at least 1 for the most likely class.
    """
    wide = logits.astype(np.int64)
    behind = np.minimum(wide.max(axis=1, keepdims=True) - wide, spec.farthest)
    octaves = np.minimum((behind * spec.scale) >> spec.scale_shift, FAR)
    shares = exp2(FAR - octaves)
    return np.asarray(CERTAIN * shares // shares.sum(axis=1, keepdims=True))


def confidences(logits: NDArray[np.int32], spec: DecisionSpec) -> NDArray[np.int64]:
    """Probability of the most likely class, as `probabilities`: (n, n_classes) -> (n,)."""
    return np.asarray(probabilities(logits, spec).max(axis=1))
