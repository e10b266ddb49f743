"""Quantization-aware training of LSTMs: the integer graph's forward pass under float gradients.

The forward pass rounds weights, biases, pre-activations, cell and hidden states exactly as the
integer operators do (in float64 its logits are equal to theirs); the backward pass treats every
rounding as the identity (straight-through estimator, Bengio, Leonard & Courville 2013). The float
parent teaches: besides the labels, the loss follows the parent's own logits (Hinton, Vinyals &
Dean 2015), so that the integer network makes the parent's decisions and not just good ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from spoken_digits.bounds import Bounds
from spoken_digits.data.batches import shuffled_batches
from spoken_digits.integer.fake_quant.graph import FakeQuantGraph
from spoken_digits.integer.float_graph import Calibrated
from spoken_digits.integer.graph import IntegerGraph, predict
from spoken_digits.integer.limits import Scheme


@dataclass(frozen=True, kw_only=True)
class QatParams:
    """Knobs of the fine-tuning."""

    epochs: Annotated[int, Bounds(0, 10_000, example=12)]
    """Passes over the training clips; 0: post-training quantization only."""

    learning_rate: Annotated[float, Bounds(above=0, high=10, example=0.005)]
    """Peak of a one-cycle schedule (Adam)."""

    batch_size: Annotated[int, Bounds(1, 65_536, example=64)]
    """Clips per step."""

    bucket_batches: Annotated[int, Bounds(1, 10_000, example=8)]
    """Number of batches drawn together and sorted by length; 1 turns it off."""

    distillation: Annotated[float, Bounds(0, 1, example=0.5)]
    """Share of the loss computed against the float model's logits; the rest is against labels."""


def by_validation(
    features: NDArray[np.int8], n_frames: NDArray[np.integer], labels: NDArray[np.integer]
) -> Callable[[IntegerGraph], float]:
    """A score for :func:`fine_tune`: that of validation clips; without any, the latest is best."""
    if len(labels) == 0:
        epochs = itertools.count()
        return lambda network: next(epochs)
    return lambda network: accuracy_then_loss(network, features, n_frames, labels)


def accuracy_then_loss(
    network: IntegerGraph,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    labels: NDArray[np.integer],
) -> float:
    """Accuracy, and among equals the smaller cross-entropy.

    The cross-entropy, in nats and capped at 10, enters with a weight that one clip outweighs.
    """
    q = network.logits(features, n_frames)
    logits, target = torch.tensor(q * network.logit_step), torch.tensor(np.asarray(labels))
    loss = min(float(functional.cross_entropy(logits, target.long())), 10.0)
    return float((predict(q) == np.asarray(labels)).mean()) - loss / (20 * len(q))


def fine_tune(
    start: Calibrated,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    labels: NDArray[np.integer],
    *,
    code: Scheme,
    params: QatParams,
    seed: int,
    score: Callable[[IntegerGraph], float],
    progress: Callable[[int, float], None] = lambda epoch, score: None,
) -> IntegerGraph:
    """Train further with the integer forward pass; keep the best integer network by `score`.

    Post-training quantization is the first candidate, so the result never scores lower.

    Parameters
    ----------
    start
        The float parent, calibrated.
    features, n_frames, labels
        Training clips: (n_clips, max_frames, n_inputs), (n_clips,), (n_clips,).
    score
        Larger is better, from validation clips, such as :func:`by_validation`; called once an
        epoch.
    progress
        Told epoch (from 0) and its score.
    """
    rng = np.random.default_rng(seed)
    best = start.quantised(code)
    if params.epochs == 0:
        return best
    best_score = score(best)
    model = FakeQuantGraph(start, code)
    x, n = torch.tensor(np.asarray(features)), torch.tensor(np.asarray(n_frames, np.int64))
    y = torch.tensor(np.asarray(labels, np.int64))
    teacher = torch.tensor(start.graph.logits(features, n_frames), dtype=torch.float32)
    n_steps = -(-len(x) // params.batch_size)
    # Fused: the other kinds take torch.sqrt, which differs between makers of processors.
    optimizer = torch.optim.Adam(model.parameters(), params.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, params.learning_rate, total_steps=params.epochs * n_steps
    )
    for epoch in range(params.epochs):
        for positions in shuffled_batches(n.numpy(), params.batch_size, params.bucket_batches, rng):
            batch = torch.from_numpy(positions)
            longest = int(n[batch].max())
            logits = model(x[batch, :longest], n[batch])
            loss = (1 - params.distillation) * functional.cross_entropy(logits, y[batch])
            loss = loss + params.distillation * functional.cross_entropy(
                logits, teacher[batch].softmax(dim=1)
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        candidate = model.integers()
        candidate_score = score(candidate)
        progress(epoch, candidate_score)
        if candidate_score > best_score:
            best, best_score = candidate, candidate_score
    return best
