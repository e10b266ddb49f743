"""`ds_cnn`: depthwise separable convolutions over a log-mel picture, pooled, and a linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from spoken_digits.bounds import Bounds, Length
from spoken_digits.models.base import BaseNetwork, ModelParams

_Stride = Annotated[int, Bounds(1, 8, example=1)]


@dataclass(frozen=True, kw_only=True)
class BlockParams:
    """A depthwise 3 x 3 convolution and a 1 x 1 one."""

    channels: Annotated[int, Bounds(1, 1024, example=64)]
    """Output channels."""
    stride: tuple[_Stride, _Stride]
    """Steps in (bands, frames)."""


@dataclass(frozen=True, kw_only=True)
class Params(ModelParams):
    """Depthwise separable convolutions over bands and frames."""

    stem_channels: Annotated[int, Bounds(1, 1024, example=32)]
    """Output channels of the first convolution, 5 x 5 with stride 2."""
    blocks: Annotated[
        tuple[BlockParams, ...], Length(1, 64, example=[{"channels": 64, "stride": [1, 1]}])
    ]
    """The separable convolutions; one that keeps the shape adds its input to its output."""
    depthwise_relu: bool
    """Whether a ReLU follows the depthwise convolutions too."""
    dropout: Annotated[float, Bounds(0, below=1, example=0.1)]
    """Dropout probability before the linear layer."""


class Network(BaseNetwork):
    """Depthwise separable convolutions, pooled by maximum and mean, and a linear layer.

    Zhang et al., "Hello Edge: keyword spotting on microcontrollers", 2017, with residual sums and
    strides. Every operation runs in integers: batch normalisation folds into the convolutions.
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, int],
        n_classes: int,
        stem_channels: int,
        blocks: tuple[BlockParams | dict[str, object], ...],
        depthwise_relu: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        shapes = [
            block if isinstance(block, BlockParams) else BlockParams(**block)  # type: ignore[arg-type]
            for block in blocks
        ]
        self.stem = _normalised(nn.Conv2d(1, stem_channels, 5, 2, padding=2, bias=False), True)
        height, width = (1 + (size - 1) // 2 for size in (input_shape[1], input_shape[0]))
        self._macs = 25 * stem_channels * height * width
        self.blocks = nn.Sequential()
        channels = stem_channels
        for shape in shapes:
            block = _Block(channels, shape.channels, tuple(shape.stride), depthwise_relu)
            height, width = (
                1 + (size - 1) // step
                for size, step in zip((height, width), shape.stride, strict=True)
            )
            self._macs += channels * (9 + shape.channels) * height * width
            channels = shape.channels
            self.blocks.append(block)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(2 * channels, n_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        # A picture of one channel is stored alike in both formats: say which is meant.
        picture = x.transpose(1, 2).unsqueeze(1).contiguous(memory_format=torch.channels_last)
        maps = self.blocks(self.stem(picture))  # (batch, channels, bands, frames)
        pooled = torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)  # (batch, 2 channels)
        logits: Tensor = self.linear(self.dropout(pooled))  # (batch, n_classes)
        return logits

    def multiply_accumulates(self) -> int:
        """Multiplications by weights for one clip."""
        return self._macs + self.linear.weight.numel()


class _Block(nn.Module):
    """Depthwise 3 x 3, then 1 x 1; the input is added where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, ...], relu: bool) -> None:
        super().__init__()
        depthwise = nn.Conv2d(
            inputs, inputs, 3, (stride[0], stride[1]), padding=1, groups=inputs, bias=False
        )
        self.depthwise = _normalised(depthwise, relu)
        self.pointwise = _normalised(nn.Conv2d(inputs, outputs, 1, bias=False), True)
        self.residual = inputs == outputs and stride == (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.pointwise(self.depthwise(x))
        return x + y if self.residual else y


def _normalised(convolution: nn.Conv2d, relu: bool) -> nn.Sequential:
    """The convolution with batch normalisation, and ReLU if asked for."""
    layers: list[nn.Module] = [convolution, nn.BatchNorm2d(convolution.out_channels)]
    return nn.Sequential(*layers, *([nn.ReLU(True)] if relu else []))
