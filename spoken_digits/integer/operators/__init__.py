"""Operators of integer networks, one module each: what it computes in floating point and in
integers, the bound that keeps C within int32, its bytes, and how it is stored.

How to add one: docs/integer_operators.md.
"""

from __future__ import annotations

from spoken_digits.integer.operators import (
    centring,
    convolution,
    depthwise,
    linear,
    lstm,
    mean,
    pooling,
    residual,
    shift,
)
from spoken_digits.integer.operators.base import IntegerOperator

OPERATORS: dict[str, type[IntegerOperator]] = {
    operator.kind: operator
    for operator in (
        centring.Centring,
        convolution.Convolution,
        depthwise.Depthwise,
        residual.Sum,
        pooling.Pooling,
        shift.Shift,
        lstm.Lstm,
        mean.Mean,
        linear.Linear,
    )
}
"""By the name that a model file uses."""
