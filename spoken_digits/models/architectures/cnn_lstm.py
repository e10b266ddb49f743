"""`cnn_lstm`: one convolution, its maps cut along time into the steps of an LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoken_digits.bounds import Bounds
from spoken_digits.errors import UserError
from spoken_digits.models.base import BaseNetwork, ModelParams


@dataclass(frozen=True, kw_only=True)
class Params(ModelParams):
    """One convolution, cut along time into steps of an LSTM."""

    conv_channels: Annotated[int, Bounds(1, 256, example=20)]
    kernel_size: Annotated[int, Bounds(1, 31, example=5)]
    n_steps: Annotated[int, Bounds(1, 1000, example=4)]
    """Number of equal time steps the pooled frames are divided into."""
    hidden_dim: Annotated[int, Bounds(1, 2048, example=128)]
    input_init: Literal["fan_in", "pytorch"]
    """Range of the LSTM's initial input weights: +-1/sqrt(inputs), or PyTorch's
    +-1/sqrt(hidden_dim), which saturates the gates if a step has 40,960 inputs."""


class Network(BaseNetwork):
    """One convolution, its maps cut along time into the steps of an LSTM, and a linear layer."""

    def __init__(
        self,
        *,
        input_shape: tuple[int, int],
        n_classes: int,
        conv_channels: int,
        kernel_size: int,
        n_steps: int,
        hidden_dim: int,
        input_init: str,
    ) -> None:
        super().__init__()
        self.n_steps = n_steps
        self.convolution = nn.Conv2d(1, conv_channels, kernel_size, padding=1)
        height, width = (size + 3 - kernel_size for size in (input_shape[1], input_shape[0]))
        self._conv_macs = conv_channels * kernel_size**2 * height * width
        self.pool = nn.MaxPool2d(2)
        height, width = height // 2, width // 2
        if width % n_steps:
            raise UserError(f"{width} pooled frames cannot be cut into {n_steps} equal steps")
        self.lstm = nn.LSTM(conv_channels * height * width // n_steps, hidden_dim, batch_first=True)
        if input_init == "fan_in":
            bound = self.lstm.input_size**-0.5
            nn.init.uniform_(self.lstm.get_parameter("weight_ih_l0"), -bound, bound)
        self.linear = nn.Linear(hidden_dim, n_classes)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        picture = x.transpose(1, 2).unsqueeze(1)  # (batch, 1, n_bins, n_frames)
        maps = torch.relu(self.pool(self.convolution(picture)))  # as ReLU first, but cheaper
        # (batch, channels, n_bins / 2, n_frames / 2) -> (batch, n_steps, inputs a step)
        steps = torch.stack(maps.chunk(self.n_steps, dim=3), dim=1).flatten(2)
        last = self._last_state(steps) if self.training else self.lstm(steps)[0][:, -1]
        logits: Tensor = self.linear(last)  # (batch, n_classes)
        return logits

    def _last_state(self, steps: Tensor) -> Tensor:
        """``self.lstm(steps)[0][:, -1]``, (batch, hidden_dim), step by step.

        With 40,960 inputs and four steps nearly all work is one matrix product; written so, its
        gradient is one too, and half the time of PyTorch's own LSTM.
        """
        lstm = self.lstm
        weight_ih, weight_hh, bias_ih, bias_hh = lstm.parameters()
        inputs = functional.linear(steps, weight_ih, bias_ih + bias_hh)
        hidden = cell = inputs.new_zeros(len(steps), lstm.hidden_size)
        for step in inputs.unbind(1):  # (batch, 4 * hidden_dim)
            i, f, g, o = (step + functional.linear(hidden, weight_hh)).chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
        return hidden

    def multiply_accumulates(self) -> int:
        """Multiplications with weights for one clip."""
        a_step = 4 * self.lstm.hidden_size * (self.lstm.input_size + self.lstm.hidden_size)
        return self._conv_macs + self.n_steps * a_step + self.linear.weight.numel()
