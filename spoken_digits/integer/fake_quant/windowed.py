"""Twins of `operators.convolution` and `operators.depthwise`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from spoken_digits.integer.fake_quant.base import Step, bias_of, rounded, weight_of
from spoken_digits.integer.operators.base import ACTIVATION_MAX
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.windowed import Windowed


def convolution(operator: Convolution, step: Step) -> Tensor:
    """All channels in the window, and a ReLU."""
    weight, bias = _rows(operator, step)
    # (n_out, frames, bands, n_in) -> (n_out, n_in, frames, bands)
    weight = weight.reshape(len(bias), *operator.window.kernel, operator.n_in).permute(0, 3, 1, 2)
    return _slide(operator, step, weight, bias, groups=1)


def depthwise(operator: Depthwise, step: Step) -> Tensor:
    """Each channel by itself in the window, and a ReLU."""
    weight, bias = _rows(operator, step)
    weight = weight.reshape(len(bias), 1, *operator.window.kernel)
    return _slide(operator, step, weight, bias, groups=len(bias))


def _rows(operator: Windowed, step: Step) -> tuple[Tensor, Tensor]:
    """Weights and biases in units of the result."""
    weight, bias = step.trained
    return (
        weight_of(operator.rows, weight * (step.output_scale / step.input_scale)),
        bias_of(operator.rows, bias * step.output_scale),
    )


def _slide(operator: Windowed, step: Step, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
    window = operator.window
    accumulator = functional.conv2d(
        step.inputs[0].permute(0, 3, 1, 2),  # (n_clips, channels, frames, bands)
        weight,
        bias,
        stride=window.stride,
        padding=window.padding,
        groups=groups,
    )
    return rounded(accumulator).clamp(0, ACTIVATION_MAX).permute(0, 2, 3, 1)
