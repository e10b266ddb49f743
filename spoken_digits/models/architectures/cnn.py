"""`cnn`: convolutions and a large perceptron over a whole spectrogram."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn

from spoken_digits.bounds import Bounds, Length
from spoken_digits.errors import UserError
from spoken_digits.models.base import BaseNetwork, ModelParams
from spoken_digits.models.cpu import wide_linear


@dataclass(frozen=True, kw_only=True)
class Params(ModelParams):
    """Convolutions and a large perceptron over a whole spectrogram."""

    conv_channels: Annotated[
        tuple[Annotated[int, Bounds(1, 256, example=20)], ...], Length(1, 8, example=[10, 20])
    ]
    """Output channels of each convolution."""
    kernel_size: Annotated[int, Bounds(1, 31, example=5)]
    """Height and width of every kernel, in bins and frames; padding is 1."""
    linear_dims: Annotated[
        tuple[Annotated[int, Bounds(1, 16_384, example=256)], ...],
        Length(0, 8, example=[1024, 256]),
    ]
    """Output sizes of the hidden linear layers."""
    dropout: Annotated[float, Bounds(0, below=1, example=0.2)]
    """Dropout probability at the output of each hidden linear layer."""


class Network(BaseNetwork):
    """Two convolutions and a perceptron; the spectrogram is treated as an image."""

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
        """Multiplications by weights for one clip."""
        return self._conv_macs + sum(
            layer.weight.numel() for layer in self.linears if isinstance(layer, nn.Linear)
        )
