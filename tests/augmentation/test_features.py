from __future__ import annotations

import dataclasses

import torch
from recipes import RECIPE
from torch import Tensor

from spoken_digits.augmentation.features import augment, draw_stretch
from spoken_digits.training.recipe import Recipe


def varied(
    x: Tensor, n_frames: Tensor, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    return augment(x, draw_stretch(n_frames, x.shape[1], recipe, generator), recipe, generator)


def test_augmentation_blanks_runs_and_shifts():
    generator = torch.Generator().manual_seed(0)
    recipe = dataclasses.replace(RECIPE, time_mask=4, coefficient_mask=0, time_shift=0, noise=0.0)
    x, n_frames = torch.ones(200, 12, 5), torch.full((200,), 12)
    blanked = varied(x, n_frames, recipe, generator)[0] == 0
    assert torch.equal(blanked.any(2), blanked.all(2))  # whole frames
    lengths = blanked.all(2).sum(1)
    assert lengths.unique().tolist() == [0, 1, 2, 3, 4]
    runs = blanked.all(2).int().diff(dim=1).clamp(min=0).sum(1)
    assert runs.max() <= 1  # one run each

    shifting = dataclasses.replace(recipe, time_mask=0, time_shift=2)
    ramp = torch.arange(12.0)[None, :, None].expand(200, 12, 5)
    moved, _ = varied(ramp, n_frames, shifting, generator)
    assert set((ramp - moved)[:, 6, 0].tolist()) == {-2.0, -1.0, 0.0, 1.0, 2.0}


def test_no_augmentation_changes_nothing():
    recipe = dataclasses.replace(RECIPE, time_mask=0, coefficient_mask=0, time_shift=0, noise=0.0)
    x = torch.randn(3, 12, 5)
    n_frames = torch.tensor([12, 5, 1])
    same, same_frames = varied(x, n_frames, recipe, torch.Generator())
    assert torch.equal(same, x)
    assert torch.equal(same_frames, n_frames)


def test_a_stretched_clip_has_another_length_and_the_same_content():
    recipe = dataclasses.replace(
        RECIPE, time_mask=0, coefficient_mask=0, time_shift=0, noise=0.0, time_stretch=0.25
    )
    # A ramp of 20 valid frames in 40; what follows must not be seen.
    x = torch.arange(40.0)[None, :, None].repeat(300, 1, 2)
    x[:, 20:] = 999.0
    n_frames = torch.full((300,), 20)
    stretched, frames = varied(x, n_frames, recipe, torch.Generator().manual_seed(0))
    assert frames.min() < 17
    assert frames.max() > 24
    for clip, n in zip(stretched, frames.tolist(), strict=True):
        steps = clip[:n, 0].diff()
        assert clip[:n].max() <= 19
        assert clip[0, 0] == 0
        assert steps[:-1].std() < 1e-4  # still a ramp, of another slope
        assert not clip[n:].any()


def test_trimming_drops_frames_at_both_ends():
    recipe = dataclasses.replace(
        RECIPE, time_mask=0, coefficient_mask=0, time_shift=0, noise=0.0, time_trim=2
    )
    x = torch.arange(12.0)[None, :, None].repeat(200, 1, 2)
    n_frames = torch.tensor([10, 3]).repeat(100)
    trimmed, frames = varied(x, n_frames, recipe, torch.Generator().manual_seed(0))
    assert set(frames[::2].tolist()) == {6, 7, 8, 9, 10}
    assert set(trimmed[::2, 0, 0].tolist()) == {0.0, 1.0, 2.0}
    assert frames[1::2].min() >= 1  # something is always left
