"""Compilers and processors on which nothing runs here: what they get still compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recordings import REPOSITORY

FIRMWARE = REPOSITORY / "firmware"
SOURCES = sorted(FIRMWARE.glob("*.c"))
# clang says of a Cortex-M23 what it has not, and knows no atomics of a Cortex-M0.
ARMS = (
    ("thumbv8m.base-none-eabi", "cortex-m23"),
    ("thumbv6m-none-eabi", "cortex-m0"),
    ("armv7-a-none-eabi", "cortex-a9"),
)


@pytest.mark.parametrize(("target", "cpu"), ARMS)
def test_clang_compiles_it_for_arms_and_needs_no_library_for_it(target, cpu, tmp_path):
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    flags = [f"--target={target}", f"-mcpu={cpu}", "-std=c99", "-Os", "-ffreestanding", "-Werror"]
    subprocess.run(
        ["clang", *flags, "-Wno-unused-command-line-argument", "-c", *SOURCES],
        cwd=tmp_path,
        check=True,
    )
    assert len(list(tmp_path.glob("*.o"))) == len(SOURCES) > 30
    for path in tmp_path.glob("*.o"):
        content = path.read_bytes()
        assert b"__atomic_" not in content, path.name
        assert b"__sync_" not in content, path.name


@pytest.mark.parametrize("flags", [(), ("-mavx2",)])
def test_other_compilers_see_nothing_that_only_gcc_and_clang_know(flags, tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    # Headers of the C library are full of such things, and those of another compiler are not.
    for name in ("stdint.h", "stddef.h", "stdatomic.h", "string.h"):
        (tmp_path / name).write_text("")
    command = ["gcc", "-std=c99", "-U__GNUC__", *flags, "-E", "-nostdinc", f"-I{tmp_path}"]
    for source in SOURCES:
        done = subprocess.run([*command, source], capture_output=True, text=True, check=True)
        found = re.search(r"__attribute__|__builtin_\w+|__asm__|_mm\w+_\w+", done.stdout)
        assert found is None, f"{source.name}: {found}"


DETECTOR = r"""
#include "sd_detector.h"
static void nothing(const sd_model *model, void *memory) { (void)model, (void)memory; }
static sd_status hear(const sd_model *model, void *memory, const int16_t *samples, uint32_t n)
{
    (void)model, (void)memory, (void)samples, (void)n;
    return SD_OK;
}
static void answer(const sd_model *model, void *memory, int32_t *logits)
{
    (void)model, (void)memory;
    logits[0] = 1, logits[1] = 2;
}
int main(void)
{
    static const sd_hearing hearing = {nothing, hear, answer};
    static uint32_t memory[2];
    static const int16_t samples[3];
    sd_model model = {0};
    sd_recogniser recogniser = {0};
    sd_detector detector;
    sd_detector_spec spec = {0};
    int16_t kept[8];
    int32_t logits[2];
    uint16_t word;
    model.abi = SD_ABI, model.id = 7, model.hearing = &hearing;
    model.memory_bytes = sizeof memory, model.n_classes = 2;
    spec.n_classes = 2, spec.model_id = 8;
    if (sd_detector_init(&detector, &spec, &recogniser, kept, logits) != SD_NOT_INITIALISED) {
        return 1;
    }
    if (sd_recogniser_init(&recogniser, &model, 7, memory, sizeof memory) != SD_OK ||
        sd_recogniser_hear(&recogniser, samples, 3) != SD_OK) {
        return 2;
    }
    if (sd_detector_init(&detector, &spec, &recogniser, kept, logits) != SD_OTHER_MODEL) {
        return 3;
    }
    if (sd_recogniser_result(&recogniser, logits, &word) != SD_OK || word != 1) {
        return 4; /* what it had heard is gone */
    }
    spec.model_id = 7;
    if (sd_detector_init(&detector, &spec, &recogniser, kept, logits) != SD_OK) {
        return 5; /* it may have answered */
    }
    return sd_recogniser_result(&recogniser, logits, &word) == SD_NOTHING_HEARD ? 0 : 6;
}
"""


def test_a_detector_of_another_model_changes_nothing(tmp_path: Path):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    (tmp_path / "main.c").write_text(DETECTOR)
    command = ["gcc", "-std=c99", "-Wall", "-Werror", f"-I{FIRMWARE}", "main.c", *SOURCES]
    subprocess.run([*command, "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0
