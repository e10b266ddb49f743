"""Emit the table of sigmoid and tanh as C."""

from __future__ import annotations

from spoken_digits.embedded.emit.text import braced
from spoken_digits.integer.activation import TABLE


def c_source() -> str:
    """Text of ``firmware/sd_activation.c``."""
    return (
        "/* Table of sd_activation.h.\n"
        " * Made by spoken_digits/embedded/emit/activation.py: do not edit. */\n"
        '#include "sd_activation.h"\n\n'
        "/* round(2^15 tanh(t / 2) / 2) at t = 0, 1/16, ..., 8 */\n"
        f"const int16_t sd_half_tanh_table[SD_HALF_TANH_ENTRIES] = {braced(TABLE, 'int16_t')};\n"
    )
