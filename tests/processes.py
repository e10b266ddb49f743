"""Code that each process of a distributed test runs, in a module so that it can be imported."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from recipes import RECIPE
from torch import distributed as dist
from torch.optim.optimizer import register_optimizer_step_pre_hook

from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.data.dataset import Subset
from spoken_digits.models.device import set_up
from spoken_digits.models.networks import make_network
from spoken_digits.training import loop
from spoken_digits.training.distributed import World

N_CLIPS = 46
BATCH_SIZE = 15
"""46 clips: three batches of an odd number, which two processes cannot halve, and one of one."""


def record_gradients(rank: int, size: int, folder: str) -> None:
    """Train one epoch as process `rank` of `size`; store every gradient and the curve.

    The weights hardly move, so that gradients of later steps can be compared too.
    """
    device = set_up("cpu", 1)
    if size > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=size
        )
    gradients: list[np.ndarray] = []

    def look(optimizer: torch.optim.Optimizer, *_: object) -> None:
        of_all = [p.grad for group in optimizer.param_groups for p in group["params"]]
        gradients.append(torch.cat([grad.flatten() for grad in of_all]).numpy().copy())

    handle = register_optimizer_step_pre_hook(look)
    rng = np.random.default_rng(0)
    clips = Subset(
        x=rng.normal(0, 1, (N_CLIPS, 12, 5)).astype(np.float32),
        n_frames=rng.integers(4, 13, N_CLIPS).astype(np.int32),
        y=rng.integers(0, 3, N_CLIPS),
        rows=np.arange(N_CLIPS),
    )
    torch.manual_seed(3)
    architecture = {
        "name": "lstm",
        "hidden_dim": 8,
        "num_layers": 1,
        "dropout": 0.0,
        "pooling": "mean",
    }
    recipe = dataclasses.replace(
        RECIPE,
        epochs=1,
        batch_size=BATCH_SIZE,
        learning_rate=1e-12,
        schedule="constant",
        gradient_clip=None,
        time_mask=0,
        coefficient_mask=0,
        time_shift=0,
        noise=0.0,
    )
    state = loop.fit(
        make_network(architecture, (12, 5), 3),
        lambda x: x,
        FeatureClips(clips, lambda x: x, recipe),
        clips,
        recipe,
        seed=7,
        device=device,
        world=World(rank=rank, size=size),
    )
    handle.remove()
    np.savez(Path(folder) / f"{rank}_of_{size}.npz", gradients=gradients, curve=state.curve)
    if size > 1:
        dist.destroy_process_group()
