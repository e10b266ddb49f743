"""An exported folder compiles on its own and passes its check; a damaged one fails it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from detectors import small, words_in_noise
from exports import unpack
from frontend_spec import committed_spec
from networks import random_clips
from recognisers import KINDS, expected
from recognisers import make as make_recogniser

from spoken_digits.embedded import boards

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

CORTEX_M0 = "CFLAGS=-mcpu=cortex-m0 -mthumb -Os -ffreestanding -Werror"
OTHER_SPEC = committed_spec(n_mels=24, hop_length=128, n_frames=9)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("compiler", "prefix"),
    [
        ("gcc", "sd_"),
        ("clang", "acme_"),
        pytest.param("gcc", "acme_", marks=pytest.mark.exhaustive),
        pytest.param("clang", "sd_", marks=pytest.mark.exhaustive),
    ],
)
def test_it_compiles_without_a_warning_and_checks_itself(
    compiler, kind, prefix, firmware, tmp_path
):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    unpack(tmp_path, firmware, kind, prefix=prefix)
    done = make(tmp_path, "check", f"CC={compiler}", "CFLAGS=-O1 -Werror")
    assert done.returncode == 0, done.stderr
    assert "-std=c99 -Wall -Wextra -Wconversion -pedantic" in done.stdout
    assert "3 clips, 0 differ" in done.stdout
    assert re.search(r'clip_0: "(oui|non|peut-être \?\?/|da|sd_5)"\n', done.stdout)


def test_a_detector_checks_its_events_and_notices_a_changed_one(firmware, tmp_path):
    detector, network, spec, _ = small()
    samples, spans = words_in_noise(9, 2)
    clips = [
        (f"clip_{i}", samples[start - 800 : end + 800]) for i, (start, end) in enumerate(spans)
    ]
    labels = [f"w{i}" for i in range(network.n_classes)]
    options = {"labels": labels, "golden": clips, "detector": detector, "prefix": "acme_"}
    unpack(tmp_path, firmware, "graph", spec=spec, **options)
    arguments = ("check", "CFLAGS=-O1 -Werror")
    done = make(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "2 clips, 0 differ" in done.stdout
    assert "2 events, 0 differ" in done.stdout
    assert 'stream: "w' in done.stdout
    golden = tmp_path / "src/selftest/golden_events.c"
    text, n = re.subn(r"\{(\d+)u,", lambda m: f"{{{int(m[1]) + 1}u,", golden.read_text(), count=1)
    assert n == 1
    golden.write_text(text)
    done = make(tmp_path, *arguments)
    assert done.returncode != 0
    assert "2 events, 1 differ" in done.stdout


def test_another_front_end_checks_itself(firmware, tmp_path):
    unpack(tmp_path, firmware, "int8", spec=OTHER_SPEC)
    assert "3 clips, 0 differ" in make(tmp_path, "check").stdout


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("logit", r"(\n     \{)(-?\d+)"),
        ("sample", r"(pcm_1\[\d+\] = \{\n(?: .*\n){9} +)(-?\d+)"),
    ],
)
def test_a_changed_golden_value_is_noticed(what, pattern, firmware, tmp_path):
    unpack(tmp_path, firmware, "int8")
    golden = tmp_path / "src/selftest/golden.c"
    step = 9000 if what == "sample" else 1
    text, n_changed = re.subn(
        pattern, lambda found: f"{found[1]}{int(found[2]) + step}", golden.read_text(), count=1
    )
    assert n_changed == 1
    golden.write_text(text)
    done = make(tmp_path, "check")
    assert done.returncode != 0
    assert "3 clips, 1 differ" in done.stdout
    clips = [line for line in done.stdout.splitlines() if line.startswith("clip_")]
    assert sum("DIFFERS from the golden vector" in line for line in clips) == 1, done.stdout


def test_a_changed_weight_is_noticed(firmware, tmp_path):
    unpack(tmp_path, firmware, "int8")
    model = tmp_path / "src" / "sd_words.c"
    text = model.read_text()
    start = text.index("{", text.index("bias_4[")) + 1
    model.write_text(text[:start] + re.sub(r"-?\d+", "77", text[start:], count=1))
    assert make(tmp_path, "check").returncode != 0


@pytest.mark.parametrize("kind", KINDS)
def test_objects_for_a_cortex_m0_need_no_float_and_no_division(kind, firmware, tmp_path):
    if shutil.which(boards.COMPILER) is None:
        pytest.skip(f"not installed: {boards.COMPILER} ({boards.PACKAGES})")
    unpack(tmp_path, firmware, kind)
    done = make(tmp_path, "objects", "size", f"CC={boards.COMPILER}", f"SIZE={boards.SIZE}",
                CORTEX_M0)  # fmt: skip
    assert done.returncode == 0, done.stderr
    objects = sorted((tmp_path / "build").glob("*.o"))
    sources = [*(tmp_path / "src").glob("*.c"), *(tmp_path / "src/engine").glob("*.c")]
    assert len(objects) == len(sources)
    names = {name for path in objects for name in boards.symbols(path)}
    assert boards.float_helpers(sorted(names)) == []
    # The detector multiplies numbers of 64 bits.
    assert {name for name in names if name.startswith("__")} <= {"__aeabi_lmul"}
    assert "malloc" not in names


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_tells_the_ram_that_a_cortex_m0_needs(kind, firmware, tmp_path):
    if shutil.which(boards.COMPILER) is None:
        pytest.skip(f"not installed: {boards.COMPILER} ({boards.PACKAGES})")
    unpack(tmp_path, firmware, kind)
    page = (tmp_path / "README.md").read_text()
    told = dict(re.findall(r"\| RAM: `(\w+)`[^|]*\| ([\d,]+) \|", page))
    assert set(told) == {"sd_words_recogniser_memory", "sd_recogniser"}
    (tmp_path / "sizes.c").write_text(
        '#include "model.h"\n'
        + "".join(
            f"typedef char of_{ctype}[sizeof({ctype}) == {number.replace(',', '')} ? 1 : -1];\n"
            for ctype, number in told.items()
        )
    )
    board = boards.BOARDS["m0"]
    include = [tmp_path / "src"]
    boards.compile_object(board, tmp_path / "sizes.c", tmp_path / "s.o", include_dirs=include)


def test_another_compiler_compiles_everything_anew(firmware, tmp_path):
    unpack(tmp_path, firmware, "int8")
    assert "-c src/" in make(tmp_path, "objects").stdout
    assert "-c src/" not in make(tmp_path, "objects").stdout
    assert "-c src/" in make(tmp_path, "objects", "CFLAGS=-O0").stdout


@pytest.mark.parametrize("kind", ["pow2", "graph"])
@pytest.mark.parametrize("standard", ["c++98", "c++20"])
def test_headers_are_safe_for_cpp(standard, kind, firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    unpack(tmp_path, firmware, kind)
    top = tmp_path / "src"
    headers = [path.relative_to(top) for path in top.rglob("*.h") if "avx2" not in path.name]
    (tmp_path / "use.cpp").write_text(
        "".join(f'#include "{header}"\n' for header in sorted(headers))
        + "int main() { static sd_recogniser one; static MODEL_MEMORY memory; uint16_t word;\n"
        "int32_t logits[MODEL_N_CLASSES]; const golden_clip &clip = golden_clips[2];\n"
        "if (sd_recogniser_init(&one, &MODEL, MODEL_ID, &memory, sizeof memory)) return 1;\n"
        "if (sd_recogniser_hear(&one, clip.pcm, clip.n_samples)) return 2;\n"
        "if (sd_recogniser_result(&one, logits, &word)) return 3;\n"
        "return logits[word] != clip.logits[word] || !MODEL.labels[word]; }\n"
    )
    assert make(tmp_path, "check", "CC=gcc").returncode == 0
    objects = [path for path in (tmp_path / "build").glob("*.o") if path.name != "selftest.o"]
    subprocess.run(
        [
            *("g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-Isrc"),
            *("use.cpp", *map(str, objects), "-o", "use"),
        ],
        cwd=tmp_path,
        check=True,
    )
    subprocess.run([tmp_path / "use"], check=True)


TWO = r"""
#include <stdio.h>
#include "sd_first_model.h"
#include "sd_second_model.h"
static sd_recogniser first, second;
static sd_first_recogniser_memory first_memory;
static sd_second_recogniser_memory second_memory;
static int16_t samples[5000];
int main(void)
{
    int32_t logits[16];
    uint16_t word, c;
    uint32_t n, i;
    if (sd_recogniser_init(&first, &sd_first_model, SD_FIRST_MODEL_ID, &first_memory,
                           sizeof first_memory) != SD_OK ||
        sd_recogniser_init(&second, &sd_second_model, SD_SECOND_MODEL_ID, &second_memory,
                           sizeof second_memory) != SD_OK ||
        sd_recogniser_init(&second, &sd_first_model, SD_SECOND_MODEL_ID, &second_memory,
                           sizeof second_memory) != SD_OTHER_MODEL) {
        return 1;
    }
    while (fread(&n, sizeof n, 1, stdin) == 1 && fread(samples, 2, n, stdin) == n) {
        (void)sd_recogniser_reset(&first);
        (void)sd_recogniser_reset(&second);
        for (i = 0; i < n; i++) { /* both hear at once */
            (void)sd_recogniser_hear(&first, samples + i, 1);
            (void)sd_recogniser_hear(&second, samples + i, 1);
        }
        if (sd_recogniser_result(&first, logits, &word) != SD_OK) {
            return 2;
        }
        for (c = 0; c < sd_first_model.n_classes; c++) {
            printf("%ld ", (long)logits[c]);
        }
        if (sd_recogniser_result(&second, logits, &word) != SD_OK) {
            return 3;
        }
        for (c = 0; c < sd_second_model.n_classes; c++) {
            printf("%ld ", (long)logits[c]);
        }
    }
    return 0;
}
"""


def test_two_models_in_one_program_answer_as_alone(firmware, tmp_path):
    models = {"sd_first": make_recogniser("int8"), "sd_second": make_recogniser("graph")}
    for name, kind in (("sd_first", "int8"), ("sd_second", "graph")):
        unpack(tmp_path / name, firmware, kind, name=name)
    for path in (tmp_path / "sd_first/src/engine").iterdir():
        other = tmp_path / "sd_second/src/engine" / path.name
        assert not other.exists() or other.read_bytes() == path.read_bytes()
    for name in models:
        shutil.copytree(tmp_path / name / "src", tmp_path / "both", dirs_exist_ok=True)
    (tmp_path / "two.c").write_text(TWO)
    subprocess.run(
        [
            *("gcc", *boards.WARNINGS, "-O1", "-Iboth", "two.c"),
            *sorted((tmp_path / "both").glob("*.c")),
            *sorted((tmp_path / "both/engine").glob("*.c")),
            *("-o", "two"),
        ],
        cwd=tmp_path,
        check=True,
    )
    clips = [pcm for _, pcm in random_clips(8, 6)]
    content = b"".join(len(pcm).to_bytes(4, "little") + pcm.tobytes() for pcm in clips)
    done = subprocess.run([tmp_path / "two"], input=content, capture_output=True, check=True)
    actual = np.array(done.stdout.split(), np.int64).reshape(len(clips), -1)
    right = [expected(network, spec, clips) for network, spec in models.values()]
    np.testing.assert_array_equal(actual, np.concatenate(right, axis=1))
