"""Guarantees that C relies on: ranges, operands, bounds of accumulators, sizes in bytes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spoken_digits.integer import limits
from spoken_digits.integer.limits import (
    accumulator_bound,
    check_weights,
    lstm_bytes,
    stored_bytes,
)
from spoken_digits.integer.operators.lstm import MAX_CELL_BITS, MIN_CELL_BITS
from spoken_digits.integer.operators.mean import MAX_VALUE
from spoken_digits.integer.operators.shift import MAX_SHIFT


def test_the_ranges_are_those_of_the_headers(firmware):
    """sd_operators.h states them for whoever writes C."""
    header = (firmware / "sd_operators.h").read_text()
    assert f"shift; /* 0..{MAX_SHIFT} */" in header
    assert f"4 n_units, 0..{limits.MAX_ROW_SHIFT}:" in header
    assert f"of the cells, {MIN_CELL_BITS}..{MAX_CELL_BITS} */" in header
    assert f"between -{MAX_VALUE + 1} and {MAX_VALUE + 1} over the" in header


def c_partial_sums(bias: int, weight, operand) -> list[int]:
    """Every value the accumulator of C passes through, weights in their order."""
    total = bias - 128 * sum(operand)
    sums = [total]
    for w, v in zip(weight, operand, strict=True):
        total += (w + 128) * v
        sums.append(total)
    return sums


def test_the_bound_holds_and_is_nearly_met():
    """All weights, operands and signs at their corners, in Python's own integers."""
    reach = np.array([128, 4092, 4092])
    for bias, shift in ((1000, 0), (-1000, 1), (0, 5), (-(2**30), 24)):
        (bound,) = accumulator_bound(
            np.array([bias], np.int32), np.array([shift], np.int64), reach
        ).tolist()
        assert bound == abs(bias) + 383 * 8312 + 2**shift // 2
        for signs in itertools.product((-1, 1), repeat=3):
            operand = [int(s * r) for s, r in zip(signs, reach, strict=True)]
            for weight in itertools.product((-128, 0, 127), repeat=3):
                sums = c_partial_sums(bias, weight, operand)
                half_a_step = 1 << shift >> 1
                assert max(map(abs, [*sums, sums[-1] + half_a_step])) <= bound


def test_each_row_has_its_own_bound():
    bound = accumulator_bound(
        np.array([0, 5, -7], np.int32), np.array([0, 1, 4], np.int64), np.array([1])
    )
    np.testing.assert_array_equal(bound, [383, 383 + 5 + 1, 383 + 7 + 8])
    assert bound.dtype == np.int64


def test_the_smallest_int32_has_a_bound_too():
    """Its magnitude does not fit int32."""
    bound = accumulator_bound(
        np.array([-(2**31)], np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64)
    )
    np.testing.assert_array_equal(bound, [2**31])


@pytest.mark.parametrize(("scheme", "held", "too_large"), [("int8", 127, -128), ("pow2", 64, -128)])
def test_weights_up_to_the_limit_of_the_scheme(scheme, held, too_large):
    for sign in (-1, 1):
        check_weights(np.full((2, 2), sign * held, np.int8), scheme, "here")
    with pytest.raises(ValueError, match="here: a weight is out of range"):
        check_weights(np.array([[0, 0], [0, too_large]], np.int8), scheme, "here")
    with pytest.raises(ValueError, match="here: a weight is out of range"):
        check_weights(np.array([[0, 128], [0, 0]], np.int16), scheme, "here")
    check_weights(np.zeros((0, 3), np.int8), scheme, "here")


def test_only_powers_of_two_pass_as_such():
    for value in range(-64, 65):
        weight = np.array([[0, 1], [value, -2]], np.int8)
        check_weights(weight, "int8", "here")
        if abs(value) in (0, 1, 2, 4, 8, 16, 32, 64):
            check_weights(weight, "pow2", "here")
        else:
            with pytest.raises(ValueError, match="here: a weight is no power of two"):
                check_weights(weight, "pow2", "here")


def test_two_weights_share_a_byte_and_rows_start_on_a_whole_one():
    assert [stored_bytes((3, columns), "pow2") for columns in (0, 1, 2, 3)] == [0, 3, 3, 6]
    assert stored_bytes((3, 5), "int8") == 15


def test_the_bytes_of_a_network_are_those_of_its_arrays():
    """Layers of different widths, counted by hand."""
    weights = 4 * 3 * (2 + 3) + 4 * 5 * (3 + 5) + 7 * 5
    biases = 4 * (4 * 3 + 4 * 5 + 7)
    shifts = 4 * 3 + 4 * 5 + 2  # of rows and inputs
    expected = weights + biases + shifts + 2 + 1 + 2 * 129  # cells, output matrix, table
    assert lstm_bytes((3, 5), "int8", n_inputs=2, n_classes=7) == expected
    half = 4 * 3 * 3 + 4 * 5 * 4 + 7 * 3
    assert lstm_bytes((3, 5), "pow2", n_inputs=2, n_classes=7) == expected - weights + half
