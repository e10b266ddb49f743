"""Rows of weights times vectors: every path of C against NumPy, for every rest and alignment."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import numpy as np
import pytest
from avx2 import AVX2_ALONE

from spoken_digits.embedded import boards
from spoken_digits.embedded.emit.rows import interleaved
from spoken_digits.embedded.host_build import build_shared_library

COLUMNS = [*range(1, 20), 24, 25, 31, 37, 48, 64, 65]
"""Every rest of a division by eight, with and without whole eights before it."""
MOST = max(COLUMNS)

# the vectors lie on odd half-words, too
RUN = r"""
#include <string.h>
#include "sd_rows.h"
#define MOST 65
typedef struct {
    uint32_t n_columns;
    uint32_t offset; /* of the first vector in its memory, 0 or 1 */
    int32_t bias[4];
    int16_t vectors[2][MOST + 1];
    uint8_t weights[4 * MOST];
} rows_case;
void run(const rows_case *given, int32_t accumulator[8]);
void run(const rows_case *given, int32_t accumulator[8])
{
    static int16_t memory[2 * MOST + 2];
    const uint32_t n = given->n_columns;
    int16_t *first = memory + given->offset;
    int16_t *second = first + n;
    int32_t excess[2];
    memcpy(first, given->vectors[0], 2u * n);
    memcpy(second, given->vectors[1], 2u * n);
    excess[0] = sd_rows_excess(first, n);
    excess[1] = sd_rows_excess(second, n);
#if SD_ROWS_TWO
    {
        static int16_t pairs[2 * MOST + 3]; /* v0 v1 w0 w1 v2 v3 w2 w3 ... */
        int16_t *both = pairs + given->offset;
        int32_t again[4];
        uint32_t i;
        for (i = 0; i < n; i++) {
            both[2u * i - i % 2u] = first[i];
            both[2u * i - i % 2u + 2u] = second[i];
        }
        (void)sd_rows_multiply_two(given->weights, given->bias, both, n, excess, accumulator);
        (void)sd_rows_block(given->weights, given->bias, second, n, excess[1], again);
        if (memcmp(again, accumulator + 4, sizeof again) != 0) {
            accumulator[0] ^= 1;
        }
    }
#else
    (void)sd_rows_block(given->weights, given->bias, first, n, excess[0], accumulator);
    (void)sd_rows_block(given->weights, given->bias, second, n, excess[1], accumulator + 4);
#endif
}
"""
ON_BOARD = r"""
#include "board.h"
int main(void)
{
    static rows_case one;
    int32_t accumulator[8];
    while (board_read(&one, sizeof one) == sizeof one) {
        run(&one, accumulator);
        board_write(accumulator, sizeof accumulator);
    }
    board_report("dsp", SD_DSP);
    board_report("two", SD_ROWS_TWO);
    return 0;
}
"""
CASE = np.dtype(
    [
        ("n_columns", "<u4"),
        ("offset", "<u4"),
        ("bias", "<i4", 4),
        ("vectors", "<i2", (2, MOST + 1)),
        ("weights", "u1", 4 * MOST),
    ]
)


def draw() -> tuple[np.ndarray, np.ndarray]:
    """Cases, and the accumulators that NumPy gives: (n, 8)."""
    rng = np.random.default_rng(6)
    cases, expected = [], []
    for n in COLUMNS:
        for offset in (0, 1):
            for extreme in (False, True):
                weight = rng.integers(-127, 128, (4, n))
                vectors = rng.integers(-(2**15), 2**15, (2, n))
                if extreme:
                    weight = rng.choice([-127, 127], (4, n))
                    vectors = rng.choice([-(2**15), 2**15 - 1], (2, n))
                bias = rng.integers(-(2**29), 2**29, 4)
                case = np.zeros((), CASE)
                case["n_columns"], case["offset"], case["bias"] = n, offset, bias
                case["vectors"][:, :n] = vectors
                case["weights"][: 4 * n] = interleaved(weight.astype(np.int8)[None])
                cases.append(case)
                expected.append((bias + vectors @ weight.T).reshape(-1))
    return np.array(cases), np.array(expected)


CASES, EXPECTED = draw()


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [
        ("gcc", ("-O2", "-DSD_PORTABLE", "-march=native")),
        ("gcc", ("-O2", "-march=native")),
        ("clang", ("-O3", "-march=native")),
        *AVX2_ALONE,
    ],
)
def test_host_equals_numpy(compiler, flags, firmware, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source = tmp_path / "run.c"
    source.write_text(RUN)
    library = build_shared_library(
        tmp_path / "rows.so",
        [firmware / "sd_rows.c", source],
        [firmware],
        compiler=compiler,
        flags=flags,
    )
    function = ctypes.CDLL(str(library)).run
    actual = np.zeros(EXPECTED.shape, np.int32)
    for case, row in zip(CASES, actual, strict=True):
        given = np.ascontiguousarray(case)
        function(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(row.ctypes.data))
    np.testing.assert_array_equal(actual, EXPECTED)


def on_board(name: str, firmware: Path, folder: Path, defines: tuple[str, ...]) -> boards.Outcome:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    source = folder / "main.c"
    source.write_text(RUN + ON_BOARD)
    image = boards.build_image(
        boards.BOARDS[name],
        boards_dir=firmware / "boards",
        sources=[source, firmware / "sd_rows.c"],
        include_dirs=[firmware],
        output=folder / "rows.elf",
        defines=defines,
    )
    return boards.run_image(boards.BOARDS[name], image, CASES.tobytes())


@pytest.mark.parametrize(
    ("name", "defines", "dsp", "two"),
    [
        ("m0", (), 0, 0),
        ("m3", (), 0, 1),
        ("m3", ("SD_PORTABLE",), 0, 0),
        ("m4", (), 1, 1),
        ("m4", ("SD_PORTABLE",), 0, 0),
    ],
)
def test_board_equals_numpy(name, defines, dsp, two, firmware, tmp_path):
    outcome = on_board(name, firmware, tmp_path, defines)
    assert (outcome.report["dsp"], outcome.report["two"]) == (dsp, two)
    np.testing.assert_array_equal(
        np.frombuffer(outcome.output, "<i4").reshape(EXPECTED.shape), EXPECTED
    )
