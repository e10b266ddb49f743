"""The clips of one subset as batches of tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.data.store import Features
from spoken_digits.errors import UserError


@dataclass(frozen=True)
class Batch:
    """Clips on their way through a network."""

    x: Tensor
    """(batch, n_frames, n_coefficients) as stored, not yet normalised."""
    n_frames: Tensor
    """(batch,) valid frames."""
    y: Tensor
    """(batch,) class numbers."""


@dataclass(frozen=True, kw_only=True)
class Subset:
    """The clips of one subset, their features still on disk."""

    x: Features
    """(n_utterances, n_frames, n_coefficients) of the whole corpus."""
    n_frames: NDArray[np.int32]
    """(n_utterances,) of the whole corpus."""
    y: NDArray[np.int64]
    """(n_utterances,) class numbers of the whole corpus."""
    rows: NDArray[np.int64]
    """(n,) the rows that belong to the subset."""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: NDArray[np.int64]) -> Batch:
        """The clips at `positions` of the subset."""
        rows = self.rows[positions]
        return Batch(
            torch.from_numpy(self.x[rows]),
            torch.from_numpy(self.n_frames[rows]),
            torch.from_numpy(self.y[rows]),
        )

    def by_length(self) -> NDArray[np.int64]:
        """Positions of all clips, shortest first."""
        return np.argsort(self.n_frames[self.rows], kind="stable")

    def n_batches(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return -(-len(self) // batch_size)


@dataclass(frozen=True)
class Normalisation:
    """Stored features to network input."""

    mean: NDArray[np.floating]
    """(1,) or (n_coefficients,), subtracted."""
    std: NDArray[np.floating]
    """(1,) or (n_coefficients,), by which is divided."""

    def __call__(self, x: Tensor) -> Tensor:
        """Features (batch, n_frames, n_coefficients) as the network expects them, float32."""
        mean, std = (
            torch.from_numpy(values.astype(np.float32)).to(x.device)
            for values in (self.mean, self.std)
        )
        return (x.float() - mean) / std


def fit_normalisation(train: Subset, kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the valid frames of the train clips.

    Parameters
    ----------
    train
        The train subset and nothing else.
    kind
        ``none``, ``scalar`` (one value) or ``per_coefficient``.

    Returns
    -------
    mean, std
        Each (1,) or (n_coefficients,). Coefficients that hardly vary are divided by a
        thousandth of the largest deviation at least, so that they cannot blow up.

    Raises
    ------
    UserError
        A feature is NaN or infinite.
    """
    if kind == "none":
        return np.zeros(1), np.ones(1)
    total, squares, count = 0.0, 0.0, 0
    for start in range(0, len(train), 256):
        rows = train.rows[start : start + 256]
        x = train.x[rows].astype(np.float64)  # (block, n_frames, n_coefficients)
        valid = np.arange(x.shape[1]) < train.n_frames[rows, None]
        frames = x[valid]  # (valid frames, n_coefficients)
        total, squares = total + frames.sum(0), squares + (frames**2).sum(0)
        count += len(frames)
    if not np.isfinite(squares).all():
        raise UserError(
            "the features of the train clips hold NaN or infinity: make them again with "
            "`dvc repro feature_extract`"
        )
    mean, mean_square = np.asarray(total) / count, np.asarray(squares) / count
    if kind == "scalar":
        mean, mean_square = mean.mean(keepdims=True), mean_square.mean(keepdims=True)
    std = np.sqrt(np.maximum(mean_square - mean**2, 0))
    return mean, np.maximum(std, 1e-3 * max(float(std.max()), 1e-6))
