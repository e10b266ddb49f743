"""The order of the training clips, and the content of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from spoken_digits.data.batches import shuffled_batches

LENGTHS = np.random.default_rng(0).integers(4, 37, 200)


def batches_of(seed: int, bucket_batches: int, lengths=LENGTHS) -> list[np.ndarray]:
    return shuffled_batches(lengths, 16, bucket_batches, np.random.default_rng(seed))


def rank_correlation(a, b) -> float:
    return float(np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1])


@pytest.mark.parametrize("bucket_batches", [1, 4])
def test_the_order_is_random_and_follows_from_the_seed(bucket_batches):
    first, again, other = (
        np.concatenate(batches_of(seed, bucket_batches)).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    # Uncorrelated with the order of the corpus: for 200 clips the deviation is 0.07.
    for order in (first, other):
        assert abs(rank_correlation(order, range(200))) < 0.3


@pytest.mark.parametrize("bucket_batches", [1, 4])
def test_all_batches_but_one_are_full(bucket_batches):
    sizes = sorted(len(positions) for positions in batches_of(1, bucket_batches))
    assert sizes == [8, *[16] * 12]


def test_a_bucket_is_sorted_by_length_and_its_batches_shuffled():
    """One bucket for all: each batch has its own range of lengths, in no order."""
    n_ascending = 0
    for seed in range(20):
        batches = batches_of(seed, 13)
        means = [LENGTHS[positions].mean() for positions in batches]
        by_length = sorted(batches, key=lambda positions: LENGTHS[positions].mean())
        lengths = LENGTHS[np.concatenate(by_length)]
        assert (np.diff(lengths) >= 0).all()
        n_ascending += means == sorted(means)
    assert n_ascending == 0


def test_buckets_hold_other_clips_in_every_epoch():
    rng = np.random.default_rng(3)
    epochs = [shuffled_batches(LENGTHS, 16, 2, rng) for _ in range(2)]
    sets = [{frozenset(positions.tolist()) for positions in batches} for batches in epochs]
    assert not sets[0] & sets[1]


def test_clips_of_one_length_are_drawn_at_random_too():
    same = np.full(200, 20)
    order = np.concatenate(batches_of(1, 4, same)).tolist()
    assert sorted(order) == list(range(200))
    assert abs(rank_correlation(order, range(200))) < 0.3
