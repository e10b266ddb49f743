"""Quantization-aware training of LSTMs: the integer graph's forward pass under float gradients.

The forward pass rounds weights, biases, pre-activations, cell and hidden states exactly as the
integer operators do (in float64 its logits are equal to theirs); the backward pass treats every
rounding as the identity (straight-through estimator, Bengio, Leonard & Courville 2013). The float
parent teaches: besides the labels, the loss follows the parent's own logits (Hinton, Vinyals &
Dean 2015), so that the integer network makes the parent's decisions and not just good ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spoken_digits.bounds import Bounds
from spoken_digits.data.batches import shuffled_batches
from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS
from spoken_digits.integer.float_graph import FloatGraph, quantise, rounded
from spoken_digits.integer.graph import IntegerGraph, Node, predict
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.operators.base import FloatOperator
from spoken_digits.integer.operators.linear import FloatLinear, Linear
from spoken_digits.integer.operators.lstm import FloatLstm, Lstm, cell_step
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.shift import Shift

_ONE = 1 << ACTIVATION_BITS


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


class _Rounded(torch.autograd.Function):
    """`value` forward, the gradient of `smooth` backward."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, value: Tensor) -> Tensor:
        return value

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        return grad[0], None


class _CellStep(torch.autograd.Function):
    """Integer gates forward, the derivative of the LSTM cell at the integer values backward."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, cell: Tensor, cell_bits: int) -> tuple[Tensor, Tensor]:
        """(n_clips, 4 h) pre-activations and (n_clips, h) cell -> next cell and hidden state."""
        q = torch.floor(z * _ONE + 0.5).clamp(-(2**15), 2**15 - 1).to(torch.int32).numpy()
        old = torch.round(cell * 2**cell_bits).to(torch.int32).numpy()
        new, hidden, gates = cell_step(q, old, cell_bits)
        real = [torch.from_numpy(gate).to(z.dtype) / 2**GATE_BITS for gate in gates]
        ctx.save_for_backward(cell, *real)
        return (
            torch.from_numpy(new).to(z.dtype) / 2**cell_bits,
            torch.from_numpy(hidden).to(z.dtype) / _ONE,
        )

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, Tensor, None]:
        cell, i, f, g, o, squashed = ctx.saved_tensors
        d_cell, d_hidden = grad
        d_cell = d_cell + d_hidden * o * (1 - squashed * squashed)
        d_z = torch.cat(
            [
                d_cell * g * i * (1 - i),
                d_cell * cell * f * (1 - f),
                d_cell * i * (1 - g * g),
                d_hidden * squashed * o * (1 - o),
            ],
            dim=1,
        )
        return d_z, d_cell * f, None


class FakeQuantLSTM(nn.Module):
    """A float LSTM whose forward pass is that of its integer twin.

    Parameters
    ----------
    parent
        Calibrated, see :func:`spoken_digits.integer.lstm.from_state`: start of the weights; all
        else stays as it is there.
    code
        How weights are stored.
    dtype
        float32 for training; float64 to reproduce the integer logits exactly.
    """

    def __init__(
        self, parent: FloatGraph, code: Scheme, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        layers = [one for node in parent.nodes if _has_weights(one := node.operator)]

        def tensors(arrays: list[NDArray[np.float64]]) -> nn.ParameterList:
            return nn.ParameterList(
                [nn.Parameter(torch.tensor(one, dtype=dtype)) for one in arrays]
            )

        self.code, self._start = code, parent
        self.weights = tensors([layer.weight for layer in layers])
        self.biases = tensors([layer.bias for layer in layers])

    def parent(self) -> FloatGraph:
        """The float network as trained so far."""
        trained = zip(self.weights, self.biases, strict=True)
        nodes: list[Node[FloatOperator]] = []
        for node in self._start.nodes:
            operator = node.operator
            if _has_weights(operator):
                weight, bias = (one.detach().numpy().astype(np.float64) for one in next(trained))
                operator = replace(operator, weight=weight, bias=bias)
            nodes.append(Node(operator, node.inputs))
        return replace(self._start, nodes=tuple(nodes))

    def integers(self) -> IntegerGraph:
        """The integer network as trained so far."""
        return _integers(self.parent(), self.code)

    def forward(self, features: Tensor, n_frames: Tensor) -> Tensor:
        """Logits of int8 features.

        Parameters
        ----------
        features
            (n_clips, max_frames, n_inputs) int8
        n_frames
            (n_clips,) int64

        Returns
        -------
        Tensor, shape (n_clips, n_classes)
            Real values: integer logits times their step.
        """
        parent = self.parent()
        trained = zip(self.weights, self.biases, strict=True)
        x = features.to(self.weights[0].dtype)  # (n_clips, max_frames, n_in)
        for node, made in zip(parent.nodes, _integers(parent, self.code).nodes, strict=True):
            operator = made.operator
            if isinstance(operator, Shift):
                x = x * torch.tensor(2.0 ** (operator.shift - ACTIVATION_BITS), dtype=x.dtype)
            elif isinstance(operator, Lstm) and isinstance(node.operator, FloatLstm):
                x = _lstm(operator, node.operator.input_mean, x, *next(trained))
            elif isinstance(operator, Mean):
                x = _mean(x, n_frames)
            elif isinstance(operator, Linear):
                x = functional.linear(x, *_fixed_rows(operator.rows, *next(trained)))
            else:
                raise TypeError(f"no {operator.kind} can be trained on")
        return x


def _has_weights(operator: FloatOperator) -> TypeGuard[FloatLstm | FloatLinear]:
    return isinstance(operator, FloatLstm | FloatLinear)


def _integers(parent: FloatGraph, code: Scheme) -> IntegerGraph:
    """Rounded: no scale of an LSTM's operators depends on clips."""
    nothing = np.zeros(0)
    return rounded(parent, [node.operator.scale(nothing) for node in parent.nodes], code=code)


def _lstm(
    operator: Lstm, input_mean: NDArray[np.float64], x: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """(n_clips, n_steps, n_in) -> (n_clips, n_steps, h)"""
    n_in, n_units = operator.n_in, operator.n_units
    weight, bias = _fixed_rows(operator.rows, weight, bias, input_mean)  # (4 h, n_in + h), (4 h,)
    fed = functional.linear(x, weight[:, :n_in], bias)  # (n_clips, n_steps, 4 h)
    cell = hidden = fed.new_zeros(len(fed), n_units)
    above = []
    for t in range(fed.shape[1]):
        z = torch.addmm(fed[:, t], hidden, weight[:, n_in:].T)
        cell, hidden = _CellStep.apply(z, cell, operator.cell_bits)
        above.append(hidden)
    return torch.stack(above, dim=1)


def _mean(x: Tensor, n_frames: Tensor) -> Tensor:
    """(n_clips, n_steps, h) -> (n_clips, h)"""
    valid = torch.arange(x.shape[1]) < n_frames[:, None]  # (n_clips, n_steps)
    pooled = (x * valid[..., None]).sum(dim=1) / n_frames.clamp(min=1)[:, None]
    mean: Tensor = _Rounded.apply(pooled, torch.floor(pooled * _ONE + 0.5) / _ONE)
    return mean


def _fixed_rows(
    rows: Rows, weight: Tensor, bias: Tensor, mean: NDArray[np.float64] | None = None
) -> tuple[Tensor, Tensor]:
    """The real values of `rows`, with the gradients of the weights and biases they came from.

    The inputs' mean, if there is one, is folded into the integer bias.
    """
    fixed = _fixed(weight, rows.weight / 2.0 ** rows.shift[:, None])
    if mean is not None and mean.any():
        bias = bias - fixed[:, : len(mean)] @ torch.tensor(mean, dtype=fixed.dtype)
    return fixed, _fixed(bias, rows.bias / 2.0 ** (ACTIVATION_BITS + rows.shift))


def _fixed(smooth: Tensor, value: NDArray[np.float64]) -> Tensor:
    fixed: Tensor = _Rounded.apply(smooth, torch.from_numpy(value).to(smooth.dtype))
    return fixed


def accuracy_then_loss(
    network: IntegerGraph,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    labels: NDArray[np.integer],
) -> float:
    """A score for :func:`fine_tune`: accuracy, and among equals the smaller cross-entropy.

    The cross-entropy, in nats and capped at 10, enters with a weight that one clip outweighs.
    """
    q = network.logits(features, n_frames)
    logits, target = torch.tensor(q * network.logit_step), torch.tensor(np.asarray(labels))
    loss = min(float(functional.cross_entropy(logits, target.long())), 10.0)
    return float((predict(q) == np.asarray(labels)).mean()) - loss / (20 * len(q))


def fine_tune(
    parent: FloatGraph,
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
    features, n_frames, labels
        Training clips: (n_clips, max_frames, n_inputs), (n_clips,), (n_clips,).
    score
        Larger is better, from validation clips, such as :func:`accuracy_then_loss`; called once
        an epoch.
    progress
        Told epoch (from 0) and its score.
    """
    rng = np.random.default_rng(seed)
    best = quantise(parent, features, n_frames, code=code)
    if params.epochs == 0:
        return best
    best_score = score(best)
    parent = parent.calibrated(features, n_frames)
    model = FakeQuantLSTM(parent, code)
    x, n = torch.tensor(np.asarray(features)), torch.tensor(np.asarray(n_frames, np.int64))
    y = torch.tensor(np.asarray(labels, np.int64))
    teacher = torch.tensor(parent.logits(features, n_frames), dtype=torch.float32)
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
