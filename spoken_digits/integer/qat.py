"""Quantization-aware training: the integer network's forward pass under float gradients.

The forward pass rounds weights, biases, pre-activations, cell and hidden states exactly as
:mod:`spoken_digits.integer.network` does (in float64 its logits are equal to the integer ones);
the backward pass treats every rounding as the identity (straight-through estimator, Bengio,
Leonard & Courville 2013). The float parent teaches: besides the labels, the loss follows the
parent's own logits (Hinton, Vinyals & Dean 2015), so that the integer network makes the
parent's decisions and not just good ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spoken_digits.bounds import Bounds
from spoken_digits.data.batches import shuffled_batches
from spoken_digits.integer.activation import ACTIVATION_BITS, GATE_BITS
from spoken_digits.integer.convert import FloatLayer, FloatLSTM, run_float
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.network import IntegerLSTM, cell_step, predict
from spoken_digits.integer.quantize import calibrate, quantize_layer, quantize_output, to_integers

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
        Start of the weights; shifts and means of the features stay as they are there.
    scheme, cell_bits
        As for :func:`spoken_digits.integer.quantize.to_integers`.
    dtype
        float32 for training; float64 to reproduce the integer logits exactly.
    """

    def __init__(
        self,
        parent: FloatLSTM,
        scheme: Scheme,
        cell_bits: tuple[int, ...],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()

        def tensors(arrays: list[NDArray[np.float64]]) -> nn.ParameterList:
            return nn.ParameterList(
                [nn.Parameter(torch.tensor(one, dtype=dtype)) for one in arrays]
            )

        self.scheme, self.cell_bits, self._frozen = scheme, cell_bits, parent
        self.weights = tensors([layer.weight for layer in parent.layers] + [parent.output_weight])
        self.biases = tensors([layer.bias for layer in parent.layers] + [parent.output_bias])

    def parent(self) -> FloatLSTM:
        """The float network as trained so far."""
        weights = [weight.detach().numpy().astype(np.float64) for weight in self.weights]
        biases = [bias.detach().numpy().astype(np.float64) for bias in self.biases]
        layers = zip(weights[:-1], biases[:-1], strict=True)
        return FloatLSTM(
            layers=tuple(FloatLayer(weight=w, bias=b) for w, b in layers),
            output_weight=weights[-1],
            output_bias=biases[-1],
            input_shift=self._frozen.input_shift,
            input_mean=self._frozen.input_mean,
        )

    def integers(self) -> IntegerLSTM:
        """The integer network as trained so far."""
        return to_integers(self.parent(), self.scheme, self.cell_bits)

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
        parent, dtype = self.parent(), self.weights[0].dtype
        scale = torch.tensor(2.0 ** (parent.input_shift - ACTIVATION_BITS), dtype=dtype)
        below = features.to(dtype) * scale  # (n_clips, max_frames, n_in)
        mean = torch.tensor(parent.input_mean, dtype=dtype)
        for number, bits in enumerate(self.cell_bits):
            below = self._layer(parent, number, bits, below, mean)
        valid = torch.arange(below.shape[1]) < n_frames[:, None]  # (n_clips, max_frames)
        count = n_frames.clamp(min=1)[:, None]
        pooled = (below * valid[..., None]).sum(dim=1) / count  # (n_clips, h)
        pooled = _Rounded.apply(pooled, torch.floor(pooled * _ONE + 0.5) / _ONE)
        weight, bias, shift = quantize_output(parent, self.scheme)
        return functional.linear(
            pooled,
            _fixed(self.weights[-1], weight / 2.0**shift),
            _fixed(self.biases[-1], bias / 2.0 ** (ACTIVATION_BITS + shift)),
        )

    def _layer(
        self, parent: FloatLSTM, number: int, cell_bits: int, below: Tensor, mean: Tensor
    ) -> Tensor:
        """(n_clips, n_steps, n_in) -> (n_clips, n_steps, h)"""
        q, q_bias, shift = quantize_layer(parent, number, self.scheme)
        n_units = parent.layers[number].n_units
        weight = _fixed(self.weights[number], q / 2.0 ** shift[:, None])  # (4 h, n_in + h)
        n_in = weight.shape[1] - n_units
        smooth = self.biases[number]
        if number == 0:  # the features' mean is folded into the integer bias
            smooth = smooth - weight[:, :n_in] @ mean
        bias = _fixed(smooth, q_bias / 2.0 ** (ACTIVATION_BITS + shift))
        fed = functional.linear(below, weight[:, :n_in], bias)  # (n_clips, n_steps, 4 h)
        cell = hidden = fed.new_zeros(len(fed), n_units)
        above = []
        for t in range(fed.shape[1]):
            z = torch.addmm(fed[:, t], hidden, weight[:, n_in:].T)
            cell, hidden = _CellStep.apply(z, cell, cell_bits)
            above.append(hidden)
        return torch.stack(above, dim=1)


def _fixed(smooth: Tensor, value: NDArray[np.float64]) -> Tensor:
    fixed: Tensor = _Rounded.apply(smooth, torch.from_numpy(value).to(smooth.dtype))
    return fixed


def accuracy_then_loss(
    network: IntegerLSTM,
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
    parent: FloatLSTM,
    features: NDArray[np.int8],
    n_frames: NDArray[np.integer],
    labels: NDArray[np.integer],
    *,
    scheme: Scheme,
    params: QatParams,
    seed: int,
    score: Callable[[IntegerLSTM], float],
    progress: Callable[[int, float], None] = lambda epoch, score: None,
) -> IntegerLSTM:
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
    cell_bits = calibrate(parent, features, n_frames)
    best = to_integers(parent, scheme, cell_bits)  # not from the model, whose weights are float32
    if params.epochs == 0:
        return best
    best_score = score(best)
    model = FakeQuantLSTM(parent, scheme, cell_bits)
    x, n = torch.tensor(np.asarray(features)), torch.tensor(np.asarray(n_frames, np.int64))
    y = torch.tensor(np.asarray(labels, np.int64))
    teacher = torch.tensor(run_float(parent, features, n_frames).logits, dtype=torch.float32)
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
