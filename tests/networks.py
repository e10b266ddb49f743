"""Random networks and features that several tests share."""

from __future__ import annotations

import numpy as np

from spoken_digits.integer.float_graph import FloatGraph
from spoken_digits.integer.graph import FEATURES, MAX_FRAMES, IntegerGraph, Node
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.lstm import from_state
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import Lstm
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.shift import Shift

N_INPUTS, N_FRAMES = 13, 36


def random_state(rng, *, h: int, n_layers: int, n_classes: int, scale: float = 1.0):
    """Weights under PyTorch's names."""
    state = {"output.weight": rng.normal(0, 1, (n_classes, h))}
    state["output.bias"] = rng.normal(0, 1, n_classes)
    for layer in range(n_layers):
        n_in = N_INPUTS if layer == 0 else h
        for name, shape in {
            "weight_ih": (4 * h, n_in),
            "weight_hh": (4 * h, h),
            "bias_ih": 4 * h,
            "bias_hh": 4 * h,
        }.items():
            state[f"lstm.{name}_l{layer}"] = scale * rng.normal(0, h**-0.5, shape)
    return state


def random_parent(seed: int, **shape) -> FloatGraph:
    rng = np.random.default_rng(seed)
    mean, std = rng.uniform(-60, 60, N_INPUTS), rng.uniform(5, 40, N_INPUTS)
    return from_state(random_state(rng, **shape), mean=mean, std=std)


def random_features(seed: int, n_clips: int = 40):
    """Clips of noise of every loudness, and the corners: extremes, one frame, all frames."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0, 128, (n_clips, 1, N_INPUTS))
    features = np.clip(rng.normal(0, spread, (n_clips, N_FRAMES, N_INPUTS)), -128, 127)
    features[0], features[1], features[2] = -128, 127, 0
    features[3] = rng.choice([-128, 127], features[3].shape)
    n_frames = rng.integers(1, N_FRAMES + 1, n_clips)
    n_frames[:6] = [N_FRAMES, N_FRAMES, N_FRAMES, N_FRAMES, 1, 0][:n_clips]
    return features.astype(np.int8), n_frames


def lstm_graph(shift: np.ndarray, *operators) -> IntegerGraph:
    """Features shifted, then a chain of operators up to the logits, for clips of any length."""
    chain = [Shift(shift=np.asarray(shift)), *operators]
    step = 2.0 ** -(12 + chain[-1].shift) if isinstance(chain[-1], Linear) else 1.0
    return IntegerGraph(
        nodes=tuple(
            Node(operator, (i - 1 if i else FEATURES,)) for i, operator in enumerate(chain)
        ),
        n_inputs=len(chain[0].shift),
        n_frames=MAX_FRAMES,
        any_length=True,
        logit_step=step,
    )


def extreme_network(scheme: Scheme, sign: int, n_units: int = 5) -> IntegerGraph:
    """Every weight at its limit, accumulators near the edge of int32."""
    largest = 127 if scheme == "int8" else 64

    def layer(n_in: int, cell_bits: int) -> Lstm:
        rows = Rows(
            weight=np.full((4 * n_units, n_in + n_units), sign * largest, np.int8),
            bias=np.full(4 * n_units, sign * 1_900_000_000, np.int32),
            shift=np.arange(4 * n_units) % 25,
            code=scheme,
        )
        return Lstm(rows=rows, cell_bits=cell_bits)

    output = Rows(
        weight=np.full((3, n_units), -sign * largest, np.int8),
        bias=np.array([7, 7, -(2**30)], np.int32),
        shift=np.full(3, 3),
        code=scheme,
    )
    return lstm_graph(
        np.full(N_INPUTS, 8), layer(N_INPUTS, 8), layer(n_units, 12), Mean(), Linear(rows=output)
    )


def random_clips(seed: int, n_clips: int = 3):
    """Utterances of noise bursts, int16: quiet, loud, and shorter than one window."""
    rng = np.random.default_rng(seed)
    lengths = [100, *rng.integers(500, 2500, n_clips - 1)]
    return [
        (f"clip_{i}", np.clip(rng.normal(0, 100 * 10**i, n), -(2**15), 2**15 - 1).astype(np.int16))
        for i, n in enumerate(lengths)
    ]
