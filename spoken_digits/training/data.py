"""The clips of one subset as batches of tensors, with augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.io.feature_store import Features
from spoken_digits.training.recipe import Recipe


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

    def shuffled_batches(
        self, batch_size: int, bucket_batches: int, rng: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """The clips in random order, as the positions of each batch.

        Parameters
        ----------
        batch_size
            Clips a batch; the last may have fewer.
        bucket_batches
            So many batches at a time are drawn together and sorted by length among them, so that
            a batch is hardly longer than its average clip; 1 draws every batch by itself.
        rng
            Draws the order.
        """
        order = rng.permutation(len(self))
        if bucket_batches == 1:
            return _cut(order, batch_size)
        batches = []
        for bucket in _cut(order, batch_size * bucket_batches):
            lengths = self.n_frames[self.rows[bucket]]
            batches += _cut(bucket[np.argsort(lengths, kind="stable")], batch_size)
        return [batches[i] for i in rng.permutation(len(batches))]

    def n_batches(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return -(-len(self) // batch_size)


def _cut(positions: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [positions[i : i + size] for i in range(0, len(positions), size)]


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
    mean, mean_square = np.asarray(total) / count, np.asarray(squares) / count
    if kind == "scalar":
        mean, mean_square = mean.mean(keepdims=True), mean_square.mean(keepdims=True)
    std = np.sqrt(np.maximum(mean_square - mean**2, 0))
    return mean, np.maximum(std, 1e-3 * max(float(std.max()), 1e-6))


def augment(
    x: Tensor, n_frames: Tensor, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Normalised features, varied as other recordings of the same word would be.

    Parameters
    ----------
    x
        (batch, n_frames, n_coefficients), normalised: 0 is the mean.
    n_frames
        (batch,) valid frames, on the cpu.
    recipe
        How much of what.
    generator
        Draws everything, on the cpu.

    Returns
    -------
    x, n_frames
        Of the same shapes, where they were. Blanked values and frames past the end are 0.
    """
    if recipe.time_stretch or recipe.time_trim:
        x, n_frames = _stretch(x, n_frames, recipe, generator)
    if recipe.time_shift:
        limit = recipe.time_shift
        shifts = torch.randint(-limit, limit + 1, (len(x), 1), generator=generator)
        # Frames that a shift brings in are the clip's own edge frame: silence in a padded clip.
        source = (torch.arange(x.shape[1]) - shifts).clamp(0, x.shape[1] - 1)  # (batch, n_frames)
        x = _frames_at(x, source)
    for dim, longest in ((1, recipe.time_mask), (2, recipe.coefficient_mask)):
        if longest:
            blank = _runs(len(x), x.shape[dim], longest, generator).to(x.device)
            x = x.masked_fill(blank.unsqueeze(3 - dim), 0.0)
    if recipe.noise:
        noise = torch.randn(x.shape, generator=generator)
        x = x + recipe.noise * noise.to(x.device)
    return x, n_frames


def _stretch(
    x: Tensor, n_frames: Tensor, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each clip without some frames at its ends and at another speed, by linear interpolation."""
    valid = n_frames[:, None]  # (batch, 1)
    ends = torch.rand((2, len(x), 1), generator=generator) * (recipe.time_trim + 1)
    lead, trail = (ends.floor().long().minimum((valid - 1) // 2)).unbind()
    spread = 2 * torch.rand((len(x), 1), generator=generator) - 1
    speed = 1 + recipe.time_stretch * spread  # (batch, 1), frames of the clip a frame
    kept = valid - lead - trail
    length = (kept / speed).round().long().clamp(1, x.shape[1])
    steps = torch.arange(x.shape[1])
    position = (steps * speed).minimum(kept - 1) + lead  # (batch, n_frames)
    before = position.floor().long()
    after = (before + 1).minimum(lead + kept - 1)
    weight = (position - before).unsqueeze(2).to(x.device)
    x = torch.lerp(_frames_at(x, before), _frames_at(x, after), weight)
    x = x.masked_fill((steps >= length).unsqueeze(2).to(x.device), 0.0)
    return x, length.squeeze(1).to(n_frames)


def _frames_at(x: Tensor, source: Tensor) -> Tensor:
    """Frame source[i, t] of clip i as its frame t."""
    index = source.to(x.device).unsqueeze(2).expand(-1, -1, x.shape[2])
    return x.gather(1, index)


def _runs(batch: int, size: int, longest: int, generator: torch.Generator) -> Tensor:
    """A random run of 0 to `longest` positions in each of `batch` rows, as a mask (batch, size)."""
    width = torch.randint(0, longest + 1, (batch, 1), generator=generator)
    start = (torch.rand((batch, 1), generator=generator) * (size - width + 1)).floor()
    steps = torch.arange(size)
    return (steps >= start) & (steps < start + width)
