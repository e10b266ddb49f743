"""Emit an integer LSTM as C constants for ``firmware/sd_network.c``; reproducible to the byte.

The order and encoding of the weights are described in ``firmware/sd_kernels.h``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit.model import check_names, header, label_array
from spoken_digits.embedded.emit.rows import interleaved
from spoken_digits.embedded.emit.text import array, braced
from spoken_digits.integer.activation import TABLE
from spoken_digits.integer.limits import WEIGHT_OFFSET, Scheme
from spoken_digits.integer.network import IntegerLayer, IntegerLSTM

_MEMORY = "sum", "cell", "operand", "fresh"


def c_files(
    network: IntegerLSTM,
    name: str,
    *,
    labels: Sequence[str],
    provenance: Mapping[str, object],
) -> dict[str, str]:
    """Header and source that define the ``const sd_network`` called `name`.

    Parameters
    ----------
    network
        What to emit.
    name
        A C identifier; the files are ``{name}.h`` and ``{name}.c``.
    labels
        (n_classes,) the words, in the order of the logits.
    provenance
        Facts about the model for the model card, one a line: corpus, split, accuracy,
        parameters, versions. Must not hold a time or a path.

    Returns
    -------
    dict
        File name to text.
    """
    check_names(name, labels, network.n_classes)
    return {
        f"{name}.h": _header(network, name, labels, provenance),
        f"{name}.c": _source(network, name, labels),
    }


def activation_source() -> str:
    """Text of ``firmware/sd_activation.c``."""
    return (
        "/* Table of sd_activation.h.\n"
        " * Made by spoken_digits/embedded/emit/network.py: do not edit. */\n"
        '#include "sd_activation.h"\n\n'
        "/* round(2^15 tanh(t / 2) / 2) at t = 0, 1/16, ..., 8 */\n"
        f"const int16_t sd_half_tanh_table[SD_HALF_TANH_ENTRIES] = {braced(TABLE, 'int16_t')};\n"
    )


def memory_sizes(network: IntegerLSTM) -> dict[str, int]:
    """Number of elements of each array in a state, by the names of ``sd_network_state``."""
    units = [layer.n_units for layer in network.layers]
    sizes = units[-1], sum(units), network.n_inputs + sum(units), max(units)
    return dict(zip(_MEMORY, sizes, strict=True))


def interleave(weight: NDArray[np.int8], scheme: Scheme) -> NDArray[np.uint8]:
    """A layer's matrix in the order and encoding of C.

    Parameters
    ----------
    weight
        (4 h, n_columns), gates i, f, g, o of h rows each.

    Returns
    -------
    ndarray, one dimension, uint8
    """
    rows, columns = weight.shape
    units = weight.reshape(4, rows // 4, columns).transpose(1, 0, 2)  # (h, 4, n_columns)
    if scheme == "pow2":
        packed = pack_pairs(units)  # (h, 4, n_pairs)
        return packed.transpose(0, 2, 1).reshape(-1)
    return interleaved(units)


def pack_pairs(weight: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Codes of power-of-two weights, two columns a byte: (..., n) -> (..., ceil(n / 2))."""
    magnitude = np.abs(weight.astype(np.int64))
    code = np.where(magnitude > 0, np.log2(np.maximum(magnitude, 1)) + 1, 0).astype(np.uint8)
    code = code + 8 * (weight < 0).astype(np.uint8)
    if code.shape[-1] % 2:
        code = np.concatenate([code, np.zeros_like(code[..., :1])], axis=-1)
    return (code[..., 0::2] | code[..., 1::2] << 4).astype(np.uint8)


def _by_unit(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """(4 h,) gate by gate -> (4 h,) unit by unit."""
    return values.reshape(4, -1).T.reshape(-1)


def _header(
    network: IntegerLSTM, name: str, labels: Sequence[str], provenance: Mapping[str, object]
) -> str:
    units = ", ".join(str(layer.n_units) for layer in network.layers)
    card = [
        f"{network.n_inputs} int8 coefficients a frame, LSTM layers of {units} units,",
        f"mean over frames, {network.n_classes} classes; weights {network.scheme},",
        f"{network.parameter_bytes()} bytes of parameters.",
    ]
    sizes = memory_sizes(network)
    types = {"sum": "int32_t", "cell": "int16_t", "operand": "int16_t", "fresh": "int16_t"}
    fields = "\n".join(f"    {types[field]} {field}[{sizes[field]}];" for field in _MEMORY)
    declarations = f"""\
/* All the memory a state needs: sd_network_state state = SD_STATE(memory); */
typedef struct {{
{fields}
}} {name}_memory;

extern const sd_network {name};
"""
    return header(
        name,
        labels,
        card=card,
        provenance=provenance,
        include="sd_network.h",
        constants={
            "N_INPUTS": network.n_inputs,
            "N_CLASSES": network.n_classes,
            "LOGIT_FRACTION_BITS": 12 + network.output_shift,
        },
        declarations=declarations,
    )


def _source(network: IntegerLSTM, name: str, labels: Sequence[str]) -> str:
    layers = "".join(
        _layer_arrays(layer, i, network.scheme) for i, layer in enumerate(network.layers)
    )
    entries = "\n".join(
        f"    {{weights_{i}, bias_{i}, shift_{i}, "
        f"{layer.n_inputs}, {layer.n_units}, {layer.cell_bits}}},"
        for i, layer in enumerate(network.layers)
    )
    output = (
        pack_pairs(network.output_weight)
        if network.scheme == "pow2"
        else (network.output_weight.astype(np.int16) + WEIGHT_OFFSET).astype(np.uint8)
    )
    return f"""/* Weights of {name}.h. Generated: do not edit. */
#include "{name}.h"

#include "sd_kernels.h"

{layers}static const sd_lstm_layer layers[{len(network.layers)}] = {{
{entries}
}};

{array("uint8_t", "output_weights", output.reshape(-1))}
{array("int32_t", "output_bias", network.output_bias)}
{array("uint8_t", "input_shift", network.input_shift)}
const sd_network {name} = {{
    &sd_{network.scheme}, layers, output_weights, output_bias, input_shift,
    {network.n_inputs}, {network.n_classes}, {len(network.layers)},
}};

{label_array(name, labels)}"""


def _layer_arrays(layer: IntegerLayer, number: int, scheme: Scheme) -> str:
    return (
        array("uint8_t", f"weights_{number}", interleave(layer.weight, scheme))
        + "\n"
        + array("int32_t", f"bias_{number}", _by_unit(layer.bias))
        + "\n"
        + array("uint8_t", f"shift_{number}", _by_unit(layer.shift))
        + "\n"
    )
