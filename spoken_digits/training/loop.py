"""The training loop: keeps the best or last epoch, stops early, resumes after a kill.

All random draws of an epoch come from (seed, epoch), so a run that is resumed at the end of an
epoch gives the same result as one that never stopped.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from spoken_digits.augmentation.base import TrainingClips
from spoken_digits.data.batches import shuffled_batches
from spoken_digits.data.dataset import Subset
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import predict
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.device import use_bfloat16
from spoken_digits.training.checkpoint import Checkpoint, network_state
from spoken_digits.training.distributed import ALONE, World
from spoken_digits.training.guests import NOBODY, Guests, n_batches
from spoken_digits.training.recipe import Recipe

CURVE_COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
)


@dataclass
class TrainingState:
    """State that a resumed run needs besides weights and optimizer."""

    curve: list[tuple[float, ...]] = field(default_factory=list)
    """A row of CURVE_COLUMNS for each finished epoch."""
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def is_better(self, row: tuple[float, ...]) -> bool:
        """Whether validation accuracy rose, or stayed the same while validation loss fell.

        Without validation clips every epoch is better than the one before.
        """
        if not self.curve or self.best_epoch == 0 or math.isnan(row[4]):
            return True
        best = self.curve[self.best_epoch - 1]
        return (row[4], -row[3]) > (best[4], -best[3])


def fit(
    network: BaseNetwork,
    normalise: Callable[[Tensor], Tensor],
    train: TrainingClips,
    val: Subset,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    guests: Guests = NOBODY,
    world: World = ALONE,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[int, tuple[float, ...]], None] = lambda *_: None,
) -> TrainingState:
    """Train `network`.

    Its weights at the end are those of the epoch that ``recipe.keep`` names; without validation
    clips, those of the last epoch.

    Parameters
    ----------
    network
        Freshly initialised.
    normalise
        Stored features to network input.
    train
        The train clips, varied anew in every epoch.
    val
        The validation clips; none for a fixed number of epochs that nobody chooses.
    recipe
        Section `train`.
    seed
        Draws order, dropout and augmentation.
    device
        Where to train.
    guests
        Clips of `train` that train in the first epochs only.
    world
        The processes that train together; each of them calls this function.
    checkpoint
        Where the state is saved, visible to all processes; None saves none.
    on_epoch
        Called after each epoch with its number and its row of CURVE_COLUMNS.
    """
    network.to(device)
    if recipe.memory_format == "channels_last":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _make_optimizer(network, recipe)
    n_steps = n_batches(len(train), recipe.batch_size, recipe.epochs, guests)
    schedule = _make_schedule(optimizer, recipe, n_steps)
    stateful = {"network": network, "optimizer": optimizer, "schedule": schedule}
    resumed = checkpoint.resume(stateful) if checkpoint is not None else None
    state = TrainingState(**resumed) if resumed is not None else TrainingState()
    trained_network = world.prepare(network)
    saved_at = time.monotonic()
    for epoch in range(len(state.curve) + 1, recipe.epochs + 1):
        learning_rate = optimizer.param_groups[0]["lr"]
        n_clips = guests.staying(len(train), epoch)
        trained = _train_epoch(
            trained_network, train, n_clips, recipe, optimizer, schedule, (seed, epoch), world
        )
        validated = (
            evaluate(network, normalise, val, device, world) if len(val) else (math.nan, math.nan)
        )
        row = (epoch, *trained, *validated, learning_rate)
        if not np.isfinite([*trained, *(validated if len(val) else ())]).all():
            raise UserError(
                f"training broke down in epoch {epoch} (loss is not a number): "
                "lower `train.learning_rate` or set `train.gradient_clip`"
            )
        if recipe.keep == "last" or state.is_better(row):
            state.best_epoch = epoch
            state.best_weights = network_state(network)
        state.curve.append(row)
        on_epoch(epoch, row)
        if recipe.patience is not None and epoch - state.best_epoch >= recipe.patience:
            break
        if checkpoint is None or not world.is_first or epoch == recipe.epochs:
            continue
        if time.monotonic() - saved_at >= checkpoint.every_s:
            checkpoint.save(stateful, vars(state))
            saved_at = time.monotonic()
    network.load_state_dict(state.best_weights)
    network.eval()
    return state


def _make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
        slower = max(1.0, fan_in / (recipe.learning_rate_fan_in or fan_in))
        # Biases and batch normalisation are not pulled to zero.
        decay = recipe.weight_decay if parameter.dim() > 1 else 0.0
        groups.setdefault((recipe.learning_rate / slower, decay), []).append(parameter)
    # The full rate first, since the curves show the first group's.
    described = [
        {"params": groups[rate, decay], "lr": rate, "weight_decay": decay}
        for rate, decay in sorted(groups, reverse=True)
    ]
    # Fused: one pass over the weights instead of ten, which matters with 120 million of them.
    return kind(described, fused=True)


def _make_schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, n_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "one_cycle":
        highest = [group["lr"] for group in optimizer.param_groups]
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, highest, total_steps=n_steps)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def _train_epoch(
    network: nn.Module,
    train: TrainingClips,
    n_clips: int,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    seeds: tuple[int, int],
    world: World,
) -> tuple[float, float]:
    """One pass over the first `n_clips`; mean loss and accuracy measured while training."""
    rng = np.random.default_rng(seeds)  # the order: the same in every process
    *own_rngs, common_rng = rng.spawn(world.size + 1)
    own_rng = own_rngs[world.rank]
    lengths = train.begin_epoch(seeds[1], common_rng, own_rng)
    torch.manual_seed(int(own_rng.integers(2**62)))  # dropout draws from the global generator
    batches = shuffled_batches(lengths[:n_clips], recipe.batch_size, recipe.bucket_batches, rng)
    device = next(network.parameters()).device
    loss_of = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    in_bfloat16 = use_bfloat16(recipe.precision, device)
    network.train()
    sums = torch.zeros(3, device=device)  # of losses, of right answers, of clips
    for positions in batches:
        own, counted = world.share(positions)
        batch = train.batch(own, device)
        y = batch.y
        with torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16):
            logits = network(batch.x, batch.n_frames)
        loss = loss_of(logits.float(), y)
        optimizer.zero_grad()
        # Gradients are averaged over processes: scaled, that is the gradient of the whole
        # batch's mean loss.
        (loss * (counted * len(y) * world.size / len(positions))).backward()
        if recipe.gradient_clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_clip)
        optimizer.step()
        schedule.step()
        right = (logits.argmax(1) == y).sum()
        seen = torch.stack([loss.detach() * len(y), right, torch.full_like(loss, len(y))])
        sums += counted * seen
    loss_sum, n_right, n_clips = world.total(sums).tolist()
    return loss_sum / n_clips, n_right / n_clips


def evaluate(
    network: nn.Module,
    normalise: Callable[[Tensor], Tensor],
    subset: Subset,
    device: torch.device,
    world: World = ALONE,
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over the subset, shared among the processes."""
    rows, counted = world.share(subset.rows)
    own = dataclasses.replace(subset, rows=rows)
    logits = predict(network, normalise, own, device)
    y = torch.from_numpy(own.y[own.rows])
    loss = nn.functional.cross_entropy(logits, y, reduction="sum")
    right = (logits.argmax(1) == y).sum()
    sums = counted * torch.tensor([loss, right, len(y)], dtype=torch.float64, device=device)
    loss_sum, n_right, n_clips = world.total(sums).tolist()
    return loss_sum / n_clips, n_right / n_clips
