"""What the training loop draws its batches from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits.data.dataset import Batch, Normalisation


class TrainingClips(Protocol):
    """The train clips, varied anew in every epoch."""

    def __len__(self) -> int:
        """Number of clips."""
        ...

    def begin_epoch(
        self, epoch: int, common: np.random.Generator, own: np.random.Generator
    ) -> NDArray[np.integer]:
        """Draw an epoch; return the frames (n,) of each clip, by which batches are sorted.

        Parameters
        ----------
        epoch
            Its number, counted from 1.
        common
            Draws what must be the same in all processes that train together.
        own
            Draws the rest.
        """
        ...

    def batch(self, positions: NDArray[np.int64], device: torch.device) -> Batch:
        """The clips at `positions`, varied and normalised; `x` and `y` on `device`."""
        ...


@dataclass(frozen=True)
class Prepared:
    """Clips to train on."""

    clips: TrainingClips
    normalisation: Normalisation
    """How features are normalised in use, fitted on the train clips."""
