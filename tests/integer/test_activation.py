"""The table of tanh and the values interpolated from it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spoken_digits.integer import activation


def test_the_table_holds_half_the_tanh_of_half_of_every_sixteenth_up_to_8():
    table = activation.half_tanh_table()
    assert table.dtype == np.int16
    assert table.shape == (129,)
    assert table.tolist() == [
        math.floor(2**15 * math.tanh(k / 16 / 2) / 2 + 0.5) for k in range(129)
    ]
    assert table[-1] == 16373
    np.testing.assert_array_equal(activation.TABLE, table)


def interpolated(t: int) -> int:
    """Between two entries of the table, half up, in Python's own integers."""
    table = activation.half_tanh_table().tolist()
    low, high = table[t // 256], table[t // 256 + 1]
    return low + ((high - low) * (t % 256) + 128) // 256


def test_the_functions_in_python_integers():
    z = np.arange(-(2**15), 2**15, dtype=np.int32)
    half = [interpolated(t) for t in range(2**15)]
    expected = [2**14 - 1 - half[-1 - t] if t < 0 else 2**14 + half[t] for t in z.tolist()]
    sigmoid = activation.sigmoid(z)
    np.testing.assert_array_equal(sigmoid, expected)
    assert (sigmoid.min(), sigmoid.max()) == (10, 32757)
    for bits in (8, 11, 12):
        expected = []
        z = np.unique([*range(-(2**15), 2**15, 23), -1, 0, 2**15 - 1]).astype(np.int32)
        for value in z.tolist():
            doubled = min((value if value >= 0 else -1 - value) * 2 ** (13 - bits), 2**15 - 1)
            expected.append(2 * half[doubled] if value >= 0 else -1 - 2 * half[doubled])
        tanh = activation.tanh(z, bits)
        np.testing.assert_array_equal(tanh, expected)
        assert (tanh.min(), tanh.max()) == (-32747, 32746)
    np.testing.assert_array_equal(activation.tanh(z), activation.tanh(z, 12))


@pytest.mark.parametrize("function", [activation.sigmoid, activation.tanh])
def test_any_shape_and_int32_out(function):
    z = np.array([[[-5, 0], [7, 32767]]], np.int32)
    assert function(z).shape == z.shape
    assert function(z).dtype == np.int32
