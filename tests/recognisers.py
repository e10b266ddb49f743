"""Whole recognisers for tests: small networks with their front-ends."""

from __future__ import annotations

import numpy as np
from frontend_spec import committed_log_mel_spec, committed_spec
from graphs import small_graph
from networks import random_features, random_parent

from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

KINDS = ("int8", "pow2", "graph")
"""The two schemes of an LSTM, and a graph."""


def make(kind: str) -> tuple[IntegerGraph, Spec]:
    """A network and its front-end, of few frames."""
    if kind == "graph":
        return small_graph(), committed_log_mel_spec(n_mels=16, n_frames=22)
    parent = random_parent(3, h=11, n_layers=2, n_classes=3)
    return quantise(parent, *random_features(3), code=kind), committed_spec(n_frames=25)


def expected(network: IntegerGraph, spec: Spec, clips: list[np.ndarray]) -> np.ndarray:
    """What NumPy makes of the samples: (n_clips, n_classes)."""
    return network.logits(*extraction.extract(clips, spec))


def sounds(seed: int, n_clips: int = 40) -> list[np.ndarray]:
    """Clips of every length and loudness, each with a louder stretch somewhere."""
    rng = np.random.default_rng(seed)
    lengths = [1, 2, 199, 200, 201, 255, 256, 257, 299, 300, *rng.integers(1, 9000, n_clips - 10)]
    clips = []
    for n in lengths:
        envelope = np.exp(-(((np.arange(n) - rng.uniform(0, n)) / 900) ** 2)) + 0.02
        clip = rng.normal(0, 4 ** rng.uniform(2, 7), n) * envelope + rng.integers(-99, 99)
        clips.append(clip.clip(-(2**15), 2**15 - 1).astype(np.int16))
    return clips
