"""The C front-end equals its NumPy twin in every bit: host compilers, sanitizers, Cortex-M."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from frontend_clips import edge_cases
from frontend_spec import committed_spec

from spoken_digits.embedded import boards, host_frontend
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.errors import UserError
from spoken_digits.integer.frontend import frontend
from spoken_digits.integer.frontend.specification import FrontendSpec

SPEC = committed_spec()
OTHER_SPECS = [
    pytest.param(committed_spec(n_frames=120), id="long"),
    pytest.param(
        committed_spec(n_mels=24, hop_length=128, n_mfcc=10, lifter=12, fmin=100.0), id="other"
    ),
    pytest.param(
        committed_spec(
            sample_rate=16000, fmax=7000.0, n_mels=40, n_mfcc=40, lifter=100, floor_lsb=0.001
        ),
        id="extreme",
    ),
    pytest.param(
        committed_spec(
            n_mels=4, n_mfcc=2, lifter=1, hop_length=1, level_decay_db=0.0, n_frames=9999
        ),
        id="least",
    ),
]
HOST_BUILDS = [
    ("gcc", ("-O0", *NO_FLOAT)),
    ("gcc", ("-O3", *NO_FLOAT)),
    ("clang", ("-O2", *NO_FLOAT)),
]

FLASH_BYTES, RAM_BYTES, STACK_BYTES = 6 * 1024, 3 * 1024, 512
INSTRUCTIONS = {"m0": 110_000, "m3": 75_000}


def assert_equal(
    actual: host_frontend.Features, clips: list[np.ndarray], spec: FrontendSpec = SPEC
) -> None:
    features, counts = frontend.extract(clips, spec)
    np.testing.assert_array_equal(actual[1], counts)
    different = (actual[0] != features).any(axis=(1, 2))
    assert not different.any(), f"{different.sum()} of {len(clips)} clips differ"


@pytest.fixture(scope="module", params=HOST_BUILDS, ids=lambda b: f"{b[0]}{b[1][0]}")
def library(request, firmware, tmp_path_factory) -> Path:
    compiler, flags = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    output = tmp_path_factory.mktemp("host") / "frontend.so"
    return host_frontend.build_host_library(firmware, SPEC, output, compiler=compiler, flags=flags)


@pytest.mark.parametrize("block_samples", [1, 7, 160, 100_000])
def test_host_equals_numpy_on_edge_cases(library, block_samples):
    clips = edge_cases()
    actual = host_frontend.extract_on_host(library, clips, SPEC, block_samples=block_samples)
    assert_equal(actual, clips)


@pytest.mark.corpus
def test_host_equals_numpy_on_every_recording(library, fsdd_pcm):
    assert_equal(host_frontend.extract_on_host(library, fsdd_pcm, SPEC), fsdd_pcm)


@pytest.mark.parametrize("spec", OTHER_SPECS)
def test_host_equals_numpy_for_other_specifications(spec, firmware, tmp_path):
    library = host_frontend.build_host_library(firmware, spec, tmp_path / "frontend.so")
    assert_equal(host_frontend.extract_on_host(library, edge_cases(), spec), edge_cases(), spec)


BROKEN = {
    "a table entry off by one": ("sd_fft.c", "sine[0], SINE_BITS)", "sine[0] + 1, SINE_BITS)"),
    "mean rounded down": ("sd_fft.c", "+ n_samples / 2u;", "+ 0u;"),
    "mean rounded half down": (
        "sd_fft.c",
        "+ n_samples / 2u;",
        "+ n_samples / 2u - 1u;",
    ),
    "level before DC": (
        "sd_fft.c",
        "level_of(samples, n_samples, mean)",
        "level_of(samples, n_samples, 0)",
    ),
    "window before DC": (
        "sd_fft.c",
        "(pair[1] - mean) * (int32_t)weight[1], shift)",
        "pair[1] * (int32_t)weight[1], shift) - mean",
    ),
    "short clips extended with zeros": ("sd_frontend.c", "n_samples++] = last", "n_samples++] = 0"),
    "zeroth coefficient not offset": ("sd_cepstrum.c", "cepstrum->level_offset *", "0 *"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_changed_bit_is_noticed(name, firmware, tmp_path):
    """Negative control: the edge cases expose a front-end that is wrong in one place."""
    file, right, wrong = BROKEN[name]
    copy = tmp_path / "firmware"
    shutil.copytree(firmware, copy)
    text = (copy / file).read_text()
    assert text.count(right) == 1
    (copy / file).write_text(text.replace(right, wrong))
    library = host_frontend.build_host_library(
        copy, SPEC, tmp_path / "frontend.so", flags=["-Wno-error"]
    )
    with pytest.raises(AssertionError, match="clips differ"):
        assert_equal(host_frontend.extract_on_host(library, edge_cases(), SPEC), edge_cases())


def test_no_float_on_x86_and_the_check_can_fail(firmware, tmp_path):
    output = tmp_path / "frontend.so"
    flags = ("-O2", *NO_FLOAT)
    host_frontend.build_host_library(firmware, SPEC, output, flags=flags)
    copy = tmp_path / "firmware"
    shutil.copytree(firmware, copy)
    with (copy / "sd_fft.c").open("a") as file:
        file.write("double sd_float(double x);\ndouble sd_float(double x) { return x * 1.5; }\n")
    with pytest.raises(UserError, match="failed with status"):
        host_frontend.build_host_library(copy, SPEC, output, flags=flags)


FUZZ = r"""
#include <stdio.h>
#include "frontend_host.c"
int main(void)
{
    static int16_t samples[20000];
    static int8_t features[SD_MODEL_FRONTEND_N_FRAMES * SD_MODEL_FRONTEND_N_FEATURES];
    const size_t n = fread(samples, 2, 20000, stdin);
    const uint32_t n_frames = sd_host_features(samples, (uint32_t)n, 77, features);
    return fwrite(features, SD_MODEL_FRONTEND_N_FEATURES, n_frames, stdout) != n_frames;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, firmware, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source, program = tmp_path / "fuzz.c", tmp_path / "fuzz"
    source.write_text(FUZZ)
    sanitize = "address,undefined,integer" if compiler == "clang" else "address,undefined"
    wrapping = ["-fno-sanitize=unsigned-integer-overflow,implicit-integer-sign-change"]
    subprocess.run(
        [
            *(compiler, "-std=c99", "-g", "-O1", f"-fsanitize={sanitize}"),
            *(wrapping if compiler == "clang" else []),
            *("-fno-sanitize-recover=all", str(source), "-o", str(program)),
            *map(
                str, [*host_frontend.source_paths(firmware, SPEC), c_tables.write(SPEC, tmp_path)]
            ),
            *(f"-I{folder}" for folder in (tmp_path, firmware, firmware / "host")),
        ],
        check=True,
    )
    clips = edge_cases()
    features, counts = frontend.extract(clips, SPEC)
    for clip, expected, count in zip(clips, features, counts, strict=True):
        done = subprocess.run([program], input=clip.tobytes(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout == expected[:count].tobytes()


def test_headers_are_safe_for_cpp(firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    source = tmp_path / "use.cpp"
    source.write_text(
        '#include "sd_model_frontend.h"\n#include "sd_fixed.h"\n#include "sd_mel.h"\n'
        '#include "sd_frontend_constants.h"\n'
        "static sd_frontend state;\n"
        "int main() { sd_frontend_reset(&state);\n"
        "return sd_frontend_ready(&sd_model_frontend, &state); }\n"
    )
    objects = tmp_path / "objects"
    objects.mkdir()
    folders = [f"-I{folder}" for folder in (tmp_path, firmware)]
    tables = c_tables.write(SPEC, tmp_path)
    paths = [str(path) for path in [*host_frontend.source_paths(firmware, SPEC), tables]]
    subprocess.run(["gcc", "-std=c99", "-c", *folders, *paths], cwd=objects, check=True)
    subprocess.run(
        ["g++", "-Wall", "-Wextra", "-Werror", *folders, str(source)]
        + [str(path) for path in objects.glob("*.o")]
        + ["-o", str(tmp_path / "use")],
        check=True,
    )
    subprocess.run([tmp_path / "use"], check=True)


def test_the_shared_tables_are_those_of_the_twin(firmware):
    assert (firmware / "sd_frontend_constants.c").read_text() == c_tables.constants_source()


TWO = r"""
#include "a_frontend.h"
#include "b_frontend.h"
int main(void)
{
    const sd_frontend_spec *specs[2] = {&a_frontend, &b_frontend};
    static sd_frontend frontend;
    static sd_frontend_scratch scratch;
    static int8_t features[40];
    uint32_t i, n;
    for (i = 0; i < 2u; i++) {
        sd_frontend_reset(&frontend);
        for (n = 0; !sd_frontend_ready(specs[i], &frontend); n++) {
            const int16_t sample = (int16_t)(n * n * 37u);
            (void)sd_frontend_push(specs[i], &frontend, &sample, 1);
        }
        sd_frontend_frame(specs[i], &frontend, &scratch, features);
        fwrite(features, 1, specs[i]->cepstrum->n_mfcc, stdout);
    }
    return 0;
}
"""


def test_two_front_ends_in_one_program(firmware, tmp_path):
    specs = {"a": SPEC, "b": committed_spec(n_mels=24, n_mfcc=10, lifter=12, fmin=100.0)}
    generated = [c_tables.write(spec, tmp_path, name) for name, spec in specs.items()]
    (tmp_path / "two.c").write_text("#include <stdio.h>\n" + TWO)
    subprocess.run(
        [
            *("gcc", *boards.WARNINGS, f"-I{tmp_path}", f"-I{firmware}", str(tmp_path / "two.c")),
            *map(str, [*host_frontend.source_paths(firmware, SPEC), *generated]),
            *("-o", str(tmp_path / "two")),
        ],
        check=True,
    )
    found = subprocess.run([tmp_path / "two"], capture_output=True, check=True).stdout
    n = np.arange(256)
    clip = (n * n * 37).astype(np.int16)
    expected = [frontend.extract(clip, spec)[0][0, 0] for spec in specs.values()]
    assert found == np.concatenate(expected).tobytes()


@pytest.fixture(params=["m0", "m3"])  # nothing of its own for the M4: test_recogniser_c.py
def board(request) -> boards.Board:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


def test_board_equals_numpy_and_keeps_to_its_budget(board, firmware):
    clips = edge_cases()
    actual, report = host_frontend.extract_on_board(board, firmware, clips, SPEC)
    assert_equal(actual, clips)
    assert report["frame_instructions_max"] <= INSTRUCTIONS[board.name]
    assert report["flash_bytes"] <= FLASH_BYTES
    assert report["ram_bytes"] <= RAM_BYTES
    assert report["stack_bytes"] <= STACK_BYTES
    assert report["frames"] == actual[1].sum()


@pytest.mark.parametrize("spec", OTHER_SPECS)
def test_board_equals_numpy_for_other_specifications(spec, board, firmware):
    clips = edge_cases()[::3]
    assert_equal(host_frontend.extract_on_board(board, firmware, clips, spec)[0], clips, spec)


@pytest.mark.corpus
def test_board_equals_numpy_on_300_recordings(board, firmware, fsdd_pcm):
    longest = max(fsdd_pcm, key=len)
    clips = [*fsdd_pcm[::10], longest]
    assert_equal(host_frontend.extract_on_board(board, firmware, clips, SPEC)[0], clips)


def test_no_float_on_arm_and_the_check_can_fail(board, firmware, tmp_path):
    objects = host_frontend.compile_objects(board, firmware, SPEC, tmp_path)
    names = [name for path in objects for name in boards.symbols(path)]
    assert "sd_frontend_frame" in names
    assert boards.float_helpers(names) == []
    assert not [name for name in names if name.startswith("__aeabi_")]  # nor any division

    source = tmp_path / "float.c"
    source.write_text(
        "float f(float x, int y);\nfloat f(float x, int y)\n{ return x * x + (float)y; }\n"
    )
    control = boards.compile_object(board, source, tmp_path / "float.o", include_dirs=[])
    helpers = boards.float_helpers(boards.symbols(control))
    assert {"__aeabi_fmul", "__aeabi_fadd", "__aeabi_i2f"} <= set(helpers)
