from __future__ import annotations

import pytest

from spoken_digits.embedded import boards
from spoken_digits.errors import UserError

PROGRAM = r"""
#include "board.h"
static uint8_t buffer[64];
__attribute__((noinline)) static uint8_t deep(uint8_t x)
{
    volatile uint8_t local[200];
    local[x] = x;
    return local[x];
}
static void loop(uint32_t times)
{
    __asm__ volatile(".syntax unified\n mov r0, %0\n 1: subs r0, #1\n nop\n bne 1b\n"
                     : : "r"(times) : "r0", "cc");
}
int main(void)
{
    uint32_t n;
    board_count_start();
    loop(1000);
    board_report("loop", board_count_stop());
    board_count_start();
    loop(2000);
    board_report("loop", board_count_stop());
    board_count_start();
    loop(6400000);
    board_report("long", board_count_stop());
    board_stack_paint();
    buffer[0] = deep(3);
    board_report("stack", board_stack_used());
    while ((n = board_read(buffer, sizeof buffer)) > 0u) {
        board_write(buffer, n);
    }
    return STATUS;
}
"""


@pytest.fixture(params=sorted(boards.BOARDS))
def board(request) -> boards.Board:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


def build(board, firmware, folder, status):
    source = folder / "program.c"
    source.write_text(PROGRAM)
    return boards.build_image(
        board,
        boards_dir=firmware / "boards",
        sources=[source],
        include_dirs=[],
        output=folder / "program.elf",
        defines=[f"STATUS={status}"],
    )


def test_bytes_counts_and_stack_come_back(board, firmware, tmp_path):
    image = build(board, firmware, tmp_path, 0)
    content = bytes(range(256)) * 3 + b"end"
    outcome = boards.run_image(board, image, content)
    assert outcome.output == content
    (_, first), (_, second), (_, long), (_, stack) = outcome.history
    assert first == pytest.approx(3000, abs=8)
    assert second - first == pytest.approx(3000, abs=2)
    assert long == pytest.approx(19_200_000, rel=1e-6)
    assert outcome.report["loop"] == second
    assert 200 <= stack <= 240


def test_counts_are_the_same_in_every_run(board, firmware, tmp_path):
    image = build(board, firmware, tmp_path, 0)
    runs = {boards.run_image(board, image, b"x" * 1000).history for _ in range(2)}
    assert len(runs) == 1


def test_a_failing_program_is_an_error(board, firmware, tmp_path):
    with pytest.raises(UserError, match="status 3"):
        boards.run_image(board, build(board, firmware, tmp_path, 3), b"")


def test_float_helpers_are_recognised():
    names = [
        "__aeabi_fadd",
        "__aeabi_d2iz",
        "__aeabi_i2f",
        "__floatsidf",
        "__divsf3",
        "__aeabi_cfcmple",
    ]
    others = ["__aeabi_idiv", "__aeabi_uidivmod", "__aeabi_lmul", "__aeabi_idiv0", "memcpy", "sd_f"]
    assert boards.float_helpers([*names, *others]) == names
