"""Clips in random order, cut into batches of like length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shuffled_batches(
    lengths: NDArray[np.integer], batch_size: int, bucket_batches: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Clips in random order, as the positions of each batch.

    Parameters
    ----------
    lengths
        (n,) frames of each clip as the network will see it.
    batch_size
        Clips a batch; the last may have fewer.
    bucket_batches
        So many batches at a time are drawn together and sorted by length among them, so that a
        batch is hardly longer than its average clip; 1 draws every batch by itself.
    rng
        Draws the order.
    """
    order = rng.permutation(len(lengths))
    if bucket_batches == 1:
        return _cut(order, batch_size)
    batches = []
    for bucket in _cut(order, batch_size * bucket_batches):
        batches += _cut(bucket[np.argsort(lengths[bucket], kind="stable")], batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(positions: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [positions[i : i + size] for i in range(0, len(positions), size)]
