"""Fake-quantised twins of the operators in PyTorch: the forward pass of the integers under float
gradients, one module for each operator.

They stand apart from the operators because those run where there is no PyTorch.
"""

from __future__ import annotations

from spoken_digits.integer.fake_quant import (
    centring,
    linear,
    lstm,
    mean,
    pooling,
    residual,
    shift,
    windowed,
)
from spoken_digits.integer.fake_quant.base import Twin
from spoken_digits.integer.operators.base import IntegerOperator
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import Lstm
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.pooling import Pooling
from spoken_digits.integer.operators.residual import Sum
from spoken_digits.integer.operators.shift import Shift

TWINS: dict[type[IntegerOperator], Twin] = {
    Centring: centring.twin,
    Convolution: windowed.convolution,
    Depthwise: windowed.depthwise,
    Sum: residual.twin,
    Pooling: pooling.twin,
    Shift: shift.twin,
    Lstm: lstm.twin,
    Mean: mean.twin,
    Linear: linear.twin,
}
"""By the operator that each is the twin of."""
