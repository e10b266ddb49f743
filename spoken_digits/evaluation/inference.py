"""Predictions of a trained network over a subset of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from spoken_digits.data.dataset import Subset
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.models.card import ModelCard
from spoken_digits.models.device import send

EVALUATION_BATCH = 64


def check_fits(card: ModelCard, path: Path, dataset: Dataset) -> None:
    """Refuse to measure a model on words or features that are not its own.

    Raises
    ------
    UserError
        Naming the file and what differs.
    """
    again = f"train it again with `dvc repro train@{card.name}`"
    if card.labels != dataset.labels:
        raise UserError(
            f"{path} was trained on the words {', '.join(card.labels)}, "
            f"the corpus has {', '.join(dataset.labels)}: {again}"
        )
    if card.features != dataset.description:
        raise UserError(f"{path} was trained on features of other parameters: {again}")


@torch.inference_mode()
def predict(
    network: nn.Module,
    normalise: Callable[[Tensor], Tensor],
    subset: Subset,
    device: torch.device,
    batch_size: int = EVALUATION_BATCH,
) -> Tensor:
    """Logits (n, n_classes) of every clip of the subset, on the cpu."""
    network.eval()
    order = subset.by_length()  # an LSTM need not go over frames that only a longer clip has
    parts = []
    for start in range(0, len(order), batch_size):
        batch = subset.take(order[start : start + batch_size])
        out: Tensor = network(normalise(send(batch.x, device)), batch.n_frames)
        parts.append(out.float().cpu())
    logits = torch.cat(parts)
    in_order = torch.empty_like(logits)
    in_order[torch.from_numpy(order)] = logits
    return in_order
