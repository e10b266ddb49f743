"""Predictions of a trained network over a subset of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spoken_digits.data.dataset import Subset
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.models.card import ModelCard
from spoken_digits.models.device import send

EVALUATION_BATCH = 64


def check_fits(card: ModelCard, path: Path, dataset: Dataset) -> None:
    """Refuse to measure a model on words, features or recordings that are not its own, or after a
    new split, which would put clips it was trained on into the test.

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
    if card.input_shape != dataset.input_shape:
        raise UserError(
            f"{path} reads clips of {card.input_shape}, the features are of "
            f"{dataset.input_shape}: {again}"
        )
    if card.corpus["fingerprint"] != dataset.corpus["fingerprint"]:
        raise UserError(
            f"{path} was trained on other recordings ({card.corpus['corpus']}) than those in "
            f"data/raw ({dataset.corpus['corpus']}): {again}"
        )
    if card.split is None:
        raise UserError(
            f"{path} does not say which clips it was trained on (an older version wrote it): "
            f"{again}"
        )
    if card.split != dataset.split:
        raise UserError(
            f"{path} was trained on another split than data/split.csv, so test clips may be among "
            f"those it was trained on: {again}"
        )


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
    return logits[torch.from_numpy(np.argsort(order))]


def check_finite(logits: NDArray[np.floating]) -> None:
    """Refuse logits that are NaN or infinite, of which a metric would make a plausible number.

    Not for training, where they mean that it has diverged.
    """
    if not np.isfinite(logits).all():
        raise UserError(
            "the network gives NaN or infinity on some clips: make the features again with "
            "`dvc repro feature_extract`, and the model with `dvc repro train`"
        )
