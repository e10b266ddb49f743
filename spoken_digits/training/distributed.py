"""Training in several processes, as `torchrun` starts them.

Each process takes its share of every batch; PyTorch's DistributedDataParallel averages the
gradients, so all hold the same weights after every step. Batches are as large as with one
process, so a recipe means the same however many processes run it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from spoken_digits.models.base import BaseNetwork


@dataclass(frozen=True, kw_only=True)
class World:
    """The processes that train together, and which of them this is."""

    rank: int
    """This process, 0 to size - 1; 0 alone reports and writes."""
    size: int
    """Number of processes."""

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that reports and writes."""
        return self.rank == 0

    def share(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
        """What this process takes of a batch, and what each of these clips counts.

        Every `size`-th clip, each counting 1; of a batch with fewer clips than processes, all of
        it, each counting 1 / `size`, since a network cannot take none.
        """
        if len(positions) < self.size:
            return positions, 1 / self.size
        return positions[self.rank :: self.size], 1.0

    def prepare(self, network: BaseNetwork) -> nn.Module:
        """The network as it is to be called in training."""
        if self.size == 1:
            return network
        # The gradients live in the buffers that are exchanged: no second copy of them.
        return cast(nn.Module, DistributedDataParallel(network, gradient_as_bucket_view=True))

    def total(self, values: Tensor) -> Tensor:
        """The sum of `values` over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


ALONE = World(rank=0, size=1)


@contextmanager
def joined() -> Iterator[World]:
    """The world that torchrun's environment variables describe; `ALONE` without them.

    GPUs talk through NCCL, processors through Gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group()
    try:
        yield World(rank=dist.get_rank(), size=dist.get_world_size())
    finally:
        dist.destroy_process_group()
