"""What can be said of the C without running it: no float, no heap, no recursion, bounded stack."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from recognisers import KINDS, make, sounds

from spoken_digits.embedded import boards, call_graph, host_recogniser

M0 = boards.BOARDS["m0"]


STACK_BYTES = {"int8": 640, "pow2": 704, "graph": 640}


@pytest.fixture(
    scope="module",
    params=[
        *KINDS[::2],
        *(pytest.param(kind, marks=pytest.mark.exhaustive) for kind in KINDS[1::2]),
    ],
)
def recogniser(request, firmware):
    """Kind and call graph of a recogniser for a Cortex-M0."""
    if missing := boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return request.param, call_graph.of_recogniser(M0, firmware, *make(request.param))


def test_nothing_is_called_but_what_is_here_and_nothing_calls_itself(recogniser):
    """So there is neither a heap nor a routine that computes with floating point."""
    kind, graph = recogniser
    assert graph.outside() == set()
    assert graph.recursion() == []
    hears = "sd_by_word:hear" if kind == "graph" else "sd_by_frame:hear"
    assert hears in graph.calls["sd_recogniser_hear"]
    assert ("sd_depthwise" in graph.frames) == (kind == "graph")


def test_the_bound_of_the_stack_holds_and_is_nearly_met(recogniser, firmware):
    kind, graph = recogniser
    _, report = host_recogniser.logits_on_board(M0, firmware, *make(kind), sounds(5)[8:12])
    assert graph.stack_bound() - 64 <= report["stack_bytes"] <= graph.stack_bound()
    assert graph.stack_bound() <= STACK_BYTES[kind]


# ---- no float, no heap, anywhere


def code_of(path: Path) -> str:
    """Without comments and strings."""
    return re.sub(r'/\*.*?\*/|"[^"\n]*"', "", path.read_text(), flags=re.DOTALL)


def test_no_source_names_a_float_or_the_heap(firmware):
    sources = sorted(firmware.glob("*.[ch]"))
    assert len(sources) > 30
    for path in sources:
        word = re.search(r"\b(float|double|malloc|calloc|realloc|free|alloca)\b", code_of(path))
        assert word is None, f"{path.name}: {word}"


# ---- int of 16 bits

FITS = {
    "sd_activation.h": [
        "entry[1] - entry[0]",
        "SD_ACTIVATION_BITS + 1 - fraction_bits",
    ],  # 0 to 2^14
    "sd_centring.c": ["features[band] * (1 <<"],  # int8 times 8; the means leave room for it
    "sd_cepstrum.c": ["(high + low)", "(high - low)"],
    "sd_convolution.c": ["end - output"],
    "sd_decimator.c": ["output - start"],
    "sd_detector.c": ["const uint32_t slot ="],  # below twice the frames of the ring
    "sd_endpoint.c": ["endpoint->quiet + 1u"],
    "sd_fft.c": ["2u * sd_fft_order[group]"],  # at most 2 * 63
    "sd_frontend.c": ["n_samples - 1u"],
    "sd_graph.c": ["n_nodes - 1u"],
    "sd_graph_frames.c": ["n_nodes - 1u"],
    "sd_graph_windows.c": ["n_nodes - 1u"],
    "sd_octaves.h": ["0x8000u + table[0]"],  # below 2^16
    "sd_pooling.c": ["most[c] << FRACTION_BITS", "step->step + 1u"],  # uint8 times 64
    "sd_shift.c": ["features[band] * (1 << shift->shift[band])"],  # int8 times 2^8
    "sd_unit.h": ["2u * SD_GATE_BITS - cell_bits"],
}
"""What is computed in `int` or `unsigned` from values that vary, and fits 16 bits."""


def is_constant(node: dict[str, Any]) -> bool:
    """Whether an expression is made of literals and enumerators only."""
    if node["kind"] == "DeclRefExpr":
        return bool(node["referencedDecl"]["kind"] == "EnumConstantDecl")
    if node["kind"] in ("IntegerLiteral", "UnaryExprOrTypeTraitExpr"):
        return True
    parts = node.get("inner", [])
    return bool(parts) and all(map(is_constant, parts))


class Computed:
    """Where clang computes a value that varies in `int` or `unsigned int`."""

    def __init__(self, path: Path, *include: Path) -> None:
        flags = ["--target=avr", "-mmcu=atmega1284p", "-ffreestanding", "-std=c99", "-fsyntax-only"]
        flags += [f"-I{folder}" for folder in include]
        done = subprocess.run(
            ["clang", *flags, "-Xclang", "-ast-dump=json", str(path)],
            capture_output=True,
            check=True,
        )
        self.file, self.line = str(path), 0
        self.found: set[tuple[str, int]] = set()
        self.visit(json.loads(done.stdout))

    def visit(self, node: dict[str, Any]) -> None:
        for place in (node.get("loc", {}), node.get("range", {}).get("begin", {})):
            exact = place.get("expansionLoc", place)  # clang writes only what has changed
            self.file = exact.get("file", self.file)
            self.line = exact.get("line", self.line)
        if node.get("kind") in ("BinaryOperator", "CompoundAssignOperator"):
            ctype = node.get("computeResultType", node["type"])
            name = ctype.get("desugaredQualType", ctype["qualType"])
            operator = node["opcode"].removesuffix("=")
            is_narrow = operator in ("*", "+", "-", "<<") and name in ("int", "unsigned int")
            if is_narrow and not is_constant(node):
                self.found.add((self.file, self.line))
        for part in node.get("inner", []):
            self.visit(part)


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_what_is_computed_in_an_int_fits_16_bits(firmware):
    found = set().union(*(Computed(path, firmware).found for path in firmware.glob("*.c")))
    assert len(found) > 5
    wrong = []
    for file, number in sorted(found):
        line = Path(file).read_text().splitlines()[number - 1].strip()
        if not any(fragment in line for fragment in FITS.get(Path(file).name, [])):
            wrong.append(f"{Path(file).name}:{number}: {line}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_a_product_in_an_int_is_noticed(tmp_path):
    """Negative control: each kind of line that an `int` of 16 bits would break."""
    source = tmp_path / "product.c"
    source.write_text(
        "#include <stdint.h>\nenum { SHIFT = 9 };\n"
        "int32_t f(uint8_t w, int16_t v, uint8_t n, int32_t s);\n"
        "int32_t f(uint8_t w, int16_t v, uint8_t n, int32_t s)\n{\n"
        "    s += w * v;\n"
        "    s += 1 << n;\n"
        "    s += w * (int32_t)v + (1 << SHIFT) + ((int32_t)1 << n);\n"
        "    s += v + v;\n"
        "    return s;\n}\n"
    )
    assert Computed(source).found == {(str(source), 6), (str(source), 7), (str(source), 9)}
