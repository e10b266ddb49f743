"""An exported folder compiles on its own and passes its check; a damaged one fails it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from frontend_spec import committed_spec
from networks import random_clips, random_features, random_parent

from spoken_digits.embedded import boards
from spoken_digits.embedded.package.folder import export_files
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.integer.limits import SCHEMES, Scheme
from spoken_digits.integer.quantize import quantize

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

CORTEX_M0 = "CFLAGS=-mcpu=cortex-m0 -mthumb -Os -ffreestanding -Werror"
SPECS = {
    "default": committed_spec(),
    "other": committed_spec(n_mels=24, hop_length=128, n_frames=9),
}


def unpack(folder: Path, firmware: Path, scheme: Scheme, spec: FrontendSpec) -> Path:
    network = quantize(random_parent(3, h=11, n_layers=2, n_classes=3), *random_features(3), scheme)
    files = export_files(
        network,
        spec,
        name="sd_words",
        labels=["oui", "non", "peut-être ??/"],
        provenance={"corpus": "made up"},
        golden=random_clips(1),
        firmware=firmware,
        licence="free\n",
    )
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_it_compiles_without_a_warning_and_checks_itself(
    compiler, scheme, spec, firmware, tmp_path
):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    unpack(tmp_path, firmware, scheme, spec)
    done = make(tmp_path, "check", f"CC={compiler}", "CFLAGS=-O2 -Werror")
    assert done.returncode == 0, done.stderr
    assert "-std=c99 -Wall -Wextra -Wconversion -pedantic" in done.stdout
    assert "3 clips, 0 differ" in done.stdout
    assert re.search(r'clip_0: "(oui|non|peut-être \?\?/)"\n', done.stdout)


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("logit", r"(?<=\{)(-?\d+)(?=, -?\d+, -?\d+\}\},)"),
        ("hash", r"(\d+)(?=u, frames_1)"),
        ("number of frames", r"(\d+)(?=,\n     \d+u, frames_1)"),
        ("first frame", r"(?<=frames_1\[26\] = \{\n    )(-?\d+)"),
        ("sample", r"(?<=, )(-?\d+)(?=, -?\d+,\n\};\n\nstatic const int8_t frames_0)"),
    ],
)
def test_a_changed_golden_value_is_noticed(what, pattern, firmware, tmp_path):
    unpack(tmp_path, firmware, "int8", SPECS["default"])
    golden = tmp_path / "example" / "golden.c"
    step = 9000 if what == "sample" else 1
    text, n_changed = re.subn(
        pattern, lambda found: str(int(found[1]) + step), golden.read_text(), count=1
    )
    assert n_changed == 1
    golden.write_text(text)
    done = make(tmp_path, "check")
    assert done.returncode != 0
    assert done.stdout.count("DIFFERS from the golden vector") == 1, done.stdout


def test_a_changed_weight_is_noticed(firmware, tmp_path):
    unpack(tmp_path, firmware, "int8", SPECS["default"])
    model = tmp_path / "src" / "sd_words.c"
    text = model.read_text()
    start = text.index("{", text.index("output_bias[")) + 1
    model.write_text(text[:start] + re.sub(r"-?\d+", "77", text[start:], count=1))
    assert make(tmp_path, "check").returncode != 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_objects_for_a_cortex_m0_need_no_float_and_no_division(scheme, firmware, tmp_path):
    if shutil.which(boards.COMPILER) is None:
        pytest.skip(f"not installed: {boards.COMPILER} ({boards.PACKAGES})")
    unpack(tmp_path, firmware, scheme, SPECS["default"])
    done = make(tmp_path, "objects", "size", f"CC={boards.COMPILER}", f"SIZE={boards.SIZE}",
                CORTEX_M0)  # fmt: skip
    assert done.returncode == 0, done.stderr
    objects = sorted((tmp_path / "build").glob("*.o"))
    assert len(objects) == len(list((tmp_path / "src").glob("*.c")))
    names = {name for path in objects for name in boards.symbols(path)}
    assert boards.float_helpers(sorted(names)) == []
    assert not {name for name in names if name.startswith("__")}
    assert "malloc" not in names


def test_the_readme_tells_the_ram_that_a_cortex_m0_needs(firmware, tmp_path):
    if shutil.which(boards.COMPILER) is None:
        pytest.skip(f"not installed: {boards.COMPILER} ({boards.PACKAGES})")
    unpack(tmp_path, firmware, "int8", SPECS["other"])
    told = re.findall(r"\| RAM: `(\w+)`[^|]*\| ([\d,]+) \|", (tmp_path / "README.md").read_text())
    assert len(told) == 4
    (tmp_path / "sizes.c").write_text(
        '#include "sd_frontend.h"\n#include "sd_words.h"\n'
        + "".join(
            f"typedef char size_{i}[sizeof({ctype}) == {number.replace(',', '')} ? 1 : -1];\n"
            for i, (ctype, number) in enumerate(told)
        )
    )
    board = boards.BOARDS["m0"]
    include = [tmp_path / "include"]
    boards.compile_object(board, tmp_path / "sizes.c", tmp_path / "s.o", include_dirs=include)


def test_another_compiler_compiles_everything_anew(firmware, tmp_path):
    unpack(tmp_path, firmware, "int8", SPECS["default"])
    assert "-c src/" in make(tmp_path, "objects").stdout
    assert "-c src/" not in make(tmp_path, "objects").stdout
    assert "-c src/" in make(tmp_path, "objects", "CFLAGS=-O0").stdout


@pytest.mark.parametrize("standard", ["c++98", "c++20"])
def test_headers_are_safe_for_cpp(standard, firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    unpack(tmp_path, firmware, "pow2", SPECS["default"])
    headers = [path.name for path in (tmp_path / "include").glob("*.h") if "avx2" not in path.name]
    (tmp_path / "use.cpp").write_text(
        "".join(f'#include "{header}"\n' for header in [*sorted(headers), "golden.h"])
        + "int main() { static sd_frontend frontend; sd_frontend_reset(&frontend);\n"
        "if (sd_frontend_ready(&sd_words_frontend, &frontend)) return 1;\n"
        "static sd_words_memory memory; sd_network_state state = SD_STATE(memory);\n"
        "sd_network_reset(&sd_words, &state); int32_t logits[SD_WORDS_N_CLASSES];\n"
        "sd_network_finish(&sd_words, &state, logits);\n"
        "return golden_clips[0].n_frames == 0 || !sd_words_labels[sd_argmax(logits, 3)]; }\n"
    )
    assert make(tmp_path, "check", "CC=gcc").returncode == 0
    objects = [path for path in (tmp_path / "build").glob("*.o") if path.name != "main.o"]
    subprocess.run(
        [
            *("g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Iexample"),
            *("use.cpp", *map(str, objects), "-o", "use"),
        ],
        cwd=tmp_path,
        check=True,
    )
    subprocess.run([tmp_path / "use"], check=True)
