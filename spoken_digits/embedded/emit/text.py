"""Pieces of generated C: arrays, string literals, comments; reproducible to the byte."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_PER_LINE = {"int8_t": 16, "uint8_t": 16, "int16_t": 12, "int32_t": 8}


def array(ctype: str, name: str, values: NDArray[np.integer]) -> str:
    """Definition of a static constant array of one dimension."""
    return f"static const {ctype} {name}[{len(values)}] = {braced(values, ctype)};\n"


def braced(values: NDArray[np.integer], ctype: str) -> str:
    """Initialiser of an array of `ctype`, in indented lines."""
    per_line = _PER_LINE[ctype]
    numbers = [literal(int(value)) for value in values]
    rows = (", ".join(numbers[i : i + per_line]) for i in range(0, len(numbers), per_line))
    return "{\n" + "".join(f"    {row},\n" for row in rows) + "}"


def literal(value: int) -> str:
    """An int32 as a C constant."""
    # In C, -2147483648 negates a constant that does not fit a 32-bit int.
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def comment_lines(lines: Iterable[str]) -> str:
    """Lines of a block comment, without its delimiters."""
    return "\n".join(f" * {line}".rstrip() for line in lines)


def comment_text(value: object) -> str:
    """A value as one line that cannot end the surrounding comment."""
    return " ".join(str(value).replace("*/", "* /").replace("/*", "/ *").split())


def string_literal(text: str) -> str:
    """A C string literal in ASCII: any other byte of its UTF-8 as an octal escape."""
    plain = {byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?'}
    return '"' + "".join(plain.get(byte, f"\\{byte:03o}") for byte in text.encode()) + '"'
