"""Emit operators as C constants: see ``firmware/sd_operators.h``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit.rows import (
    blocks_of_rows,
    filled,
    packed_pairs,
    stored,
    units_of_gates,
)
from spoken_digits.embedded.emit.text import array
from spoken_digits.integer.operators.base import IntegerOperator, Shape
from spoken_digits.integer.operators.centring import Centring
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.lstm import Lstm
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.pooling import Pooling
from spoken_digits.integer.operators.residual import Sum
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.shift import Shift
from spoken_digits.integer.operators.window import Window

MAX_TAPS = 25
"""Of a depthwise convolution: ``SD_MAX_TAPS``."""

READS: dict[type[IntegerOperator], tuple[type[IntegerOperator] | None, ...]] = {
    Centring: (None,),
    Convolution: (Centring, Convolution, Depthwise, Sum),
    Depthwise: (Convolution, Depthwise, Sum),
    Sum: (Convolution, Depthwise, Sum),
    Pooling: (Convolution, Depthwise, Sum),
    Shift: (None,),
    Lstm: (Shift, Lstm),
    Mean: (Shift, Lstm),
    Linear: (Pooling, Mean),
}
"""What each operator can read in C; None stands for the features."""

POOLS = (Pooling, Mean)
"""Operators that give one frame, once a clip has ended."""

_INT16 = (Centring, Pooling, Shift, Lstm, Mean)
"""Operators whose results are int16; those of others are uint8."""


def value_bytes(operator: IntegerOperator) -> int:
    """Bytes of a value of its result between operators."""
    return 2 if isinstance(operator, _INT16) else 1


def state_bytes(operator: IntegerOperator, read: Shape) -> int:
    """Bytes that it keeps from step to step."""
    if isinstance(operator, Pooling):
        return 5 * read.n_channels
    if isinstance(operator, Mean):
        return 4 * read.n_channels
    return 2 * operator.n_units if isinstance(operator, Lstm) else 0


def scratch_bytes(operator: IntegerOperator) -> int:
    """Bytes that it needs during a step."""
    if isinstance(operator, Convolution):
        n_columns = int(operator.rows.weight.shape[1])
        n_vectors = 1 if operator.code == "pow2" else 2  # of int16
        return n_vectors * 2 * (n_columns + n_columns % 2)
    return 2 * operator.n_units if isinstance(operator, Lstm) else 0


def function(operator: IntegerOperator) -> str:
    """Its C function, which is the name of its file too."""
    return f"sd_{operator.kind}" + ("_pow2" if operator.code == "pow2" else "")


def sources(operator: IntegerOperator) -> set[str]:
    """The C files that it needs."""
    found = {f"{function(operator)}.c"}
    if isinstance(operator, Convolution | Lstm | Linear):
        found.add("sd_rows_pow2.c" if operator.code == "pow2" else "sd_rows.c")
    if operator.tables():
        found.add("sd_activation.c")
    return found


def constants(
    number: int,
    operator: IntegerOperator,
    read: Shape,
    shape: Shape,
    *,
    n_frames: int,
    wide: bool,
) -> str:
    """Arrays and parameters of an operator that reads `n_frames` frames of a clip."""
    arrays: list[str] = []

    def named(ctype: str, what: str, values: NDArray[np.integer]) -> str:
        arrays.append(array(ctype, f"{what}_{number}", values.reshape(-1)))
        return f"{what}_{number}"

    fields: list[object]
    if isinstance(operator, Centring):
        fields = [named("int16_t", "mean", operator.mean), len(operator.mean)]
    elif isinstance(operator, Convolution):
        blocks = blocks_of_rows(operator.rows.weight)
        fields = [
            named("uint8_t", "weights", stored(blocks, operator.rows.code)),
            named("int32_t", "bias", filled(_half_up(operator.rows))),
            _window(operator.window, read, shape),
            *(read.n_channels, shape.n_channels, operator.rows.shift[0], int(wide)),
        ]
    elif isinstance(operator, Depthwise):
        fields = [
            named("int8_t", "weights", _taps(operator.rows)),
            named("int32_t", "bias", _half_up(operator.rows)),
            named("uint8_t", "shift", operator.rows.shift),
            *("zeros", _window(operator.window, read, shape), shape.n_channels),
        ]
    elif isinstance(operator, Sum):
        fields = [shape.size, f"{{{operator.factor[0]}, {operator.factor[1]}}}"]
    elif isinstance(operator, Pooling):
        fields = [read.n_bands, read.n_channels, read.n_bands * n_frames]
    elif isinstance(operator, Shift):
        fields = [named("uint8_t", "shift", operator.shift), len(operator.shift)]
    elif isinstance(operator, Lstm):
        units = units_of_gates(operator.rows.weight)
        fields = [
            named("uint8_t", "weights", stored(units, operator.rows.code)),
            named("int32_t", "bias", units_of_gates(_half_up(operator.rows))),
            named("uint8_t", "shift", units_of_gates(operator.rows.shift)),
            *(operator.n_in, operator.n_units, operator.cell_bits),
        ]
    elif isinstance(operator, Mean):
        fields = [shape.n_channels]
    elif isinstance(operator, Linear):
        blocks = blocks_of_rows(operator.rows.weight)
        fields = [
            named("uint8_t", "weights", stored(blocks, operator.rows.code)),
            named("int32_t", "bias", filled(operator.rows.bias)),
            *(read.size, shape.n_channels),
        ]
    else:
        raise ValueError(f"node {number}: C has no {operator.kind}")
    values = ", ".join(map(str, fields))
    kind = f"sd_{operator.kind}_parameters"
    return "".join(arrays) + f"static const {kind} parameters_{number} = {{{values}}};\n\n"


def _taps(rows: Rows) -> NDArray[np.int8]:
    """Weights of a depthwise convolution, a byte each or for two."""
    return packed_pairs(rows.weight).view(np.int8) if rows.code == "pow2" else rows.weight


def _half_up(rows: Rows) -> NDArray[np.int32]:
    """Biases with half a step, so that a shift alone rounds; the bound of the rows covers it."""
    return (rows.bias.astype(np.int64) + (1 << rows.shift >> 1)).astype(np.int32)


def _window(window: Window, read: Shape, shape: Shape) -> str:
    """Initialiser of an ``sd_window``."""
    sizes = [read.n_bands, shape.n_bands, *window.kernel, window.stride[1], window.padding[1]]
    return f"{{{', '.join(map(str, sizes))}}}"
