"""Training in several processes, started by `torchrun`.

Each process takes its share of every batch; PyTorch's DistributedDataParallel averages the
gradients, so all hold the same weights after every step. The batch
size is the total over all processes, so a recipe does not depend on their number.
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
        """Clips of a batch that this process takes, and the weight of each.

        Every `size`-th clip, with weight 1. A batch with fewer clips than processes goes to all of
        them, with weight 1 / `size`, since a network cannot take an empty batch.
        """
        if len(positions) < self.size:
            return positions, 1 / self.size
        return positions[self.rank :: self.size], 1.0

    def prepare(self, network: BaseNetwork) -> nn.Module:
        """The network to call in training."""
        if self.size == 1:
            return network
        # Gradients live in the buffers that are exchanged, so there is no second copy.
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

    GPUs communicate by NCCL, CPUs by Gloo.
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
