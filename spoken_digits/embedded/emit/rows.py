"""Weights in the order of ``firmware/sd_rows.h``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.limits import WEIGHT_OFFSET

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
