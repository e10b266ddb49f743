"""The C graph equals its NumPy twin in every bit: host compilers, sanitizers, Cortex-M."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from avx2 import AVX2_ALONE
from edges import at_the_edge
from graphs import as_pow2, random_graph, small_graph
from pairing import pairs
from torch import nn
from wild_graphs import depthwise_graph, wild_graph

from spoken_digits.embedded import boards, commands, host_network, objects
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import operators as c_operators
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.integer import ds_cnn
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import FEATURES, IntegerGraph, Node
from spoken_digits.integer.operators.base import IntegerOperator, Shape
from spoken_digits.integer.operators.convolution import Convolution
from spoken_digits.integer.operators.depthwise import Depthwise
from spoken_digits.integer.operators.rows import Rows
from spoken_digits.integer.operators.window import Window
from spoken_digits.models.architectures.ds_cnn import Network

HOST_BUILDS = [
    ("gcc", ("-O0", *NO_FLOAT)),
    ("gcc", ("-O3", "-march=native")),
    ("clang", ("-O3", *NO_FLOAT)),
    *AVX2_ALONE,
]

CODE_BYTES = {"m0": 3200, "m3": 4200, "m4": 4300}
STACK_BYTES, TINY_BYTES = 512, 11_700
INSTRUCTIONS = {"m0": 17_000_000, "m3": 9_600_000, "m4": 6_500_000}

TINY = {
    "stem_channels": 32,
    "blocks": [
        {"channels": 48, "stride": [2, 1]},
        {"channels": 64, "stride": [1, 2]},
        {"channels": 64, "stride": [1, 1]},
        {"channels": 64, "stride": [2, 1]},
        *({"channels": 64, "stride": [1, 1]} for _ in range(3)),
    ],
}


def random_clips(graph: IntegerGraph, rng: np.random.Generator, n: int = 24) -> np.ndarray:
    """Noise of every loudness; extremes."""
    shape = n, graph.n_frames, graph.n_inputs
    clips = np.clip(rng.normal(0, rng.uniform(0, 128, (n, 1, 1)), shape), -128, 127)
    clips[0], clips[1], clips[2] = -128, 127, 0
    clips[3] = rng.choice([-128, 127], shape[1:])
    return clips.astype(np.int8)


def tiny_graph() -> IntegerGraph:
    """Of the shape of the model `tiny`."""
    torch.manual_seed(5)
    network = Network(input_shape=(54, 40), n_classes=10, depthwise_relu=True, dropout=0.0, **TINY)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.6)
            nn.init.normal_(module.bias, 0.0, 0.3)
    network.train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.randn(8, 54, 40), torch.full((8,), 54))
    parent = ds_cnn.from_state(
        {name: tensor.numpy() for name, tensor in network.eval().state_dict().items()},
        strides=[tuple(block["stride"]) for block in TINY["blocks"]],
        mean=np.linspace(-20, 20, 40),
        std=18.0,
        n_frames=54,
    )
    rng = np.random.default_rng(0)
    return quantise(parent, np.clip(rng.normal(0, 20, (8, 54, 40)), -128, 127).astype(np.int8))


def accumulators(operator: Convolution | Depthwise, x: np.ndarray) -> np.ndarray:
    """W v at every position, without bias: (n_clips, frames, bands, n_rows)."""
    seen = operator.window.seen(x.astype(np.float64))  # (..., n_channels, k frames, k bands)
    weight = operator.rows.weight.astype(np.float64)
    if isinstance(operator, Depthwise):
        return np.einsum("ntfcij,cij->ntfc", seen, weight.reshape(-1, *operator.window.kernel))
    return np.moveaxis(seen, 3, 5).reshape(*seen.shape[:3], -1) @ weight.T


def balanced(graph: IntegerGraph, clips: np.ndarray) -> IntegerGraph:
    """The same with biases and shifts that keep activations between 0 and 255."""
    nodes: list[Node[IntegerOperator]] = []
    results: list[np.ndarray] = []
    for node in graph.nodes:
        operator = node.operator
        read = [clips.astype(int)[..., None] if i == FEATURES else results[i] for i in node.inputs]
        if isinstance(operator, Convolution | Depthwise):
            raw = accumulators(operator, read[0])
            deviation = raw.std(axis=(0, 1, 2)) + 1
            shift = np.clip(np.round(np.log2(deviation / 60)), 0, 24).astype(np.int64)
            if isinstance(operator, Convolution):
                shift[:] = int(np.median(shift))
            bias = (60 << shift) - raw.mean(axis=(0, 1, 2)).astype(int)
            rows = dataclasses.replace(operator.rows, bias=bias.astype(np.int32), shift=shift)
            operator = dataclasses.replace(operator, rows=rows)
        nodes.append(Node(operator, node.inputs))
        results.append(operator.run(read))
    return dataclasses.replace(graph, nodes=tuple(nodes))


def full(graph: IntegerGraph, clips: np.ndarray) -> np.ndarray:
    return np.full(len(clips), graph.n_frames)


def on_host(firmware, graph, folder: Path, build, clips) -> np.ndarray:
    compiler, flags = build
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    library = host_network.build_host_library(
        firmware, graph, folder, compiler=compiler, flags=flags
    )
    return host_network.logits_on_host(library, clips, full(graph, clips), graph.n_classes)


def assert_equal(actual: np.ndarray, graph: IntegerGraph, clips: np.ndarray) -> None:
    different = (actual != graph.logits(clips)).any(axis=1)
    assert not different.any(), f"{different.sum()} of {len(clips)} clips differ"


GRAPHS = {
    **{f"chain{seed}": random_graph for seed in range(4)},
    # Several vectors of a desktop's processor, and a rest: up to 16 channels at once.
    **{f"wide{seed}": lambda rng: random_graph(rng, n_channels=(17, 70)) for seed in range(3)},
    **{f"wild{seed}": wild_graph for seed in range(8)},
    **{f"pow2_chain{seed}": lambda rng: as_pow2(random_graph(rng)) for seed in range(2)},
    **{f"pow2_wild{seed}": lambda rng: as_pow2(wild_graph(rng)) for seed in range(6)},
}


def make(name: str) -> tuple[IntegerGraph, np.ndarray]:
    rng = np.random.default_rng(list(name.encode()))
    graph = GRAPHS[name](rng)
    clips = random_clips(graph, rng)
    return balanced(graph, clips), clips


@pytest.mark.parametrize(("name", "build"), pairs(list(GRAPHS), HOST_BUILDS, one_in=2), ids=str)
def test_host_equals_numpy(name, build, firmware, tmp_path):
    graph, clips = make(name)
    assert_equal(on_host(firmware, graph, tmp_path, build, clips), graph, clips)


@pytest.mark.parametrize("build", HOST_BUILDS, ids=lambda b: f"{b[0]}{b[1][0]}{b[1][-1]}")
@pytest.mark.parametrize("name", ["chain1", "wide1", "wild1", "wild4", "pow2_wild1"])
def test_host_equals_numpy_at_the_limits(name, build, firmware, tmp_path):
    graph, clips = make(name)
    graph = at_the_edge(graph, np.random.default_rng(1))
    assert_equal(on_host(firmware, graph, tmp_path, build, clips), graph, clips)


def test_the_tests_see_something():
    """Random graphs whose logits did not depend on the clip would test nothing."""
    for name in GRAPHS:
        graph, clips = make(name)
        assert len(np.unique(graph.logits(clips), axis=0)) > len(clips) // 2, name


def test_a_changed_bit_is_noticed(firmware, tmp_path):
    """Negative control: one weight one step off is a mismatch."""
    graph = small_graph()
    clips = random_clips(graph, np.random.default_rng(2))
    number = next(i for i, node in enumerate(graph.nodes) if node.operator.kind == "depthwise")
    operator = graph.nodes[number].operator
    weight = operator.rows.weight.copy()
    weight[np.unravel_index(np.abs(weight).argmax(), weight.shape)] ^= 1
    rows = dataclasses.replace(operator.rows, weight=weight)
    nodes = list(graph.nodes)
    nodes[number] = dataclasses.replace(
        nodes[number], operator=dataclasses.replace(operator, rows=rows)
    )
    other = dataclasses.replace(graph, nodes=tuple(nodes))
    actual = on_host(firmware, other, tmp_path, HOST_BUILDS[1], clips)
    with pytest.raises(AssertionError, match="clips differ"):
        assert_equal(actual, graph, clips)


def test_a_ring_one_frame_shorter_is_wrong(firmware, tmp_path, monkeypatch):
    """Every ring is as short as can be."""
    graph = small_graph()
    clips = random_clips(graph, np.random.default_rng(3))
    honest = c_graph.layout(graph)
    longer = [i for i, frames in enumerate(honest.ring) if frames > 1]
    assert longer
    for number in longer:
        ring = list(honest.ring)
        ring[number] -= 1
        short = dataclasses.replace(honest, ring=tuple(ring))
        monkeypatch.setattr(c_graph, "layout", lambda _, short=short: short)
        folder = tmp_path / str(number)
        folder.mkdir()
        actual = on_host(firmware, graph, folder, HOST_BUILDS[1], clips)
        with pytest.raises(AssertionError, match="clips differ"):
            assert_equal(actual, graph, clips)


def test_misuse_has_a_status_and_changes_nothing(firmware, tmp_path):
    graph = small_graph()
    clips = random_clips(graph, np.random.default_rng(4))
    library = ctypes.CDLL(str(host_network.build_host_library(firmware, graph, tmp_path)))
    model = ctypes.addressof(ctypes.c_char.in_dll(library, "sd_model"))
    memory = np.full(c_graph.layout(graph).n_bytes // 4, 0xA5A5A5A5, np.uint32)
    logits = np.full(graph.n_classes, 77, np.int32)

    def call(name: str, *values: np.ndarray) -> int:
        arguments = [ctypes.c_void_p(value.ctypes.data) for value in (memory, *values)]
        return getattr(library, name)(ctypes.c_void_p(model), *arguments)

    def push(clip: np.ndarray) -> set[int]:
        return {call("sd_graph_push", frame) for frame in clip}

    call("sd_graph_reset")
    assert call("sd_graph_finish", logits) == 2
    assert push(clips[5, :-1]) == {0}
    assert call("sd_graph_finish", logits) == 2
    assert (logits == 77).all()
    assert push(clips[5, -1:]) == {0}
    before = memory.copy()
    assert push(clips[6, :2]) == {1}
    np.testing.assert_array_equal(memory, before)
    for _ in range(2):  # asking again gives the same
        assert call("sd_graph_finish", logits) == 0
        np.testing.assert_array_equal(logits, graph.logits(clips[5:6])[0])
        logits[:] = 77
    assert push(clips[6, :2]) == {1}

    call("sd_graph_reset")
    push(clips[7, :9])  # a clip that is given up
    call("sd_graph_reset")
    assert push(clips[8]) == {0}
    assert call("sd_graph_finish", logits) == 0
    np.testing.assert_array_equal(logits, graph.logits(clips[8:9])[0])


DRIVER = r"""
#include <stdio.h>
#include "graph_host.c"
int main(void)
{
    static int8_t frames[SD_MODEL_N_FRAMES * SD_MODEL_N_INPUTS];
    int32_t logits[SD_MODEL_N_CLASSES];
    while (fread(frames, sizeof frames, 1, stdin) == 1) {
        if (sd_host_logits(frames, SD_MODEL_N_FRAMES, logits) != 0) {
            return 3;
        }
        for (uint16_t c = 0; c < SD_MODEL_N_CLASSES; c++) {
            printf("%ld ", (long)logits[c]);
        }
        printf("%u ", (unsigned)sd_argmax(logits, SD_MODEL_N_CLASSES));
    }
    return 0;
}
"""


def test_sanitizers_find_nothing(firmware, tmp_path):
    compiler = "clang" if shutil.which("clang") else "gcc"
    source, program = tmp_path / "driver.c", tmp_path / "driver"
    source.write_text(DRIVER)
    for name in ("chain0", "wild2", "wild5", "pow2_wild2"):
        graph, clips = make(name)
        for network in (graph, at_the_edge(graph, np.random.default_rng(5))):
            paths = [*host_network.sources_of(firmware, network), source]
            paths.append(host_network.write_model(network, tmp_path))
            flags = ["-std=c99", "-g", "-O1", "-fsanitize=address,undefined"]
            flags.append("-fno-sanitize-recover=all")
            commands.call(
                *(compiler, *flags, "-o", str(program)),
                *map(str, objects.compiled(compiler, flags, paths)),
                *(f"-I{folder}" for folder in (firmware, firmware / "host", tmp_path)),
                packages="a C compiler",
            )
            done = subprocess.run(
                [program], input=clips.tobytes(), capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr.decode()
            actual = np.array(done.stdout.split(), np.int64).reshape(len(clips), -1)
            assert_equal(actual[:, :-1], network, clips)
            np.testing.assert_array_equal(actual[:, -1], network.logits(clips).argmax(1))


def test_headers_are_safe_for_cpp(firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    host_network.write_model(small_graph(), tmp_path)
    source = tmp_path / "use.cpp"
    source.write_text(
        '#include "sd_model.h"\nstatic sd_model_memory memory;\n'
        "int main() { int32_t logits[SD_MODEL_N_CLASSES];\n"
        "sd_graph_reset(&sd_model, &memory);\n"
        "return sd_graph_finish(&sd_model, &memory, logits) == SD_GRAPH_OK; }\n"
    )
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-c", "-o", str(tmp_path / "use.o")]
    folders = [f"-I{folder}" for folder in (firmware, tmp_path)]
    subprocess.run(["g++", *flags, *folders, str(source)], check=True)


# ---- the generator


def test_same_graph_same_bytes():
    files = [
        c_graph.c_files(small_graph(), "sd_words", labels=list("abcde"), provenance={"a": "b */"})
        for _ in range(2)
    ]
    assert files[0] == files[1]
    assert sorted(files[0]) == ["sd_words.c", "sd_words.h"]
    header = files[0]["sd_words.h"]
    assert "a: b * /\n" in header
    assert f"#define SD_WORDS_STATE_BYTES {c_graph.layout(small_graph()).n_bytes}\n" in header
    with pytest.raises(ValueError, match="1 labels for 5 classes"):
        c_graph.c_files(small_graph(), "sd_words", labels=["oui"], provenance={})


def test_each_code_brings_its_own_files_and_no_others():
    graph = small_graph()
    stems = ("convolution", "depthwise", "linear", "rows")
    of_int8, of_pow2 = (set(c_graph.sources(one)) for one in (graph, as_pow2(graph)))
    assert of_int8 - of_pow2 == {f"sd_{stem}.c" for stem in stems}
    assert of_pow2 - of_int8 == {f"sd_{stem}_pow2.c" for stem in stems}
    assert c_graph.layout(as_pow2(graph)).n_bytes <= c_graph.layout(graph).n_bytes


def test_weights_of_powers_of_two_take_half_the_bytes():
    graph, halved = (one.nodes[2].operator for one in (small_graph(), as_pow2(small_graph())))
    assert graph.kind == "depthwise"
    n_channels = len(graph.rows.bias)
    assert graph.n_bytes() - halved.n_bytes() == n_channels * (9 - 5)
    text = c_operators.constants(2, halved, Shape(8, 5), Shape(4, 5), n_frames=11, wide=False)
    assert f"int8_t weights_2[{5 * n_channels}] = " in text


def test_what_c_cannot_run_is_refused():
    graph = small_graph()
    stem = graph.nodes[1]
    direct = dataclasses.replace(
        graph, nodes=(graph.nodes[0], Node(stem.operator, (FEATURES,)), *graph.nodes[2:])
    )
    with pytest.raises(ValueError, match="node 1: a convolution cannot read the features in C"):
        c_graph.check(direct)
    headless = dataclasses.replace(graph, nodes=graph.nodes[:-1])
    with pytest.raises(ValueError, match="must be a linear one"):
        c_graph.check(headless)
    rows = Rows(
        weight=np.ones((5, 35), np.int8), bias=np.zeros(5, np.int32), shift=np.zeros(5, np.int64)
    )
    window = Window(kernel=(7, 5), stride=(1, 1), padding=(3, 2))
    wide = Node(Depthwise(rows=rows, window=window), (1,))
    nodes = (*graph.nodes[:2], wide, Node(graph.nodes[2].operator, (2,)))
    rest = [
        dataclasses.replace(node, inputs=tuple(i + (i > 1) for i in node.inputs))
        for node in graph.nodes[3:]
    ]
    rest[0] = dataclasses.replace(rest[0], inputs=(3,))
    with pytest.raises(ValueError, match="node 2: a depthwise window has at most 25 values"):
        c_graph.check(dataclasses.replace(graph, nodes=(*nodes, *rest)))


# ---- Cortex-M


@pytest.fixture(params=sorted(boards.BOARDS))
def board(request) -> boards.Board:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


def test_board_equals_numpy_and_keeps_to_its_budget(board, firmware, tmp_path):
    graph = tiny_graph()
    clips = random_clips(graph, np.random.default_rng(7), n=4)
    actual, report = host_network.logits_on_board(
        board, firmware, graph, clips, full(graph, clips), timeout_s=300
    )
    assert_equal(actual, graph, clips)
    assert report["clips"] == len(clips)
    assert report["clip_instructions_max"] <= INSTRUCTIONS[board.name]
    assert report["stack_bytes"] <= STACK_BYTES
    assert report["ram_bytes"] == report["state_bytes"] == c_graph.layout(graph).n_bytes
    assert report["ram_bytes"] <= TINY_BYTES
    *code, _ = host_network.compile_objects(board, firmware, graph, tmp_path)
    assert boards.object_sizes(code)[0] <= CODE_BYTES[board.name]


def test_board_equals_numpy_at_the_limits(board, firmware):
    for name in ("chain2", "wild3", "pow2_wild3"):
        graph, clips = make(name)
        for network in (graph, at_the_edge(graph, np.random.default_rng(6))):
            actual, _ = host_network.logits_on_board(
                board,
                firmware,
                network,
                clips[:8],
                full(network, clips[:8]),
                optimisation="-Os",
            )
            assert_equal(actual, network, clips[:8])


@pytest.mark.parametrize(
    "stride",
    [
        (1, 1),
        (2, 2),
        pytest.param((2, 1), marks=pytest.mark.exhaustive),
        pytest.param((1, 2), marks=pytest.mark.exhaustive),
    ],
)
def test_board_equals_numpy_at_the_borders_of_a_depthwise_window(stride, board, firmware):
    """One band, two, an odd and an even number; up to two frames beyond each end of the clip."""
    rng = np.random.default_rng(3)
    for padding, n_bands in ((1, 1), (2, 2), (2, 5), (1, 6)):
        graph = depthwise_graph(rng, stride, padding, n_bands)
        clips = random_clips(graph, rng, n=5)
        actual, _ = host_network.logits_on_board(board, firmware, graph, clips, full(graph, clips))
        assert_equal(actual, graph, clips)


def test_neither_float_nor_heap_on_arm(board, firmware, tmp_path):
    objects = host_network.compile_objects(board, firmware, small_graph(), tmp_path)
    names = [name for path in objects for name in boards.symbols(path)]
    assert "sd_graph_push" in names
    assert "sd_rows_block" in names
    assert not [name for name in names if name.startswith("__")]  # no run-time helper of any kind
    assert not set(names) & {"malloc", "free", "calloc", "realloc"}
