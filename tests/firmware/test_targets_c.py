"""Recognisers on processors of every kind: each is what it is called, and C there equals NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edges import make_at_the_edge
from frontend_clips import edge_cases
from recognisers import KINDS, make, sounds

from spoken_digits.embedded.proof import prove
from spoken_digits.embedded.targets import TARGETS, Avr, Streaming, TooLargeError
from spoken_digits.errors import UserError

OTHERS = [
    "riscv32 clang -O3",
    "aarch64 clang -O3",
    "armv7-a gcc -O2",
    "mips big-endian clang -O3",
    "avr gcc -Os",
]
"""Unlike the machines that other tests run C on, and what continuous integration has installed."""

PROBE = r"""
#include "board.h"
int main(void)
{
    static uint8_t bytes[16];
    const uint32_t one = 1;
    uint8_t facts[3];
    (void)board_read(bytes, sizeof bytes);
    facts[0] = (uint8_t)sizeof(int);
    facts[1] = *(const uint8_t *)&one;
    facts[2] = bytes[2];
    board_write(facts, sizeof facts);
    if (bytes[0] != 0u) { /* an access that is not aligned, where the compiler cannot see it */
        const volatile uint32_t *word = (const volatile uint32_t *)(uintptr_t)(bytes + bytes[0]);
        board_write((const uint8_t *)bytes + (*word & 1u), 1);
    }
    return bytes[1];
}
"""


def installed(name: str) -> Streaming:
    target = TARGETS[name]
    if missing := target.missing():
        pytest.skip(f"not installed: {', '.join(missing)} ({target.packages})")
    return target


def probe(target: Streaming, firmware: Path, folder: Path, content: bytes) -> list[int]:
    source = folder / "probe.c"
    source.write_text(PROBE)
    return list(target.output(firmware, [source], folder, content))


@pytest.mark.parametrize(
    ("name", "int_bytes", "first_byte"),
    [("gcc -O2", 4, 1), *zip(OTHERS, (4, 4, 4, 4, 2), (1, 1, 1, 0, 1), strict=True)],
)
def test_a_target_is_what_it_is_called(name, int_bytes, first_byte, firmware, tmp_path):
    target = installed(name)
    found = probe(target, firmware, tmp_path, bytes([0, 0, 77, *range(13)]))
    assert found == [int_bytes, first_byte, 77]
    with pytest.raises(UserError, match="status 3|program failed"):
        probe(target, firmware, tmp_path, bytes([0, 3, *range(14)]))


def test_a_mips_refuses_what_is_not_aligned(firmware, tmp_path):
    target = installed("mips big-endian clang -O3")
    with pytest.raises(UserError, match="failed with status"):
        probe(target, firmware, tmp_path, bytes([1, *range(15)]))
    assert len(probe(target, firmware, tmp_path, bytes([4, 0, *range(14)]))) == 4


@pytest.mark.parametrize("kind", ["int8", "graph"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_processors_equal_numpy_at_the_edge_of_every_bound(name, kind, firmware):
    clips = [clip for clip in edge_cases() if 0 < len(clip) < 6500][::8] + sounds(2)[8:11]
    network, spec = make_at_the_edge(kind)
    (run,) = prove(network, spec, clips, firmware, [installed(name)])
    assert run.mismatches == 0
    assert run.n_clips >= 6


@pytest.mark.parametrize("kind", ["int8", "graph"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_processors_equal_numpy_on_sounds_of_any_loudness(name, kind, firmware):
    """At the edge of a bound a wrong shift may not show."""
    network, spec = make(kind)
    (run,) = prove(network, spec, sounds(4, 26)[6:], firmware, [installed(name)])
    assert run.mismatches == 0
    assert run.n_clips >= 6  # as many as fit an AVR


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TARGETS)
def test_every_target_equals_numpy(name, kind, firmware):
    target = installed(name)
    clips = [clip for clip in edge_cases() if len(clip) > 0] + sounds(3)
    for network, spec in (make(kind), make_at_the_edge(kind)):
        (run,) = prove(network, spec, clips, firmware, [target])
        assert run.mismatches == 0
        assert run.n_clips == len(target.chosen(clips))


def test_what_does_not_fit_an_avr_says_how_much_it_lacks(firmware, tmp_path):
    avr = TARGETS["avr gcc -Os"]
    assert isinstance(avr, Avr)
    installed(avr.name)
    source = tmp_path / "large.c"
    source.write_text(
        '#include "board.h"\nstatic uint8_t all[16000];\n'
        "int main(void) { board_write(all, board_read(all, sizeof all)); return 0; }\n"
    )
    with pytest.raises(TooLargeError, match=r"^atmega1284p lacks 1\d\d B of RAM$"):
        avr.output(firmware, [source], tmp_path, b"")
    source.write_text(source.read_text().replace("16000", "160"))
    with pytest.raises(TooLargeError, match=r"^atmega1284p lacks [\d,]+ B of flash$"):
        avr.output(firmware, [source], tmp_path, bytes(128 * 1024))


def test_an_avr_takes_few_clips_from_all_over():
    avr = TARGETS["avr gcc -Os"]
    clips = [np.zeros(1000, np.int16)] * 100
    np.testing.assert_array_equal(avr.chosen(clips), np.arange(0, 96, 12))
    long = [np.zeros(20_000, np.int16)] * 3 + [np.zeros(1, np.int16)]
    np.testing.assert_array_equal(avr.chosen(long), [0, 3])
    assert avr.chosen([]).size == 0
