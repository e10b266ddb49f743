from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from recipes import RECIPE
from torch import Tensor

from spoken_digits.augmentation.features.clips import Stretch, augment, draw_stretch
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
    # A ramp of 20 valid frames in 40; the rest must not be read.
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


PLAIN = dataclasses.replace(RECIPE, time_mask=0, coefficient_mask=0, time_shift=0, noise=0.0)


def drawn(n_frames: Tensor, longest: int, seed: int = 0, **changes):
    recipe = dataclasses.replace(PLAIN, **changes)
    return draw_stretch(n_frames, longest, recipe, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 8, 9])
def test_each_end_loses_less_than_half_of_a_short_clip(n_frames):
    stretch = drawn(torch.full((400,), n_frames), 12, time_trim=50)
    trail = n_frames - stretch.lead - stretch.kept
    most = (n_frames - 1) // 2
    # 51 numbers of frames are drawn, nearly all of them above the limit
    for ends in (stretch.lead, trail):
        assert int(ends.max()) == most
        assert (ends == most).float().mean() > 0.8
        assert int(ends.min()) >= 0
    assert int(stretch.kept.min()) == n_frames - 2 * most >= 1
    assert torch.equal(stretch.length, stretch.kept)


def test_trimming_draws_uniformly_and_independently_at_each_end():
    stretch = drawn(torch.full((6000,), 30), 36, time_trim=2)
    trail = 30 - stretch.lead - stretch.kept
    for ends in (stretch.lead, trail):
        counts = torch.bincount(ends)
        assert len(counts) == 3
        assert (counts - 2000).abs().max() < 200
    pairs = torch.bincount(3 * stretch.lead + trail)
    assert len(pairs) == 9
    assert (pairs - 667).abs().max() < 150


def test_a_trimmed_clip_is_its_middle_and_nothing_after():
    x = torch.arange(1.0, 13.0)[None, :, None].repeat(300, 1, 2)
    recipe = dataclasses.replace(PLAIN, time_trim=3)
    generator = torch.Generator().manual_seed(0)
    stretch = draw_stretch(torch.full((300,), 10), 12, recipe, generator)
    trimmed, frames = augment(x, stretch, recipe, generator)
    assert torch.equal(frames, stretch.kept)
    for clip, lead, n in zip(trimmed, stretch.lead.tolist(), frames.tolist(), strict=True):
        assert torch.equal(clip[:n, 0], torch.arange(1.0, n + 1) + lead)
        assert torch.equal(clip[:, 1], clip[:, 0])
        assert not clip[n:].any()


@pytest.mark.parametrize("limit", [0.0, 0.1, 0.5])
def test_speeds_are_even_between_the_limits(limit):
    speed = drawn(torch.full((20000,), 30), 100, time_stretch=limit).speed
    assert float(speed.min()) >= 1 - limit
    assert float(speed.max()) <= 1 + limit
    assert float(speed.mean()) == pytest.approx(1, abs=0.01)
    assert float(speed.std()) == pytest.approx(limit / 3**0.5, rel=0.02)  # of an even spread


def test_a_stretched_clip_is_longer_by_its_speed_within_the_frames_there_are():
    n_frames = torch.randint(1, 37, (5000,), generator=torch.Generator().manual_seed(1)).int()
    stretch = drawn(n_frames, 36, time_stretch=0.9, time_trim=1)
    expected = (stretch.kept / stretch.speed).round().clamp(1, 36).long()
    assert torch.equal(stretch.length, expected)
    assert int(stretch.length.min()) == 1
    assert int(stretch.length.max()) == 36
    assert stretch.length.dtype == n_frames.dtype


def test_a_stretch_interpolates_between_the_two_nearest_frames():
    x = torch.tensor([0.0, 10.0, 40.0, 20.0, 99.0, 99.0])[None, :, None].repeat(2, 1, 1)
    stretch = Stretch(
        lead=torch.tensor([0, 1]),
        kept=torch.tensor([4, 3]),
        speed=torch.tensor([0.75, 1.5]),
        length=torch.tensor([5, 2]),
    )
    slow, fast = augment(
        x, stretch, dataclasses.replace(PLAIN, time_stretch=0.1), torch.Generator()
    )[0]
    torch.testing.assert_close(slow[:, 0], torch.tensor([0.0, 7.5, 25.0, 35.0, 20.0, 0.0]))
    torch.testing.assert_close(fast[:, 0], torch.tensor([10.0, 30.0, 0.0, 0.0, 0.0, 0.0]))


def test_stretches_of_some_clips_are_theirs():
    stretch = drawn(torch.arange(5, 25), 36, time_stretch=0.3, time_trim=2)
    some = stretch.at(np.array([7, 2]))
    for name, values in vars(stretch).items():
        assert torch.equal(getattr(some, name), values[[7, 2]])


def test_a_shift_repeats_the_frame_at_the_edge():
    recipe = dataclasses.replace(PLAIN, time_shift=3)
    ramp = torch.arange(8.0)[None, :, None].expand(400, 8, 2)
    moved, _ = varied(ramp, torch.full((400,), 8), recipe, torch.Generator().manual_seed(0))
    seen = set()
    for clip in moved:
        shift = int(3 - clip[3, 0])
        seen.add(shift)
        assert torch.equal(clip[:, 0], (torch.arange(8.0) - shift).clamp(0, 7))
        assert torch.equal(clip[:, 1], clip[:, 0])
    assert seen == set(range(-3, 4))


@pytest.mark.parametrize(("mask", "dim"), [("time_mask", 1), ("coefficient_mask", 2)])
def test_one_run_is_blanked_anywhere_across_the_other_axis(mask, dim):
    recipe = dataclasses.replace(PLAIN, **{mask: 3})
    x = torch.ones(3000, 9, 7)
    blanked = varied(x, torch.full((3000,), 9), recipe, torch.Generator().manual_seed(0))[0] == 0
    other = 3 - dim
    assert torch.equal(blanked.any(other), blanked.all(other))
    row = blanked.all(other)  # (clips, size)
    size = x.shape[dim]
    counts = torch.bincount(row.sum(1))
    assert len(counts) == 4  # 0 to 3, alike
    assert (counts - 750).abs().max() < 120
    padded = torch.nn.functional.pad(row.int(), (1, 1))
    assert int((padded.diff(dim=1) == 1).sum(1).max()) == 1  # one run
    starts = torch.bincount(row.int().argmax(1)[row.sum(1) == 1], minlength=size)
    assert len(starts) == size
    assert starts.min() > 0.6 * starts.sum() / size  # everywhere, to both edges
    full = torch.bincount(row.int().argmax(1)[row.sum(1) == 3], minlength=size)
    assert full[: size - 2].min() > 0
    assert not full[size - 2 :].any()


def test_noise_is_normal_of_the_deviation_asked_for():
    recipe = dataclasses.replace(PLAIN, noise=0.25)
    x = torch.randn(200, 12, 5)
    n_frames = torch.full((200,), 12)
    noisy, _ = varied(x, n_frames, recipe, torch.Generator().manual_seed(0))
    noise = noisy - x
    assert float(noise.std()) == pytest.approx(0.25, rel=0.03)
    assert abs(float(noise.mean())) < 0.01
    assert float((noise**4).mean()) == pytest.approx(3 * 0.25**4, rel=0.1)  # of a normal one
    again, _ = varied(x, n_frames, recipe, torch.Generator().manual_seed(0))
    other, _ = varied(x, n_frames, recipe, torch.Generator().manual_seed(1))
    assert torch.equal(again, noisy)
    assert not torch.equal(other, noisy)


@pytest.mark.parametrize("knob", [{"time_stretch": 0.3}, {"time_trim": 2}])
def test_stretch_and_trim_each_work_alone(knob):
    recipe = dataclasses.replace(PLAIN, **knob)
    x = torch.arange(1.0, 25.0)[None, :, None].repeat(50, 1, 1)
    changed, frames = varied(x, torch.full((50,), 20), recipe, torch.Generator().manual_seed(0))
    assert len(frames.unique()) > 2
    assert not torch.equal(changed, x)


def test_every_kind_draws_from_the_generator_it_is_given():
    recipe = dataclasses.replace(
        RECIPE, time_mask=3, coefficient_mask=2, time_shift=2, time_trim=2, time_stretch=0.2
    )
    x, n_frames = torch.randn(30, 12, 5), torch.full((30,), 9)
    knobs = ("time_mask", "coefficient_mask", "time_shift", "noise", "time_trim", "time_stretch")
    for knob in knobs:
        alone = dataclasses.replace(PLAIN, **{knob: getattr(recipe, knob)})
        runs = []
        for seed in (0, 0, 1):
            torch.manual_seed(len(runs))  # the global generator must have no effect
            runs.append(varied(x, n_frames, alone, torch.Generator().manual_seed(seed))[0])
        assert torch.equal(runs[0], runs[1])
        assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize(
    "knob",
    [
        {"time_stretch": 0.2},
        {"time_shift": 2},
        {"time_mask": 3},
        {"coefficient_mask": 2},
        {"noise": 0.1},
    ],
)
def test_features_may_be_on_another_device_than_the_draws(knob):
    """A stand-in for a GPU: the meta device refuses most operations that a GPU would."""
    recipe = dataclasses.replace(PLAIN, **knob)
    x = torch.empty(4, 12, 5, device="meta")
    changed, n_frames = varied(x, torch.full((4,), 12), recipe, torch.Generator())
    assert changed.device == x.device
    assert changed.shape == x.shape
    assert n_frames.device.type == "cpu"
