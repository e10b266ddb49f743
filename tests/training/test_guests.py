"""Clips that leave before a training ends: until then they train, and the schedule knows it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from recipes import RECIPE

from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.data.dataset import Subset
from spoken_digits.models.architectures.lstm import Network
from spoken_digits.models.device import set_up
from spoken_digits.training import loop
from spoken_digits.training.checkpoint import Checkpoint
from spoken_digits.training.guests import NOBODY, Guests, n_batches

N_OWN, N_GUESTS, N_FRAMES = 70, 30, 12
GUESTS = Guests(n=N_GUESTS, until=4)


@pytest.fixture
def clips() -> Subset:
    """The guests are the last clips, and the only ones of class 2."""
    n = N_OWN + N_GUESTS
    y = np.arange(n) % 2
    y[N_OWN:] = 2
    x = np.random.default_rng(0).normal(0, 1, (n, N_FRAMES, 5)).astype(np.float32)
    return Subset(x=x, n_frames=np.full(n, N_FRAMES, np.int32), y=y, rows=np.arange(n))


def fit(clips: Subset, guests: Guests, monkeypatch, **options) -> tuple[Network, list, list]:
    """The network, (epoch, clips) of each batch, and the rate after each epoch."""
    batches, numbers = [], []
    begin, batch = FeatureClips.begin_epoch, FeatureClips.batch

    def noting(self, epoch, common, own):
        numbers.append(epoch)
        return begin(self, epoch, common, own)

    def spying(self, positions, device):
        batches.append((numbers[-1], positions.tolist()))
        return batch(self, positions, device)

    monkeypatch.setattr(FeatureClips, "begin_epoch", noting)
    monkeypatch.setattr(FeatureClips, "batch", spying)
    torch.manual_seed(3)
    network = Network(
        input_shape=(N_FRAMES, 5),
        n_classes=3,
        hidden_dim=4,
        num_layers=1,
        dropout=0.0,
        pooling="mean",
    )
    train = FeatureClips(clips, lambda x: x, RECIPE)
    nobody = dataclasses.replace(clips, rows=np.arange(0))
    device = set_up("cpu", 1)
    try:
        state = loop.fit(
            network,
            lambda x: x,
            train,
            nobody,
            RECIPE,
            seed=7,
            device=device,
            guests=guests,
            **options,
        )
    finally:
        monkeypatch.undo()
    return network, batches, state.curve


def test_guests_train_until_they_leave_and_the_others_in_every_epoch(clips, monkeypatch):
    _, batches, _ = fit(clips, GUESTS, monkeypatch)
    for epoch in range(1, RECIPE.epochs + 1):
        heard = sorted(clip for number, batch in batches if number == epoch for clip in batch)
        assert heard == list(range(N_OWN if epoch > GUESTS.until else N_OWN + N_GUESTS))


def test_the_schedule_ends_with_the_last_batch(clips, monkeypatch):
    """One cycle: too short a schedule would raise, too long a one would end at a high rate."""
    _, batches, curve = fit(clips, GUESTS, monkeypatch)
    assert len(batches) == n_batches(len(clips.y), RECIPE.batch_size, RECIPE.epochs, GUESTS)
    rates = [row[5] for row in curve]
    assert max(rates) > 0.9 * RECIPE.learning_rate
    assert rates[-1] < 0.2 * RECIPE.learning_rate


def test_without_guests_there_are_as_many_batches_in_every_epoch():
    assert n_batches(100, 16, 6, NOBODY) == 6 * 7
    assert n_batches(100, 16, 6, GUESTS) == 4 * 7 + 2 * 5


def test_a_training_that_is_resumed_after_they_left_is_the_same(clips, monkeypatch, tmp_path: Path):
    whole, *_ = fit(clips, GUESTS, monkeypatch)
    checkpoint = Checkpoint(path=tmp_path / "state.pt", every_s=0.0)

    def kill(epoch, row):
        if epoch == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(clips, GUESTS, monkeypatch, checkpoint=checkpoint, on_epoch=kill)
    resumed, batches, _ = fit(clips, GUESTS, monkeypatch, checkpoint=checkpoint)
    assert min(epoch for epoch, _ in batches) == 5  # saved after the fourth
    for ours, theirs in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(ours, theirs)
