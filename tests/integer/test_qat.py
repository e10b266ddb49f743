"""Quantization-aware training: progress made, the best kept, labels and parent heard."""

from __future__ import annotations

import numpy as np
import pytest
from networks import random_features, random_parent

from spoken_digits.config import build
from spoken_digits.errors import UserError
from spoken_digits.integer.float_graph import calibrate, quantise
from spoken_digits.integer.graph import IntegerGraph, predict
from spoken_digits.integer.qat import QatParams, accuracy_then_loss, fine_tune

SHAPE = {"h": 8, "n_layers": 2, "n_classes": 5}


def weight_of(network: IntegerGraph, number: int) -> np.ndarray:
    return network.nodes[number].operator.rows.weight


def agreement(network, features, n_frames, decisions) -> float:
    return float((predict(network.logits(features, n_frames)) == decisions).mean())


def test_fine_tuning_brings_power_of_two_weights_closer_to_the_parent():
    parent = random_parent(3, **SHAPE)
    features, n_frames = random_features(3, n_clips=150)
    n_frames = np.maximum(n_frames, 1)
    decisions = parent.logits(features, n_frames).argmax(axis=1)

    def run(epochs: int):
        heard: list[int] = []
        network = fine_tune(
            calibrate(parent, features, n_frames),
            features,
            n_frames,
            decisions,
            code="pow2",
            params=QatParams(
                epochs=epochs, learning_rate=5e-3, batch_size=32, bucket_batches=2, distillation=0.9
            ),
            seed=0,
            score=lambda one: agreement(one, features, n_frames, decisions),
            progress=lambda epoch, score: heard.append(epoch),
        )
        assert heard == list(range(epochs))
        return network

    before, after, again = run(0), run(3), run(3)
    ptq = quantise(parent, features, n_frames, code="pow2")
    np.testing.assert_array_equal(weight_of(before, 1), weight_of(ptq, 1))
    for network in (before, after):
        magnitude = np.abs(weight_of(network, 1).astype(int))
        assert ((magnitude & (magnitude - 1)) == 0).all()
    gain = agreement(after, features, n_frames, decisions) - agreement(
        before, features, n_frames, decisions
    )
    assert gain > 0
    np.testing.assert_array_equal(weight_of(after, 2), weight_of(again, 2))


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([5, 1, 2, 3], 0),  # post-training quantization was best
        ([1, 5, 2, 3], 1),
        ([1, 2, 5, 3], 2),
        ([1, 2, 3, 5], 3),
        ([5, 5, 5, 5], 0),  # equals: the earliest
        ([1, 3, 3, 2], 1),
        ([-3, -2, -1, -2], 2),
    ],
)
def test_the_candidate_of_the_best_score_is_kept(scores, kept):
    parent = random_parent(3, **SHAPE)
    features, n_frames = random_features(3, n_clips=20)
    n_frames = np.maximum(n_frames, 1)
    candidates, told = [], []

    def score(network):
        candidates.append(network)
        return float(scores[len(candidates) - 1])

    network = fine_tune(
        calibrate(parent, features, n_frames),
        features,
        n_frames,
        np.arange(20) % 5,
        code="pow2",
        params=QatParams(
            epochs=3, learning_rate=5e-2, batch_size=8, bucket_batches=1, distillation=0.5
        ),
        seed=0,
        score=score,
        progress=lambda epoch, value: told.append((epoch, value)),
    )
    assert len(candidates) == len(scores)
    assert network is candidates[kept]
    assert told == list(enumerate(scores[1:]))
    ptq = quantise(parent, features, n_frames, code="pow2")
    for name, values in ptq.arrays().items():
        np.testing.assert_array_equal(candidates[0].arrays()[name], values)
    weights = [weight_of(one, 1).tobytes() for one in candidates]
    assert len(set(weights)) == len(weights)  # every epoch trained on


@pytest.mark.parametrize(("distillation", "labels_count"), [(1.0, False), (0.5, True), (0.0, True)])
def test_distillation_is_the_share_of_the_parent(distillation, labels_count):
    parent = random_parent(3, **SHAPE)
    features, n_frames = random_features(3, n_clips=20)
    n_frames = np.maximum(n_frames, 1)

    def tuned(labels) -> list[bytes]:
        scores = iter([0.0, 1.0])
        network = fine_tune(
            calibrate(parent, features, n_frames),
            features,
            n_frames,
            labels,
            code="int8",
            params=QatParams(
                epochs=1,
                learning_rate=5e-2,
                batch_size=8,
                bucket_batches=1,
                distillation=distillation,
            ),
            seed=0,
            score=lambda _: next(scores),
        )
        return [value.tobytes() for value in network.arrays().values()]

    some, others = np.arange(20) % 5, (np.arange(20) + 1) % 5
    assert (tuned(some) != tuned(others)) == labels_count


def test_score_is_accuracy_first():
    features, n_frames = random_features(4)
    network = quantise(random_parent(4, **SHAPE), features, n_frames)
    right = predict(network.logits(features, n_frames))
    wrong = (right + 1) % 5
    scores = []
    for n_wrong in (0, 1, 2):
        labels = np.where(np.arange(len(right)) < n_wrong, wrong, right)
        scores.append(accuracy_then_loss(network, features, n_frames, labels))
        accuracy = 1 - n_wrong / len(right)
        assert accuracy - 0.5 / len(right) <= scores[-1] <= accuracy
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": -1},
        {"learning_rate": 0.0},
        {"batch_size": 0},
        {"bucket_batches": 0},
        {"distillation": 1.5},
    ],
)
def test_refuses_senseless_parameters(wrong):
    good = {
        "epochs": 1,
        "learning_rate": 1e-3,
        "batch_size": 8,
        "bucket_batches": 1,
        "distillation": 0.5,
    }
    with pytest.raises(UserError, match=f"`quantize.int8.{next(iter(wrong))}` is"):
        build(QatParams, {**good, **wrong}, "quantize.int8")
