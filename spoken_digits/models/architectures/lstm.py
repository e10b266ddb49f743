"""`lstm`: LSTM layers over the frames of a clip, pooled, and a linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoken_digits.bounds import Bounds
from spoken_digits.models import portable_lstm
from spoken_digits.models.base import BaseNetwork, ModelParams
from spoken_digits.models.budget_params import BudgetParams
from spoken_digits.models.cpu import dropout


@dataclass(frozen=True, kw_only=True)
class Params(ModelParams):
    """An LSTM over the frames of a clip."""

    hidden_dim: Annotated[int, Bounds(1, 4096, example=128)] | None
    """Hidden size of every layer; null: the largest that fits `budget`."""
    num_layers: Annotated[int, Bounds(1, 16, example=2)]
    dropout: Annotated[float, Bounds(0, below=1, example=0.2)]
    """Dropout probability at the output of every layer but the last."""
    pooling: Literal["mean", "last"]
    """What the linear layer gets: the mean over valid frames, or the last frame, after padding with
    the mean feature (the reference pads with zeros before it normalises)."""
    budget: BudgetParams | None
    """Memory to fit if hidden_dim is null."""

    def __post_init__(self) -> None:
        if self.hidden_dim is None and self.budget is None:
            raise ValueError("`hidden_dim` is null: give a number, or a `budget` to solve it from")


class Network(BaseNetwork):
    """An LSTM over the frames, pooled, and a linear layer.

    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997.
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, int],
        n_classes: int,
        hidden_dim: int,
        num_layers: int,
        dropout: float,
        pooling: str,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.input_shape = input_shape
        self.lstm = nn.LSTM(
            input_shape[1],
            hidden_dim,
            num_layers,
            batch_first=True,
            dropout=dropout if num_layers > 1 else 0.0,
        )
        self.linear = nn.Linear(hidden_dim, n_classes)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        if self.pooling == "mean":
            x = x[:, : int(n_frames.max())]  # drop frames past the longest clip of the batch
        n_frames = n_frames.to(x.device)
        valid = torch.arange(x.shape[1], device=x.device) < n_frames[:, None]  # (batch, n_frames)
        if self.pooling == "last":
            # Here padding matters: make it the same in training and evaluation.
            x = x * valid.unsqueeze(2)
        layered = self.training and x.device.type == "cpu"
        outputs = self._layer_by_layer(x) if layered else portable_lstm.outputs(self.lstm, x)
        # outputs (batch, n_frames, hidden_dim)
        if self.pooling == "mean":
            total = (outputs * valid.unsqueeze(2)).sum(1)  # (batch, hidden_dim)
            pooled = total / n_frames[:, None]
        else:
            pooled = outputs[:, -1]  # (batch, hidden_dim)
        logits: Tensor = self.linear(pooled)  # (batch, n_classes)
        return logits

    def _layer_by_layer(self, x: Tensor) -> Tensor:
        """``self.lstm(x)[0]``, (batch, n_frames, hidden_dim), without its two slow parts.

        On a CPU, PyTorch's dropout between two layers takes as long as a layer, and bfloat16 with
        an odd number of inputs takes 1.5 times as long.
        """
        lstm, portable = self.lstm, portable_lstm.applies(x)
        odd = 0 if portable else x.shape[2] % 2
        zeros = x.new_zeros(1, len(x), lstm.hidden_size)
        x = functional.pad(x, (0, odd))
        for layer, (weight_ih, *others) in enumerate(lstm.all_weights):
            weights = [functional.pad(weight_ih, (0, odd if layer == 0 else 0)), *others]
            if portable:
                x = portable_lstm.run_layer(x, *weights)
            else:
                x = torch.lstm(x, (zeros, zeros), weights, True, 1, 0.0, True, False, True)[0]
            if layer + 1 < lstm.num_layers:
                x = dropout(x, lstm.dropout)
        return x

    def multiply_accumulates(self) -> int:
        """Multiplications by weights for one clip of full length."""
        hidden, layers = self.lstm.hidden_size, self.lstm.num_layers
        a_frame = 4 * hidden * (self.lstm.input_size + hidden) + (layers - 1) * 8 * hidden**2
        return self.input_shape[0] * a_frame + self.linear.weight.numel()
