"""Train clips that leave before the training ends: a network is fitted to the others last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Guests:
    """Clips that train in the first epochs only."""

    n: int
    """How many; they are the last of the train clips."""
    until: int
    """The last epoch in which they train."""

    def staying(self, n_clips: int, epoch: int) -> int:
        """How many of the train clips, from the first, train in an epoch (counted from 1)."""
        return n_clips if epoch <= self.until else n_clips - self.n


NOBODY = Guests(n=0, until=0)


def n_batches(n_clips: int, batch_size: int, epochs: int, guests: Guests) -> int:
    """Batches of a whole training."""
    of_epochs = (guests.staying(n_clips, epoch) for epoch in range(1, epochs + 1))
    return sum(-(-staying // batch_size) for staying in of_epochs)
