"""Augmentation of feature tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.data.dataset import Batch, Subset
from spoken_digits.models.device import send
from spoken_digits.training.recipe import Recipe


class FeatureClips:
    """`TrainingClips` whose stored features are varied.

    Parameters
    ----------
    train
        The train clips.
    normalise
        Stored features to network input.
    recipe
        Strength of each augmentation.
    """

    def __init__(
        self, train: Subset, normalise: Callable[[Tensor], Tensor], recipe: Recipe
    ) -> None:
        self._train, self._normalise, self._recipe = train, normalise, recipe
        self._generator = torch.Generator()
        self._stretch: Stretch

    def __len__(self) -> int:
        return len(self._train)

    def begin_epoch(
        self, epoch: int, common: np.random.Generator, own: np.random.Generator
    ) -> NDArray[np.integer]:
        """Draw the stretch of every clip, which decides its length; all epochs are alike."""
        self._generator, generator = (
            torch.Generator().manual_seed(int(rng.integers(2**62))) for rng in (own, common)
        )
        n_frames = torch.from_numpy(self._train.n_frames[self._train.rows])
        longest = self._train.x.shape[1]
        self._stretch = draw_stretch(n_frames, longest, self._recipe, generator)
        return np.asarray(self._stretch.length.numpy())

    def batch(self, positions: NDArray[np.int64], device: torch.device) -> Batch:
        """The clips at `positions`, varied and normalised."""
        stored = self._train.take(positions)
        x = self._normalise(send(stored.x, device))
        x, n_frames = augment(x, self._stretch.at(positions), self._recipe, self._generator)
        return Batch(x, n_frames, send(stored.y, device))


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """How clips are trimmed and sped up or slowed down; each field is (n_clips,)."""

    lead: Tensor
    """Frames cut from the front."""
    kept: Tensor
    """Frames left after cutting both ends."""
    speed: Tensor
    """Input frames per output frame."""
    length: Tensor
    """Frames after stretching."""

    def at(self, positions: NDArray[np.int64]) -> Stretch:
        """The stretch of the clips at `positions`."""
        rows = torch.from_numpy(positions)
        return Stretch(**{name: values[rows] for name, values in vars(self).items()})


def draw_stretch(
    n_frames: Tensor, longest: int, recipe: Recipe, generator: torch.Generator
) -> Stretch:
    """A stretch for each clip, drawn before batching so that batches can be sorted by length.

    Parameters
    ----------
    n_frames
        (n_clips,) valid frames.
    longest
        Largest number of frames after stretching.
    recipe
        Strength of the augmentation.
    generator
        Source of all random numbers, on the cpu.
    """
    ends = torch.rand((2, len(n_frames)), generator=generator) * (recipe.time_trim + 1)
    lead, trail = ends.floor().long().minimum((n_frames - 1) // 2).unbind()
    spread = 2 * torch.rand(len(n_frames), generator=generator) - 1
    speed = 1 + recipe.time_stretch * spread
    kept = n_frames - lead - trail
    length = (kept / speed).round().long().clamp(1, longest)
    return Stretch(lead=lead, kept=kept, speed=speed, length=length.to(n_frames))


def augment(
    x: Tensor, stretch: Stretch, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Augment a batch of normalised features.

    Parameters
    ----------
    x
        (batch, n_frames, n_coefficients), normalised: 0 is the mean.
    stretch
        Of these clips, on the cpu.
    recipe
        Strength of each augmentation.
    generator
        Source of all other random numbers, on the cpu.

    Returns
    -------
    x, n_frames
        x of the same shape and device, and (batch,) valid frames on the cpu. Masked values and
        frames past the end are 0.
    """
    if recipe.time_stretch or recipe.time_trim:
        x = _stretched(x, stretch)
    if recipe.time_shift:
        limit = recipe.time_shift
        shifts = torch.randint(-limit, limit + 1, (len(x), 1), generator=generator)
        # A shift fills in copies of the edge frame: silence in a padded clip.
        source = (torch.arange(x.shape[1]) - shifts).clamp(0, x.shape[1] - 1)  # (batch, n_frames)
        x = _frames_at(x, source)
    for dim, longest in ((1, recipe.time_mask), (2, recipe.coefficient_mask)):
        if longest:
            blank = _runs(len(x), x.shape[dim], longest, generator).to(x.device)
            x = x.masked_fill(blank.unsqueeze(3 - dim), 0.0)
    if recipe.noise:
        noise = torch.randn(x.shape, generator=generator)
        x = x + recipe.noise * noise.to(x.device)
    return x, stretch.length


def _stretched(x: Tensor, stretch: Stretch) -> Tensor:
    """Each clip trimmed and resampled in time by linear interpolation."""
    lead, kept, speed, length = (values.unsqueeze(1) for values in vars(stretch).values())
    steps = torch.arange(x.shape[1])
    position = (steps * speed).minimum(kept - 1) + lead  # (batch, n_frames)
    before = position.floor().long()
    after = (before + 1).minimum(lead + kept - 1)
    weight = (position - before).unsqueeze(2).to(x.device)
    x = torch.lerp(_frames_at(x, before), _frames_at(x, after), weight)
    return x.masked_fill((steps >= length).unsqueeze(2).to(x.device), 0.0)


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
