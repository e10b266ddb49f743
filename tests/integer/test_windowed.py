"""Integer convolutions are exact, whichever real type computes them."""

from __future__ import annotations

import numpy as np
import pytest

from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.window import Window

POINT = Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0))
NINE = Window(kernel=(3, 3), stride=(1, 1), padding=(0, 0))


def rows(weight: np.ndarray) -> Rows:
    n = len(weight)
    return Rows(
        weight=weight.astype(np.int8), bias=np.zeros(n, np.int32), shift=np.zeros(n, np.int64)
    )


@pytest.mark.parametrize(("n", "value"), [(400, 255), (600, 255), (400, 32767)])
def test_the_lowest_bit_of_a_large_sum_is_right(n, value):
    """600 x 127 x 255 is beyond 2**24, above which float32 holds no odd integer."""
    weight = np.full((1, n), 127)
    weight[0, 0] = -126
    x = np.full((1, 1, 1, n), value)
    x[0, 0, 0, -1] = 2 - value
    sum_ = int((weight[0] * x[0, 0, 0]).sum())
    assert sum_ % 2
    made = Convolution(rows=rows(weight), window=POINT)
    bias = np.array([-sum_ + 7], np.int32)
    near = Rows(weight=made.rows.weight, bias=bias, shift=made.rows.shift)
    assert Convolution(rows=near, window=POINT).run([x]).tolist() == [[[[7]]]]


def test_every_tap_of_a_depthwise_window_has_its_weight():
    weight = np.arange(18).reshape(2, 9)
    for tap in range(9):
        x = np.zeros((1, 3, 3, 2), np.int64)
        x[0, tap // 3, tap % 3] = 1
        found = Depthwise(rows=rows(weight), window=NINE).run([x])
        assert found.tolist() == [[[weight[:, tap].tolist()]]]
