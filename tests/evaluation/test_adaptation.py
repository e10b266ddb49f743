"""Adaptation to the talker: a running mean, causal, without labels."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np

from spoken_digits.data.dataset import Subset
from spoken_digits.evaluation.adaptation import PRIOR_CLIPS, adapted, expects_own_mean

PRIOR = np.array([1.0, -2.0, 0.5])
N, N_FRAMES = 40, 6
TALKERS = ["ann", "bo"] * (N // 2)


def clips(offset: dict[str, float], *, seed: int = 0) -> Subset:
    """Clips of two talkers around the prior, each off by a constant, silent in the last frames."""
    x = PRIOR + np.random.default_rng(seed).normal(0, 0.1, (N, N_FRAMES, 3))
    x += np.array([offset[talker] for talker in TALKERS])[:, None, None]
    x[:, 4:] = -25.0
    n_frames = np.full(N, N_FRAMES, np.int32)
    return Subset(x=x.astype(np.float32), n_frames=n_frames, y=np.arange(N) % 3, rows=np.arange(N))


def shift(subset: Subset, seed: int = 0) -> np.ndarray:
    """What was subtracted from each clip, (n, n_coefficients)."""
    after = adapted(subset, [TALKERS[row] for row in subset.rows], PRIOR, seed)
    difference = subset.x[subset.rows] - after.x
    np.testing.assert_allclose(difference, difference[:, :1].repeat(N_FRAMES, 1), atol=1e-5)
    return difference[:, 0]


def test_the_mean_of_each_talker_is_approached_clip_by_clip():
    off = {"ann": 3.0, "bo": -1.0}
    subtracted = shift(clips(off))
    for talker, offset in off.items():
        own = subtracted[[name == talker for name in TALKERS]]
        heard = np.arange(1, N // 2 + 1)
        expected = np.sort(np.abs(offset) * heard / (PRIOR_CLIPS + heard))
        for coefficient in range(3):
            found = np.sort(own[:, coefficient] * np.sign(offset))
            np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_first_clip_counts_in_its_own_mean_and_no_later_one_does():
    subset = clips({"ann": 3.0, "bo": 3.0})
    first = int(np.argmin(shift(subset).sum(axis=1)))
    talker = TALKERS[first]
    others = subset.x.copy()
    for row, name in enumerate(TALKERS):
        if name == talker and row != first:
            others[row] += 100.0
    changed = shift(dataclasses.replace(subset, x=others))
    np.testing.assert_allclose(changed[first], shift(subset)[first], atol=1e-5)
    own_mean = subset.x[first, :4].mean(axis=0)
    np.testing.assert_allclose(changed[first], (own_mean - PRIOR) / (PRIOR_CLIPS + 1), atol=1e-4)


def test_a_talker_does_not_change_another():
    one, two = (shift(clips({"ann": 3.0, "bo": bo})) for bo in (0.0, 50.0))
    of_ann = [name == "ann" for name in TALKERS]
    np.testing.assert_allclose(one[of_ann], two[of_ann], atol=1e-5)


def test_the_order_is_drawn_from_the_seed():
    subset = clips({"ann": 3.0, "bo": -1.0})
    np.testing.assert_array_equal(shift(subset, 1), shift(subset, 1))
    assert (shift(subset, 1) != shift(subset, 2)).any()


def test_clips_stay_in_their_order_and_the_stored_features_as_they_are():
    subset = dataclasses.replace(clips({"ann": 3.0, "bo": -1.0}), rows=np.array([7, 2, 30]))
    before = subset.x.copy()
    after = adapted(subset, [TALKERS[row] for row in subset.rows], PRIOR, 0)
    assert after.y[after.rows].tolist() == [7 % 3, 2 % 3, 30 % 3]
    assert len(after) == 3
    np.testing.assert_array_equal(subset.x, before)


def test_silence_says_nothing_of_a_talker():
    subset = clips({"ann": 3.0, "bo": 3.0})
    silent = np.full_like(subset.x, -25.0)
    np.testing.assert_array_equal(shift(dataclasses.replace(subset, x=silent)), 0)
    short = dataclasses.replace(subset, n_frames=np.full(N, 2, np.int32))
    later = subset.x.copy()
    later[:, 2:4] = 50 * np.random.default_rng(1).random((N, 2, 3))
    found = shift(dataclasses.replace(short, x=later))
    np.testing.assert_allclose(found, shift(short), atol=1e-5)


def test_only_networks_trained_without_the_talkers_mean_expect_it():
    for sound, expected in (
        (None, False),
        (SimpleNamespace(remove_talker=False), False),
        (SimpleNamespace(remove_talker=True), True),
    ):
        assert expects_own_mean(SimpleNamespace(sound=sound)) is expected
