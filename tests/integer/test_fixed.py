from __future__ import annotations

import numpy as np
import pytest

from spoken_digits.integer.fixed import bit_length, round_shift, saturate


def test_round_shift_is_floor_of_the_quotient_plus_a_half():
    x = np.arange(-1000, 1000, dtype=np.int32)
    for shift in range(8):
        expected = np.floor(x / 2**shift + 0.5)
        np.testing.assert_array_equal(round_shift(x, shift), expected)


def test_halves_go_up():
    x = np.array([-3, -1, 1, 3], dtype=np.int32)
    np.testing.assert_array_equal(round_shift(x, 1), [-1, 0, 1, 2])


def test_round_shift_by_zero_is_the_identity_even_at_the_limits():
    x = np.array([-(2**31), 2**31 - 1], dtype=np.int32)
    np.testing.assert_array_equal(round_shift(x, 0), x)


def test_shifts_may_differ_and_the_type_stays():
    x = np.array([[5], [5]], dtype=np.int32)
    y = round_shift(x, np.array([[0], [2]], dtype=np.int32))
    assert y.dtype == np.int32
    np.testing.assert_array_equal(y, [[5], [1]])


@pytest.mark.parametrize("bits", [8, 16])
def test_saturate_clamps_to_the_limits(bits):
    limit = 1 << (bits - 1)
    x = np.array([-(2**31), -limit - 1, -limit, 0, limit - 1, limit, 2**31 - 1])
    expected = [-limit, -limit, -limit, 0, limit - 1, limit - 1, limit - 1]
    np.testing.assert_array_equal(saturate(x, bits), expected)


def test_bit_length_agrees_with_python():
    x = np.array([0, 1, 2, 3, 4, 255, 256, 2**31 - 1, 2**31, 2**48 - 1, 2**62])
    np.testing.assert_array_equal(bit_length(x), [int(v).bit_length() for v in x])


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("shift", [0, 1, 7, 30])
def test_one_shift_or_one_for_each_value_in_the_type_of_the_values(dtype, shift):
    x = np.array([0, 1, -1, 2**29 - 1, -(2**30)], dtype)
    expected = [(v + (1 << shift >> 1)) >> shift for v in x.tolist()]
    for given in (shift, np.full(5, shift, np.int64), np.full(5, shift, np.uint8)):
        y = round_shift(x, given)
        assert y.dtype == dtype
        assert y.tolist() == expected


def test_bit_length_of_any_shape_and_type():
    for dtype in (np.int32, np.int64, np.uint16):
        x = np.array([[0, 1], [256, 32767]], dtype)
        y = bit_length(x)
        assert y.dtype == np.int64
        assert y.tolist() == [[0, 1], [9, 15]]
    for k in range(63):
        assert bit_length(np.array([2**k - 1, 2**k])).tolist() == [k, k + 1]
