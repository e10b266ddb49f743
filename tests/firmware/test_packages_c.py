"""The packages of an exported folder: built by CMake, found by others, examples run on mocks.

Mocks of Arduino, ESP-IDF and Zephyr take samples from standard input, so that every example has to
say which words it hears, as Python's detector does. No real board and no real SDK takes part.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from detectors import RATE, detector_of, small, small_sliding, words_in_noise
from exports import unpack
from recordings import REPOSITORY

from spoken_digits.embedded import boards
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.integer.detector.sliding import SlidingDetector
from spoken_digits.integer.frontend.decimator import decimate
from spoken_digits.rejection.labels import NOT_WORDS

FIRMWARE = REPOSITORY / "firmware"
MOCKS = Path(__file__).parent / "platforms"
NAME = "acme_words"
STRICT = ("-O1", "-Wall", "-Wextra", "-Werror")
LABELS = ["un", "deux", "trois", "_unknown_", "cinq"]


def run(*command: object, **options: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, check=False, **options
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def detector():
    """A detector of `LABELS`, with its recogniser."""
    return small(threshold=0.5)


@pytest.fixture(scope="module")
def folder(detector, tmp_path_factory) -> Path:
    """An exported folder of another prefix, compiled by its Makefile."""
    if shutil.which("make") is None or shutil.which("g++") is None:
        pytest.skip("make or g++ is not installed")
    spec, _, frontend, _ = detector
    samples, spans = words_in_noise(9, 2)
    golden = [(f"clip_{start}", samples[start - 800 : end + 800]) for start, end in spans]
    folder = unpack(
        *(tmp_path_factory.mktemp("packages"), FIRMWARE, "graph"),
        spec=frontend,
        detector=spec,
        golden=golden,
        labels=LABELS,
        prefix="acme_",
    )
    printed = run("make", "check", "listen", "CFLAGS=-O1 -Werror", cwd=folder)
    assert "2 clips, 0 differ" in printed
    return folder


@pytest.fixture(scope="module")
def stream() -> np.ndarray:
    """Words in noise, at 16 kHz."""
    return np.repeat(words_in_noise(11, 4)[0], 2)


@pytest.fixture(scope="module")
def words(detector, stream) -> list[str]:
    """What every example prints of the stream, by the detector in Python."""
    spec, _, _, recognise = detector
    heard = Detector(spec, recognise).hear(decimate(stream))
    found = [event for event in heard if event.verdict is Verdict.WORD]
    assert len(found) >= 3
    assert len({event.word for event in found}) >= 2
    return [
        f"{event.start * 1000 // RATE} ms: {LABELS[event.word]} ({event.confidence} of 10000)"
        for event in found
    ]


def heard(program: Path, samples: np.ndarray) -> tuple[str, list[str]]:
    """What a program prints when it hears `samples`, and the lines about words."""
    printed = run(program, input=samples.tobytes())
    return printed, [line for line in printed.splitlines() if " ms: " in line]


def objects(folder: Path) -> list[Path]:
    """What the Makefile compiled, but for the programs."""
    programs = ("selftest", "listen")
    return [path for path in (folder / "build").glob("*.o") if path.stem not in programs]


def sketch(folder: Path, name: str, output: Path) -> Path:
    """An Arduino sketch as a program."""
    path = folder / f"examples/arduino/{name}/{name}.ino"
    run(
        *("g++", "-std=gnu++11", *STRICT, f'-DSKETCH="{path}"', f"-I{MOCKS / 'arduino'}"),
        *(f"-I{folder / 'src'}", MOCKS / "arduino/sketch.cpp", *objects(folder), "-o", output),
    )
    return output


def test_a_program_on_this_computer_hears_what_python_hears(folder, stream, words):
    assert heard(folder / "build/listen", decimate(stream))[1] == words


SLIDING_PROGRAM = """
#include <stdio.h>

#include "sliding.h"

static acme_sliding sliding;
static SLIDING_MEMORY memory;

int main(void)
{
    int16_t block[160];
    size_t n;
    acme_status status =
        acme_sliding_init(&sliding, &SLIDING, SLIDING_ID, &memory, (uint32_t)sizeof memory);
    while (status == ACME_OK && (n = fread(block, sizeof *block, 160, stdin)) > 0) {
        uint32_t left = (uint32_t)n, taken;
        acme_event event;
        while (left > 0u && status == ACME_OK) {
            status = acme_sliding_hear(&sliding, block + n - left, left, &taken, &event);
            left -= taken;
            if (event.verdict == ACME_WORD) {
                printf("%lu ms: %s (%u of %u)\\n",
                       (unsigned long)(event.start * 1000u / SLIDING_SAMPLE_RATE),
                       SLIDING_LABELS[event.word], event.confidence, (unsigned)ACME_CERTAIN);
            }
        }
    }
    return (int)status;
}
"""


def test_a_program_with_a_sliding_window_hears_what_python_hears(stream, tmp_path):
    spec, network, frontend, recognise = small_sliding(threshold=0.3)
    labels = ["un", "deux", *NOT_WORDS, "cinq"]
    folder = unpack(
        *(tmp_path, FIRMWARE, "graph"),
        spec=frontend,
        network=network,
        detector=detector_of(network, labels),
        sliding=spec,
        labels=labels,
        prefix="acme_",
    )
    source = folder / "examples/host/slide.c"
    source.write_text(SLIDING_PROGRAM)
    run("make", "objects", "CFLAGS=-O1 -Werror", cwd=folder)
    program = folder / "build/slide"
    run("gcc", "-std=c99", *STRICT, f"-I{folder / 'src'}", source, *objects(folder), "-o", program)
    right = SlidingDetector(spec, recognise).hear(decimate(stream))
    assert len(right) > 5
    assert heard(program, decimate(stream))[1] == [
        f"{event.start * 1000 // RATE} ms: {labels[event.word]} ({event.confidence} of 10000)"
        for event in right
    ]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sliding"]["window_samples"] == spec.window
    assert "SLIDING_MEMORY memory" in (folder / "README.md").read_text()


def test_the_arduino_sketch_hears_what_python_hears(folder, stream, words, tmp_path):
    printed, found = heard(sketch(folder, "microphone", tmp_path / "a"), stream)
    assert found == words
    assert printed.startswith("listening\n")
    assert "lost" not in printed


def test_the_arduino_selftest_counts_what_differs(folder, tmp_path):
    printed = run(sketch(folder, "selftest", tmp_path / "a"), input=b"")
    assert printed.endswith("2 clips, 2 events, 0 differ\n")


@pytest.mark.parametrize(
    ("mock", "sources"),
    [
        ("esp_idf", ("examples/esp_idf/main/main.c", MOCKS / "esp_idf/program.c")),
        ("zephyr", ("examples/zephyr/src/main.c",)),
    ],
)
def test_the_c_examples_hear_what_python_hears(mock, sources, folder, stream, words, tmp_path):
    program = tmp_path / "program"
    run(
        *("gcc", "-std=gnu17", *STRICT, f"-I{MOCKS / mock}", f"-I{folder / 'src'}"),
        *(folder / source for source in sources),
        *(*objects(folder), "-o", program),
    )
    printed, found = heard(program, stream)
    assert found == words
    assert printed.startswith("2 clips, 2 events, 0 differ\n")


def test_the_selftest_passes_on_an_emulated_cortex_m0(folder, tmp_path):
    if boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(boards.missing_tools())} ({boards.PACKAGES})")
    program = (MOCKS / "selftest_board.c").read_text()
    (tmp_path / "board.c").write_text(program.replace("sd_", "acme_"))
    image = boards.build_image(
        boards.BOARDS["m0"],
        boards_dir=FIRMWARE / "boards",
        sources=[*sorted((folder / "src").rglob("*.c")), tmp_path / "board.c"],
        include_dirs=[folder / "src"],
        output=tmp_path / "selftest.elf",
        optimisation="-O1",
    )
    report = boards.run_image(boards.BOARDS["m0"], image, b"").report
    manifest = json.loads((folder / "manifest.json").read_text())
    ram = manifest["bytes"]["detector_ram"]
    assert report == {"differ": 0, "detector_ram": ram, "clips": 2, "events": 2}


CONSUMER = f"""
cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES C)
if(FOLDER)
    add_subdirectory(${{FOLDER}} model)
else()
    find_package({NAME} 1.2 REQUIRED)
endif()
add_executable(app ${{MAIN}})
target_link_libraries(app PRIVATE {NAME}::{NAME})
"""


def test_cmake_and_pkg_config_find_it_installed(folder, tmp_path):
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    build, installed = tmp_path / "build", tmp_path / "installed"
    # Where it is installed is said again, and differently, when it is.
    run("cmake", "-S", folder, "-B", build, f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'elsewhere'}")
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", installed)
    assert "100% tests passed" in run("ctest", cwd=build)
    assert (installed / f"share/{NAME}/manifest.json").exists()
    assert not (installed / "bin").exists()
    main = folder / "examples/host/selftest.c"
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "app", f"-DCMAKE_PREFIX_PATH={installed}",
        f"-DMAIN={main}")  # fmt: skip
    run("cmake", "--build", tmp_path / "app")
    assert "2 events, 0 differ" in run(tmp_path / "app/app")
    if shutil.which("pkg-config") is None:
        pytest.skip("pkg-config is not installed")
    (pkg_config,) = installed.rglob("pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", NAME, env={"PKG_CONFIG_PATH": pkg_config})
    run("gcc", main, *flags.split(), "-o", tmp_path / "app2")
    assert "2 events, 0 differ" in run(tmp_path / "app2")


@pytest.mark.exhaustive
def test_cmake_takes_it_as_a_part_of_another_project(folder, tmp_path):
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER)
    main = folder / "examples/host/selftest.c"
    run("cmake", "-S", tmp_path, "-B", tmp_path / "app", f"-DFOLDER={folder}", f"-DMAIN={main}")
    run("cmake", "--build", tmp_path / "app")
    assert "2 events, 0 differ" in run(tmp_path / "app/app")
    assert not list((tmp_path / "app").rglob("listen"))


SCRIPT = """
set(ESP_PLATFORM 1)
set(CONFIG_ACME_WORDS 1)
set(CONFIG_ACME_WORDS_SELFTEST 1)
function(idf_component_register)
    message("component ${ARGN}")
endfunction()
function(zephyr_library)
endfunction()
function(zephyr_library_sources)
    message("library ${ARGN}")
endfunction()
function(zephyr_include_directories)
    message("headers ${ARGN}")
endfunction()
include(${FOLDER}/CMakeLists.txt)
include(${FOLDER}/zephyr/CMakeLists.txt)
"""


def test_esp_idf_and_zephyr_are_given_every_source(folder, tmp_path):
    """Without their SDKs: in CMake's script mode, in which ESP-IDF reads a component first."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    (tmp_path / "script.cmake").write_text(SCRIPT)
    done = subprocess.run(
        ["cmake", f"-DFOLDER={folder}", "-P", "script.cmake"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.replace(";", " ").split() for line in done.stderr.splitlines()]
    said = {line[0]: line[1:] for line in lines}
    sources = {path.resolve() for path in (folder / "src").rglob("*.c")}
    assert len(sources) > 20
    component = said["component"]
    assert component[0] == "SRCS"
    assert component[-2:] == ["INCLUDE_DIRS", "src"]
    assert {Path(path).resolve() for path in component[1:-2]} == sources
    assert {Path(path).resolve() for path in said["library"]} == sources
    assert Path(said["headers"][0]).resolve() == (folder / "src").resolve()
