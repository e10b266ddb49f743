"""The networks: features in, logits out.

Every network takes ``x`` (batch, n_frames, n_coefficients), normalised, and ``n_frames``
(batch,), best on the cpu, where reading it keeps no GPU waiting, and returns logits
(batch, n_classes).
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoken_digits.errors import UserError
from spoken_digits.models import portable_lstm
from spoken_digits.models.cpu import dropout, wide_linear


class Lstm(nn.Module):
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
            x = x[:, : int(n_frames.max())]  # frames that no clip of the batch has count nowhere
            n_frames = n_frames.to(x.device)
        layered = self.training and x.device.type == "cpu"
        outputs = self._layer_by_layer(x) if layered else portable_lstm.outputs(self.lstm, x)
        # outputs (batch, n_frames, hidden_dim)
        if self.pooling == "mean":
            steps = torch.arange(outputs.shape[1], device=x.device)
            valid = (steps < n_frames[:, None]).unsqueeze(2)  # (batch, n_frames, 1)
            pooled = (outputs * valid).sum(1) / n_frames[:, None]  # (batch, hidden_dim)
        else:
            pooled = outputs[:, -1]  # (batch, hidden_dim)
        logits: Tensor = self.linear(pooled)  # (batch, n_classes)
        return logits

    def _layer_by_layer(self, x: Tensor) -> Tensor:
        """``self.lstm(x)[0]``, (batch, n_frames, hidden_dim), without its two slow parts.

        On a processor PyTorch draws the dropout between two layers in the time that a layer
        takes, and bfloat16 with an odd number of inputs takes half as long again.
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
        """Multiplications with weights for one clip of full length."""
        hidden, layers = self.lstm.hidden_size, self.lstm.num_layers
        a_frame = 4 * hidden * (self.lstm.input_size + hidden) + (layers - 1) * 8 * hidden**2
        return self.input_shape[0] * a_frame + self.linear.weight.numel()


class Cnn(nn.Module):
    """Two convolutions and a perceptron over the spectrogram as a picture."""

    def __init__(
        self,
        *,
        input_shape: tuple[int, int],
        n_classes: int,
        conv_channels: tuple[int, ...],
        kernel_size: int,
        linear_dims: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        self.convolutions = nn.Sequential()
        channels, height, width, self._conv_macs = 1, input_shape[1], input_shape[0], 0
        for out_channels in conv_channels:
            self.convolutions.append(nn.Conv2d(channels, out_channels, kernel_size, padding=1))
            # Pooling first gives the same maps as ReLU first, with a quarter of the ReLUs.
            self.convolutions.extend([nn.MaxPool2d(2), nn.ReLU()])
            height, width = (size + 3 - kernel_size for size in (height, width))
            self._conv_macs += out_channels * channels * kernel_size**2 * height * width
            channels, height, width = out_channels, height // 2, width // 2
        if min(height, width) < 1:
            raise UserError(
                f"spectrograms of {input_shape} are too small for {len(conv_channels)} "
                f"convolutions of {kernel_size} x {kernel_size} with pooling"
            )
        self.linears = nn.Sequential()
        dims = [channels * height * width, *linear_dims]
        for inputs, outputs in itertools.pairwise(dims):
            self.linears.extend([nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)])
        self.linears.append(nn.Linear(dims[-1], n_classes))

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        picture = x.transpose(1, 2).unsqueeze(1)  # (batch, 1, n_bins, n_frames)
        maps = self.convolutions(picture)  # (batch, channels, n_bins / 4, n_frames / 4)
        hidden = wide_linear(self.linears[0], maps.flatten(1))
        logits: Tensor = self.linears[1:](hidden)  # (batch, n_classes)
        return logits

    def multiply_accumulates(self) -> int:
        """Multiplications with weights for one clip."""
        return self._conv_macs + sum(
            layer.weight.numel() for layer in self.linears if isinstance(layer, nn.Linear)
        )


class CnnLstm(nn.Module):
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


Network = Lstm | Cnn | CnnLstm
_NETWORKS: dict[str, type[Network]] = {"lstm": Lstm, "cnn": Cnn, "cnn_lstm": CnnLstm}


def make_network(
    architecture: dict[str, Any], input_shape: tuple[int, int], n_classes: int
) -> Network:
    """The network that `architecture` describes, freshly initialised.

    Parameters
    ----------
    architecture
        ``name`` and the keyword arguments of the class.
    input_shape
        (n_frames, n_coefficients) of one clip.
    n_classes
        Number of words.
    """
    arguments = {key: value for key, value in architecture.items() if key != "name"}
    network = _NETWORKS[architecture["name"]]
    return network(input_shape=input_shape, n_classes=n_classes, **arguments)


def n_parameters(network: nn.Module) -> int:
    """Trained numbers in the network."""
    return sum(parameter.numel() for parameter in network.parameters())
