"""Weights in the order of ``firmware/sd_rows.h`` and ``sd_rows_pow2.h``."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.limits import WEIGHT_OFFSET, Scheme

_Integer = TypeVar("_Integer", bound=np.integer[Any])

BLOCK = 4
"""Rows that share each operand."""


def interleaved(blocks: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Blocks of four rows, (n_blocks, 4, n_columns) -> one dimension."""
    stored = (blocks.astype(np.int16) + WEIGHT_OFFSET).astype(np.uint8)
    n_blocks, _, columns = blocks.shape
    even = columns - columns % 2
    # (n_blocks, half of the rows, row, n_pairs, column) -> pairs first, rows within a column
    pairs = stored[..., :even].reshape(n_blocks, 2, 2, -1, 2).transpose(0, 3, 1, 4, 2)
    return np.hstack(
        [pairs.reshape(n_blocks, -1), stored[..., even:].reshape(n_blocks, -1)]
    ).reshape(-1)


def blocks_of_rows(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """(n_rows, n_columns) -> (n_blocks, 4, n_columns); rows of zeros fill up the last block."""
    return filled(weight).astype(np.int8).reshape(-1, BLOCK, weight.shape[1])


def filled(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Zeros after the last row, up to whole blocks."""
    missing = -len(values) % BLOCK
    return np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])


def stored(blocks: NDArray[np.int8], code: Scheme) -> NDArray[np.uint8]:
    """Blocks of four rows, (n_blocks, 4, n_columns) -> bytes, one dimension."""
    if code == "int8":
        return interleaved(blocks)
    return packed_pairs(blocks).transpose(0, 2, 1).reshape(-1)


def packed_pairs(weight: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Codes of power-of-two weights, two columns a byte: (..., n) -> (..., ceil(n / 2))."""
    magnitude = np.abs(weight.astype(np.int64))
    code = np.where(magnitude > 0, np.log2(np.maximum(magnitude, 1)) + 1, 0).astype(np.uint8)
    code += 8 * (weight < 0).astype(np.uint8)
    if weight.shape[-1] % 2:
        code = np.concatenate([code, np.zeros_like(code[..., :1])], axis=-1)
    return (code[..., 0::2] | code[..., 1::2] << 4).astype(np.uint8)


def units_of_gates(values: NDArray[_Integer]) -> NDArray[_Integer]:
    """(4 h, ...) gate by gate -> (h, 4, ...): the gates of unit 0, of unit 1, ..."""
    return values.reshape(BLOCK, -1, *values.shape[1:]).swapaxes(0, 1)
