"""Adaptation to the talker without labels: a running mean of the features.

A network that was trained with every talker's own mean subtracted expects that of the talker it
hears. A device does not know it at the first word, but can keep a running mean: one vector of
sums and one division a word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.data.dataset import Subset
from spoken_digits.training.recipe import Recipe

PRIOR_CLIPS = 8
"""The mean over the train talkers counts as much as this many clips of the talker."""


def expects_own_mean(recipe: Recipe) -> bool:
    """Whether a model trained so has seen every talker's own mean subtracted."""
    return recipe.sound is not None and recipe.sound.remove_talker


def adapted(
    subset: Subset, talkers: Sequence[str], prior: NDArray[np.floating], seed: int
) -> Subset:
    """The clips as they are after their talker's running mean is replaced by the prior.

    Clips of a talker follow one another in random order, and each counts in its own mean: of the
    k-th, ``(PRIOR_CLIPS prior + sum of the first k clip means) / (PRIOR_CLIPS + k)`` is
    subtracted and the prior added, so that the network's own normalisation does the rest.

    Parameters
    ----------
    subset
        The clips.
    talkers
        Who speaks each clip of the subset, (n,).
    prior
        (n_coefficients,) mean that the network's normalisation subtracts.
    seed
        Draws the order.

    Returns
    -------
    Subset
        The same clips in the same order, float32, with all their frames in memory.
    """
    x = np.asarray(subset.x[subset.rows], np.float32)  # (n, n_frames, n_coefficients)
    n_frames = subset.n_frames[subset.rows]
    means = _clip_means(x, n_frames, np.asarray(prior, np.float32))
    names = np.array(talkers)
    rng = np.random.default_rng(seed)
    for talker in np.unique(names):
        own = rng.permutation(np.flatnonzero(names == talker))
        heard = np.arange(1, 1 + len(own))[:, None]
        running = (PRIOR_CLIPS * prior + np.cumsum(means[own], axis=0)) / (PRIOR_CLIPS + heard)
        x[own] -= (running - prior)[:, None].astype(np.float32)
    return dataclasses.replace(
        subset, x=x, n_frames=n_frames, y=subset.y[subset.rows], rows=np.arange(len(x))
    )


def _clip_means(
    x: NDArray[np.float32], n_frames: NDArray[np.int32], prior: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Mean (n, n_coefficients) over the frames that hold sound; the prior where none does.

    Frames in which all coefficients are equal are the silence around a short clip.
    """
    sound = np.arange(x.shape[1]) < n_frames[:, None]
    sound &= x.max(axis=2) > x.min(axis=2)
    count = sound.sum(axis=1)[:, None]
    total = np.where(sound[..., None], x, 0.0).sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), prior)
