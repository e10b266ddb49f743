"""LSTMs in C equal their NumPy twins in every bit: host compilers, sanitizers, Cortex-M."""

from __future__ import annotations

import ctypes
import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from avx2 import AVX2_ALONE
from frontend_spec import committed_spec
from networks import extreme_network, lstm_graph, random_features, random_parent
from pairing import pairs

from spoken_digits.embedded import boards, commands, host_network, objects
from spoken_digits.embedded.emit import activation, rows
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.errors import UserError
from spoken_digits.integer.activation import TABLE
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.frontend import frontend
from spoken_digits.integer.graph import IntegerGraph, Node, predict
from spoken_digits.integer.limits import SCHEMES, Scheme
from spoken_digits.integer.operators.linear import Linear
from spoken_digits.integer.operators.mean import Mean
from spoken_digits.integer.operators.rows import Rows

HOST_BUILDS = [
    ("gcc", ("-O0", *NO_FLOAT)),
    ("gcc", ("-O3", *NO_FLOAT)),
    ("gcc", ("-O3", "-march=native")),
    ("clang", ("-O3", *NO_FLOAT)),
    ("clang", ("-O2", "-march=native")),
    *AVX2_ALONE,
]
# units, layers, classes: fewer units than a vector holds, whole vectors, vectors and a rest;
# 16, 6, 37, 48, 61, 96, 63 and 100 columns leave every rest of a division by four
SHAPES = [(1, 1, 2), (3, 3, 5), (24, 2, 10), (48, 2, 10), (50, 2, 35)]

FLASH_BYTES, RAM_BYTES = 12_800, 368
STACK_BYTES = {"int8": 256, "pow2": 620}
INSTRUCTIONS = {
    ("int8", "m0"): 1_650_000,
    ("int8", "m3"): 1_050_000,
    ("int8", "m4"): 700_000,
    ("pow2", "m0"): 2_700_000,
    ("pow2", "m3"): 2_050_000,
    ("pow2", "m4"): 2_050_000,
}


def random_network(scheme: Scheme, h: int, n_layers: int, n_classes: int) -> IntegerGraph:
    parent = random_parent(h, h=h, n_layers=n_layers, n_classes=n_classes, scale=3.0)
    return quantise(parent, *random_features(h), code=scheme)


def with_rows(operator, **changes):
    return dataclasses.replace(operator, rows=dataclasses.replace(operator.rows, **changes))


def assert_equal(actual: np.ndarray, network: IntegerGraph, features, n_frames) -> None:
    different = (actual != network.logits(features, n_frames)).any(axis=1)
    assert not different.any(), f"{different.sum()} of {len(features)} clips differ"


def on_host(firmware, network, folder: Path, build, features, n_frames) -> np.ndarray:
    compiler, flags = build
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    library = host_network.build_host_library(
        firmware, network, folder, compiler=compiler, flags=flags
    )
    return host_network.logits_on_host(library, features, n_frames, network.n_classes)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("shape", "build"), pairs(SHAPES, HOST_BUILDS, one_in=3), ids=str)
def test_host_equals_numpy(shape, build, scheme, firmware, tmp_path):
    network = random_network(scheme, *shape)
    features, n_frames = random_features(9, n_clips=100)
    assert_equal(
        on_host(firmware, network, tmp_path, build, features, n_frames),
        network,
        features,
        n_frames,
    )


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("build", HOST_BUILDS, ids=lambda b: f"{b[0]}{b[1][0]}{b[1][-1]}")
def test_host_equals_numpy_at_the_limits(build, scheme, sign, firmware, tmp_path):
    network = extreme_network(scheme, sign, n_units=9)
    features, n_frames = random_features(2)
    actual = on_host(firmware, network, tmp_path, build, features, n_frames)
    assert_equal(actual, network, features, n_frames)
    assert (predict(actual) == 0).all()  # classes 0 and 1 are equal: the lowest index wins


def test_power_of_two_weights_give_the_same_logits_multiplied(firmware, tmp_path):
    """Shifts and adds against multiplication: the same network in the other code."""
    network = random_network("pow2", 24, 2, 10)
    features, n_frames = random_features(4)
    nodes = [
        dataclasses.replace(node, operator=with_rows(node.operator, code="int8"))
        if node.operator.code
        else node
        for node in network.nodes
    ]
    multiplied = dataclasses.replace(network, nodes=tuple(nodes))
    assert multiplied.scheme == "int8"
    actual = on_host(firmware, multiplied, tmp_path, HOST_BUILDS[1], features, n_frames)
    assert_equal(actual, network, features, n_frames)


def test_a_changed_bit_is_noticed(firmware, tmp_path):
    """Negative control: one weight one step off is a mismatch."""
    network = random_network("int8", 24, 2, 10)
    features, n_frames = random_features(4)
    nodes = list(network.nodes)
    changed = nodes[2].operator.rows.weight.copy()
    changed[30, 20] ^= 1
    nodes[2] = Node(with_rows(nodes[2].operator, weight=changed), nodes[2].inputs)
    other = dataclasses.replace(network, nodes=tuple(nodes))
    actual = on_host(firmware, other, tmp_path, HOST_BUILDS[1], features, n_frames)
    with pytest.raises(AssertionError, match="clips differ"):
        assert_equal(actual, network, features, n_frames)


DRIVER = r"""
#include <stdio.h>
#include "graph_host.c"
int main(void)
{
    static int8_t frames[40 * SD_MODEL_N_INPUTS];
    static sd_model_memory memory;
    int32_t logits[SD_MODEL_N_CLASSES], again[SD_MODEL_N_CLASSES];
    const uint32_t n = (uint32_t)fread(frames, SD_MODEL_N_INPUTS, 40, stdin);
    uint16_t c;
    if (sd_host_logits(frames, n, logits) != 0) {
        return 2;
    }
    sd_graph_reset(&sd_model, &memory);
    for (uint32_t i = 0; i < n; i++) {
        sd_graph_push(&sd_model, &memory, frames + i * SD_MODEL_N_INPUTS);
        sd_graph_finish(&sd_model, &memory, again); /* asking midway must change nothing */
    }
    sd_graph_finish(&sd_model, &memory, again);
    for (c = 0; c < SD_MODEL_N_CLASSES; c++) {
        if (logits[c] != again[c]) {
            return 3;
        }
    }
    printf("%u", (unsigned)sd_argmax(logits, SD_MODEL_N_CLASSES));
    for (c = 0; c < SD_MODEL_N_CLASSES; c++) {
        printf(" %ld", (long)logits[c]);
    }
    return 0;
}
"""


def run_driver(program: Path, frames: np.ndarray) -> list[int]:
    done = subprocess.run([program], input=frames.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize("march", ["-DSD_PORTABLE", "-march=native"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_sanitizers_find_nothing(scheme, compiler, march, firmware, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source, program = tmp_path / "driver.c", tmp_path / "driver"
    source.write_text(DRIVER)
    features, n_frames = random_features(6, n_clips=10)
    for network in (extreme_network(scheme, 1), random_network(scheme, 9, 2, 3)):
        paths = [*host_network.sources_of(firmware, network), source]
        paths.append(host_network.write_model(network, tmp_path))
        flags = ["-std=c99", "-g", "-O1", march, "-fsanitize=address,undefined"]
        flags.append("-fno-sanitize-recover=all")
        commands.call(
            *(compiler, *flags, "-o", str(program)),
            *map(str, objects.compiled(compiler, flags, paths)),
            *(f"-I{folder}" for folder in (firmware, firmware / "host", tmp_path)),
            packages="a C compiler",
        )
        logits = network.logits(features, n_frames)
        for clip, n, expected in zip(features, n_frames, logits, strict=True):
            winner, *actual = run_driver(program, clip[:n])
            assert winner == predict(expected[None])[0]
            assert actual == expected.tolist()


def test_a_clip_of_too_many_frames_has_a_status_and_its_logits(firmware, tmp_path):
    """The sums stay within int32 however long the stream."""
    network = random_network("int8", 1, 1, 2)
    library = host_network.build_host_library(firmware, network, tmp_path)
    frame = np.full((1, 13), 127, np.int8)
    endless = np.repeat(frame, 65536, axis=0)[None]
    cut = network.logits(endless[:, :65535])
    actual = host_network.logits_on_host(library, endless, np.array([65535]), 2)
    np.testing.assert_array_equal(actual, cut)
    with pytest.raises(ValueError, match="a clip of 65536 frames has status 1"):
        host_network.logits_on_host(library, endless, np.array([65536]), 2)


def test_misuse_has_a_status_and_changes_nothing(firmware, tmp_path):
    network = dataclasses.replace(random_network("int8", 3, 2, 5), n_frames=4)
    library = ctypes.CDLL(str(host_network.build_host_library(firmware, network, tmp_path)))
    model = ctypes.addressof(ctypes.c_char.in_dll(library, "sd_model"))
    memory = np.full(c_graph.layout(network).n_bytes // 4, 0xA5A5A5A5, np.uint32)
    logits = np.full(5, 77, np.int32)
    clips, _ = random_features(5, n_clips=9)

    def call(name: str, *values: np.ndarray) -> int:
        arguments = [ctypes.c_void_p(value.ctypes.data) for value in (memory, *values)]
        return getattr(library, name)(ctypes.c_void_p(model), *arguments)

    def assert_answers(clip: np.ndarray) -> None:
        logits[:] = 77
        assert call("sd_graph_finish", logits) == 0
        np.testing.assert_array_equal(logits, network.logits(clip[None])[0])

    for clip in clips[[6, 7]]:  # the first is given up
        call("sd_graph_reset")
        for n in range(5):
            assert library.sd_graph_n_done(ctypes.c_void_p(memory.ctypes.data)) == n
            assert_answers(clip[:n])
            assert_answers(clip[:n])
            assert n == 4 or call("sd_graph_push", clip[n]) == 0
    before = memory.copy()
    assert call("sd_graph_push", clips[8, 0]) == 1
    np.testing.assert_array_equal(memory, before)
    assert_answers(clips[7, :4])
    call("sd_graph_reset")
    assert_answers(clips[7, :0])


@pytest.mark.skipif(not NO_FLOAT, reason="needs x86-64")
def test_no_float_on_x86_and_the_check_can_fail(firmware, tmp_path):
    network = random_network("int8", 3, 1, 2)
    host_network.build_host_library(firmware, network, tmp_path, flags=("-O2", *NO_FLOAT))
    copy = tmp_path / "firmware"
    shutil.copytree(firmware, copy)
    with (copy / "sd_graph.c").open("a") as file:
        file.write("double sd_float(double x);\ndouble sd_float(double x) { return x * 1.5; }\n")
    with pytest.raises(UserError, match="failed with status"):
        host_network.build_host_library(copy, network, tmp_path, flags=("-O2", *NO_FLOAT))


def test_headers_are_safe_for_cpp(firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    network = random_network("int8", 3, 1, 2)
    host_network.write_model(network, tmp_path)
    source = tmp_path / "use.cpp"
    source.write_text(
        '#include "sd_model.h"\n#include "sd_unit.h"\n#include "sd_rows_pow2.h"\n'
        "static sd_model_memory memory;\n"
        "int main() { int32_t logits[SD_MODEL_N_CLASSES];\n"
        "sd_graph_reset(&sd_model, &memory);\n"
        "if (sd_graph_finish(&sd_model, &memory, logits) != SD_GRAPH_OK) return 2;\n"
        "return sd_model_labels[sd_argmax(logits, 2)][0] == 0; }\n"
    )
    folders = [f"-I{folder}" for folder in (firmware, tmp_path)]
    objects = tmp_path / "objects"
    objects.mkdir()
    paths = [*host_network.sources_of(firmware, network), tmp_path / "sd_model.c"]
    subprocess.run(["gcc", "-std=c99", "-c", *folders, *map(str, paths)], cwd=objects, check=True)
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(
        [
            *("g++", *flags, *folders, str(source)),
            *map(str, objects.glob("*.o")),
            *("-o", str(tmp_path / "use")),
        ],
        check=True,
    )
    subprocess.run([tmp_path / "use"], check=True)


@pytest.fixture(scope="module")
def recorded(fsdd_pcm):
    """Features of every recording by the integer front-end."""
    return frontend.extract(fsdd_pcm, committed_spec())


@pytest.mark.corpus
@pytest.mark.parametrize("scheme", SCHEMES)
def test_host_equals_numpy_on_every_recording(scheme, recorded, firmware, tmp_path):
    network = random_network(scheme, 24, 2, 10)
    for number, build in enumerate(HOST_BUILDS[1:4]):
        folder = tmp_path / str(number)
        folder.mkdir()
        actual = on_host(firmware, network, folder, build, *recorded)
        assert_equal(actual, network, *recorded)


# ---- the generator


def test_same_network_same_bytes_and_no_surprises_in_the_card():
    network = random_network("int8", 3, 1, 2)
    card = {"corpus": "a */ b", "note": "two\nlines"}
    files = c_graph.c_files(network, "sd_words", labels=["oui", 'n"\u00f6'], provenance=card)
    assert files == c_graph.c_files(
        network, "sd_words", labels=["oui", 'n"\u00f6'], provenance=card
    )
    assert sorted(files) == ["sd_words.c", "sd_words.h"]
    assert "corpus: a * / b\n" in files["sd_words.h"]
    assert "note: two lines\n" in files["sd_words.h"]
    assert r'{"oui", "n\042\303\266"}' in files["sd_words.c"]
    assert re.search(r"/\*(?:(?!\*/).)*corpus", files["sd_words.h"], re.DOTALL)
    with pytest.raises(ValueError, match="1 labels for 2 classes"):
        c_graph.c_files(network, "sd_words", labels=["oui"], provenance={})
    with pytest.raises(ValueError, match="no lower-case C identifier"):
        c_graph.c_files(network, "sd-words", labels=["oui", "non"], provenance={})


def test_activation_table_in_the_repository_is_the_generated_one(firmware):
    text = (firmware / "sd_activation.c").read_text()
    assert text == activation.c_source()
    numbers = re.findall(r"\d+", text[text.index("{") :])
    np.testing.assert_array_equal(np.array(numbers, int), TABLE)


def test_order_of_weights_is_the_documented_one():
    # unit 0 rows 10, 20, 30, 40 and unit 1 rows 15, 25, 35, 45; columns add 0, 1, 2
    first = np.array([10, 15, 20, 25, 30, 35, 40, 45])
    weight = (first[:, None] + np.arange(3)).astype(np.int8)
    stored = rows.stored(rows.units_of_gates(weight), "int8") - 128
    unit = [10, 20, 11, 21, 30, 40, 31, 41, 12, 22, 32, 42]
    assert stored.tolist() == unit + [one + 5 for one in unit]
    weight = np.array([[1, -2, 64], [0, 4, -64], [8, 16, 32], [-1, 0, 2]], np.int8)
    codes = rows.stored(rows.units_of_gates(weight), "pow2")
    assert codes.tolist() == [0xA1, 0x30, 0x54, 0x09, 0x07, 0x0F, 0x06, 0x02]


def test_what_c_cannot_run_is_refused():
    network = random_network("int8", 3, 2, 2)
    shift, first, second, mean, linear = network.nodes
    beside = Node(second.operator, (1,)), Node(second.operator, (1,))
    twice = (shift, first, *beside, Node(mean.operator, (3,)), Node(linear.operator, (4,)))
    with pytest.raises(ValueError, match="node 3: in C an lstm must read alone, in clips of any"):
        c_graph.check(dataclasses.replace(network, nodes=twice))
    with pytest.raises(ValueError, match="node 1: in C an lstm must read alone, in clips of any"):
        c_graph.check(dataclasses.replace(network, any_length=False))


def test_a_memory_beyond_16_bits_is_refused():
    for n, fits in ((10_000, True), (20_000, False)):
        rows = Rows(
            weight=np.zeros((2, n), np.int8), bias=np.zeros(2, np.int32), shift=np.zeros(2, int)
        )
        graph = lstm_graph(np.zeros(n, int), Mean(), Linear(rows=rows))
        if fits:
            assert c_graph.layout(graph).n_bytes == 4 + 2 * n + 4 * n
        else:
            with pytest.raises(ValueError, match="bytes of memory, C has offsets of 16 bits"):
                c_graph.layout(graph)


# ---- Cortex-M


@pytest.fixture(params=sorted(boards.BOARDS))
def board(request) -> boards.Board:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_board_equals_numpy_and_keeps_to_its_budget(scheme, board, firmware):
    network = random_network(scheme, 24, 2, 10)
    features, n_frames = random_features(7, n_clips=60)
    actual, report = host_network.logits_on_board(board, firmware, network, features, n_frames)
    assert_equal(actual, network, features, n_frames)
    assert report["clips"] == len(features)
    assert report["clip_instructions_max"] <= INSTRUCTIONS[scheme, board.name]
    assert report["flash_bytes"] <= FLASH_BYTES
    assert report["ram_bytes"] <= RAM_BYTES
    assert report["stack_bytes"] <= STACK_BYTES[scheme]
    assert report["state_bytes"] == report["ram_bytes"] == c_graph.layout(network).n_bytes


@pytest.mark.corpus
@pytest.mark.parametrize("board", ["m0", "m3"], indirect=True)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_board_equals_numpy_on_300_recordings(scheme, board, recorded, firmware):
    features, n_frames = (part[::10] for part in recorded)
    network = random_network(scheme, 24, 2, 10)
    actual, _ = host_network.logits_on_board(board, firmware, network, features, n_frames)
    assert_equal(actual, network, features, n_frames)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("optimisation", ["-O0", "-Os"])
def test_board_equals_numpy_at_the_limits(scheme, optimisation, board, firmware):
    features, n_frames = random_features(8, n_clips=12)
    for network in (extreme_network(scheme, 1), extreme_network(scheme, -1)):
        actual, _ = host_network.logits_on_board(
            board, firmware, network, features, n_frames, optimisation=optimisation
        )
        assert_equal(actual, network, features, n_frames)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_float_on_arm_and_the_check_can_fail(scheme, board, firmware, tmp_path):
    network = random_network(scheme, 3, 1, 2)
    objects = host_network.compile_objects(board, firmware, network, tmp_path)
    names = [name for path in objects for name in boards.symbols(path)]
    assert "sd_graph_push" in names
    assert "sd_graph_windows" not in names
    assert boards.float_helpers(names) == []
    assert not [name for name in names if name.startswith("__")]  # nor any other helper

    source = tmp_path / "float.c"
    source.write_text("float f(float x);\nfloat f(float x) { return x * 1.5f; }\n")
    control = boards.compile_object(board, source, tmp_path / "float.o", include_dirs=[])
    assert "__aeabi_fmul" in boards.float_helpers(boards.symbols(control))


def test_power_of_two_products_take_no_multiplication(board, firmware, tmp_path):
    if shutil.which("arm-none-eabi-objdump") is None:
        pytest.skip("arm-none-eabi-objdump is not installed")

    def listing(source: str) -> str:
        made = boards.compile_object(
            board, firmware / source, tmp_path / "sums.o", include_dirs=[firmware]
        )
        command = ["arm-none-eabi-objdump", "-d", str(made)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    multiplication = re.compile(r"\t(mul|mla|mls|smul|smla|umul)")
    assert "<sd_rows_pow2>:" in listing("sd_rows_pow2.c")
    assert not multiplication.search(listing("sd_rows_pow2.c"))
    assert multiplication.search(listing("sd_rows.c"))
