"""The whole recogniser in C: samples to logits as NumPy says, and a status for every misuse."""

from __future__ import annotations

import ctypes
import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from frontend_spec import committed_log_mel_spec, committed_spec
from recognisers import KINDS, expected, make, sounds

from spoken_digits.embedded import boards, host_recogniser
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.integer.graph import Node
from spoken_digits.integer.operators.linear import Linear

HOST_BUILDS = [("gcc", ("-O2", *NO_FLOAT)), ("clang", ("-O3", *NO_FLOAT))]
BLOCKS = [(160,), (1,), (0, 3, 777, 0), (100_000,)]

STATUSES = (
    *("OK", "NULL_POINTER", "OTHER_ABI", "OTHER_MODEL", "MEMORY_UNALIGNED", "MEMORY_TOO_SMALL"),
    *("NOT_INITIALISED", "ALREADY_ANSWERED", "NOTHING_HEARD", "CLIP_FULL"),
)
OK, CLIP_FULL, NOTHING_HEARD = (STATUSES.index(s) for s in ("OK", "CLIP_FULL", "NOTHING_HEARD"))


@pytest.mark.parametrize("build", HOST_BUILDS, ids=lambda b: b[0])
@pytest.mark.parametrize("kind", KINDS)
def test_host_equals_numpy_whatever_length_and_block(kind, build, firmware, tmp_path):
    compiler, flags = build
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    network, spec = make(kind)
    library = host_recogniser.build_host_library(
        firmware, network, spec, tmp_path, compiler=compiler, flags=flags
    )
    clips = sounds(1)
    right = expected(network, spec, clips)
    assert len(np.unique(right, axis=0)) > len(clips) // 2  # or equality would say nothing
    taken = 256 + (spec.n_frames - 1) * spec.hop_length
    for blocks in BLOCKS:
        logits, statuses = host_recogniser.logits_on_host(
            library, clips, network.n_classes, blocks=blocks
        )
        np.testing.assert_array_equal(logits, right)
        full = [CLIP_FULL if kind != "graph" and len(clip) > taken else OK for clip in clips]
        assert statuses == full


@pytest.mark.parametrize("kind", ["int8", "graph"])
def test_a_changed_bit_is_noticed(kind, firmware, tmp_path):
    """Negative control: another front-end is another recogniser."""
    network, spec = make(kind)
    change = {"floor_db": 40.0} if kind == "graph" else {"n_mels": 24}
    library = host_recogniser.build_host_library(
        firmware, network, dataclasses.replace(spec, **change), tmp_path
    )
    clips = sounds(2)
    logits, _ = host_recogniser.logits_on_host(library, clips, network.n_classes)
    assert (logits != expected(network, spec, clips)).any()


# ---- misuse


class Recogniser:
    """One in memory of its own, by the functions of C."""

    def __init__(self, library: Path, n_classes: int) -> None:
        self.c = ctypes.CDLL(str(library))
        model = (ctypes.c_char * 64).in_dll(self.c, "sd_words_model")
        self.model = ctypes.addressof(model)
        self.id, n_bytes = np.frombuffer(model, np.uint32)[[1, 12]].tolist()
        self.memory = np.full(n_bytes // 8 + 1, 0xA5A5A5A5A5A5A5A5, np.uint64)
        self.n_bytes = n_bytes
        self.state = np.zeros(3, np.uint64)
        self.logits = np.full(n_classes, 77, np.int32)
        self.word = np.full(1, 77, np.uint16)

    def call(self, name: str, *arguments: object) -> str:
        values = [
            ctypes.c_void_p(a.ctypes.data) if isinstance(a, np.ndarray)
            else ctypes.c_void_p(a) if a is None or (isinstance(a, int) and a > 2**32)
            else ctypes.c_uint32(a)
            for a in arguments
        ]  # fmt: skip
        return STATUSES[getattr(self.c, f"sd_recogniser_{name}")(*values)]

    def init(self, **changed: object) -> str:
        arguments = {
            "recogniser": self.state,
            "model": self.model,
            "id": self.id,
            "memory": self.memory,
            "n_bytes": self.n_bytes,
        }
        return self.call("init", *(arguments | changed).values())

    def reset(self) -> str:
        return self.call("reset", self.state)

    def hear(self, clip: np.ndarray | None, n: int | None = None) -> str:
        return self.call("hear", self.state, clip, len(clip) if n is None else n)

    def result(self) -> str:
        return self.call("result", self.state, self.logits, self.word)

    def everything(self) -> list[bytes]:
        return [a.tobytes() for a in (self.memory, self.state, self.logits, self.word)]


@pytest.fixture(params=["int8", "graph"])
def one(request, firmware, tmp_path):
    network, spec = make(request.param)
    library = host_recogniser.build_host_library(firmware, network, spec, tmp_path)
    return Recogniser(library, network.n_classes), network, spec


def test_misuse_has_a_status_and_changes_nothing(one):
    it, network, spec = one
    clip, other = sounds(3)[-2:]
    other = other[:1500]

    def refused(call, *arguments, **changed) -> str:
        before = it.everything()
        status = call(*arguments, **changed)
        assert it.everything() == before, status
        return status

    assert refused(it.hear, clip) == "NOT_INITIALISED"
    assert refused(it.result) == refused(it.reset) == "NOT_INITIALISED"
    it.state[:] = 0x0123456789ABCDEF  # memory that was never set
    assert refused(it.hear, clip) == "NOT_INITIALISED"
    for argument in ("recogniser", "model", "memory"):
        assert refused(it.init, **{argument: None}) == "NULL_POINTER"
    assert refused(it.init, id=it.id ^ 1) == "OTHER_MODEL"
    assert refused(it.init, n_bytes=it.n_bytes - 1) == "MEMORY_TOO_SMALL"
    for shift in (1, 4):
        unaligned = it.memory.ctypes.data + shift
        assert refused(it.init, memory=unaligned) == "MEMORY_UNALIGNED"
    abi = np.frombuffer((ctypes.c_char * 64).from_address(it.model), np.uint8).copy()
    abi[0] ^= 2
    assert refused(it.init, model=abi.ctypes.data) == "OTHER_ABI"

    assert it.init() == "OK"
    for call in ("reset", "hear", "result"):
        assert refused(it.call, call, None, it.logits, it.word) == "NULL_POINTER"
    assert refused(it.result) == "NOTHING_HEARD"
    assert refused(it.hear, None, 0) == "OK"
    assert refused(it.hear, clip, 0) == "OK"
    assert refused(it.hear, None, 5) == "NULL_POINTER"
    assert refused(it.result) == "NOTHING_HEARD"
    assert it.hear(other) == "OK"
    assert refused(it.call, "result", it.state, None, it.word) == "NULL_POINTER"
    assert refused(it.call, "result", it.state, it.logits, None) == "NULL_POINTER"
    assert it.result() == "OK"
    (right,) = expected(network, spec, [other])
    np.testing.assert_array_equal(it.logits, right)
    assert it.word[0] == right.argmax()
    assert refused(it.hear, clip) == refused(it.result) == "ALREADY_ANSWERED"

    assert it.reset() == "OK"
    assert refused(it.result) == "NOTHING_HEARD"
    it.hear(clip)
    assert it.reset() == "OK"  # a clip that is given up
    it.hear(other)
    it.result()
    np.testing.assert_array_equal(it.logits, right)
    assert it.init() == "OK"  # again, which is a reset too
    assert refused(it.result) == "NOTHING_HEARD"
    used = it.memory.tobytes()[it.n_bytes :]
    assert set(used) == {0xA5}  # nothing beyond


def test_a_full_clip_takes_what_has_room_and_says_so(firmware, tmp_path):
    network, spec = make("int8")
    library = host_recogniser.build_host_library(firmware, network, spec, tmp_path)
    it = Recogniser(library, network.n_classes)
    rng = np.random.default_rng(7)
    clip = rng.normal(0, 3000, 256 + (spec.n_frames - 1) * spec.hop_length + 1).astype(np.int16)
    it.init()
    assert it.hear(clip[:-1]) == "OK"
    before = it.everything()
    assert it.hear(clip[-1:]) == it.hear(clip) == "CLIP_FULL"
    assert it.hear(clip, 0) == "OK"
    assert it.everything() == before
    assert it.result() == "OK"
    np.testing.assert_array_equal(it.logits, expected(network, spec, [clip])[0])


# ---- what is generated


@pytest.mark.parametrize("kind", KINDS)
def test_same_model_same_bytes(kind):
    network, spec = make(kind)
    labels = [str(i) for i in range(network.n_classes)]
    again = make(kind)
    assert c_recogniser.c_files(network, spec, "sd_a", labels) == c_recogniser.c_files(
        *again, "sd_a", labels
    )


def test_the_id_depends_on_everything_that_decides_results():
    def ids(kind: str, change: dict[str, object]):
        network, spec = make(kind)
        labels = ["a", "b", "c", "d", "e"][: network.n_classes]
        yield c_recogniser.model_id(network, spec, labels)
        yield c_recogniser.model_id(network, dataclasses.replace(spec, **change), labels)
        yield c_recogniser.model_id(network, spec, labels[::-1])

    lstm, _ = make("int8")
    last = lstm.nodes[-1]
    bias = last.operator.rows.bias.copy()
    bias[0] ^= 1
    rows = dataclasses.replace(last.operator.rows, bias=bias)
    changed = dataclasses.replace(
        lstm, nodes=(*lstm.nodes[:-1], Node(Linear(rows=rows), last.inputs))
    )
    found = [
        *ids("int8", {"floor_lsb": 9.0}),
        *ids("pow2", {"n_frames": 24}),
        *ids("graph", {"floor_db": 40.0}),
        c_recogniser.model_id(changed, make("int8")[1], ["a", "b", "c"]),
    ]
    assert len(set(found)) == len(found)


def test_what_does_not_fit_is_refused():
    graph, words = make("graph")
    lstm, frames = make("int8")
    for network, spec in ((graph, frames), (lstm, words)):
        with pytest.raises(ValueError, match="no recogniser joins a network of clips of"):
            c_recogniser.check(network, spec)
    with pytest.raises(ValueError, match="12 features a frame, the network takes 13"):
        c_recogniser.check(lstm, committed_spec(n_mfcc=12))
    with pytest.raises(ValueError, match="21 frames a word, the network takes 22"):
        c_recogniser.check(graph, committed_log_mel_spec(n_mels=16, n_frames=21))
    with pytest.raises(ValueError, match="25 frames a word, the network takes 24"):
        c_recogniser.check(dataclasses.replace(lstm, n_frames=24), frames)
    c_recogniser.check(dataclasses.replace(lstm, n_frames=25), frames)


@pytest.mark.parametrize("kind", ["int8", "graph"])
@pytest.mark.parametrize(
    "compiler", ["gcc", pytest.param("clang", marks=pytest.mark.exhaustive)]
)  # those of clang run in test_fuzz_c.py too
def test_sanitizers_find_nothing(compiler, kind, firmware, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    network, spec = make(kind)
    (tmp_path / "driver.c").write_text(DRIVER)
    sources = [
        *host_recogniser.source_paths(firmware, network, spec),
        *host_recogniser.write_model(network, spec, tmp_path),
    ]
    subprocess.run(
        [
            *(compiler, "-std=c99", "-g", "-O1", "-fsanitize=address,undefined"),
            *("-fno-sanitize-recover=all", "-o", str(tmp_path / "driver")),
            *(f"-I{folder}" for folder in (firmware, firmware / "host", tmp_path)),
            *map(str, [*sources, tmp_path / "driver.c"]),
        ],
        check=True,
    )
    clips = sounds(4)
    content = b"".join(np.uint32(len(clip)).tobytes() + clip.tobytes() for clip in clips)
    done = subprocess.run([tmp_path / "driver"], input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    actual = np.array(done.stdout.split(), np.int64).reshape(len(clips), -1)
    right = expected(network, spec, clips)
    np.testing.assert_array_equal(actual[:, :-1], right)
    np.testing.assert_array_equal(actual[:, -1], right.argmax(1))


DRIVER = r"""
#include <stdio.h>
#include <stdlib.h>
#include "recogniser_host.c"
int main(void)
{
    static const uint32_t blocks[] = {1, 0, 333, 64};
    int32_t logits[MODEL_N_CLASSES];
    uint32_t n;
    uint16_t word, c;
    while (fread(&n, sizeof n, 1, stdin) == 1) {
        int16_t *samples = malloc(2u * n); /* so that reading past its end is seen */
        if (samples == NULL || fread(samples, 2, n, stdin) != n) {
            return 2;
        }
        if (sd_host_recognise(samples, n, blocks, 4, logits, &word) % SD_CLIP_FULL != 0) {
            return 3;
        }
        for (c = 0; c < MODEL_N_CLASSES; c++) {
            printf("%ld ", (long)logits[c]);
        }
        printf("%u ", (unsigned)word);
        free(samples);
    }
    return 0;
}
"""


# ---- boards


@pytest.fixture(params=sorted(boards.BOARDS))
def board(request) -> boards.Board:
    if missing := boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


@pytest.mark.parametrize("kind", ["int8", "graph"])
def test_board_equals_numpy(kind, board, firmware):
    network, spec = make(kind)
    clips = sounds(5)[8:14]
    logits, report = host_recogniser.logits_on_board(board, firmware, network, spec, clips)
    np.testing.assert_array_equal(logits, expected(network, spec, clips))
    assert report["clips"] == len(clips)
    assert report["stack_bytes"] < STACK_BYTES
    assert report["state_bytes"] == report["ram_bytes"]  # nothing static
    assert report["state_bytes"] == sum(c_recogniser.ram_bytes(network, spec).values())


STACK_BYTES = 640
CODE_BYTES = 8192
"""Of everything but a model's own weights and tables, on an M0."""


def test_the_code_of_a_graph_and_its_front_end_fits_eight_kib(firmware, tmp_path):
    if missing := boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    network, spec = make("graph")
    objects = host_recogniser.compile_objects(
        boards.BOARDS["m0"], firmware, network, spec, tmp_path
    )
    code = [path for path in objects if not path.stem.startswith(host_recogniser.NAME)]
    assert {"sd_depthwise", "sd_sum", "sd_word"} <= {path.stem for path in code}
    assert boards.object_sizes(code)[0] <= CODE_BYTES


@pytest.mark.parametrize(("kind", "other"), [("int8", "graph"), ("graph", "int8")])
def test_the_linker_drops_all_code_of_the_other_kind(kind, other, firmware, tmp_path):
    if missing := boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    network, spec = make(kind)
    paths = [host_recogniser.source_paths(firmware, *make(one)) for one in (kind, other)]
    image = boards.build_image(
        boards.BOARDS["m0"],
        boards_dir=firmware / "boards",
        sources=[
            *sorted({path for some in paths for path in some}),
            *host_recogniser.write_model(network, spec, tmp_path),
            firmware / "boards" / "recogniser_board.c",
        ],
        include_dirs=[tmp_path, firmware],
        output=tmp_path / "all.elf",
    )
    names = boards.symbols(image)
    assert boards.float_helpers(names) == []
    assert "malloc" not in names
    of = {
        "int8": {"sd_by_frame", "sd_lstm", "sd_frontend_frame", "sd_mean"},
        "graph": {"sd_by_word", "sd_graph_windows", "sd_word_push", "sd_depthwise", "sd_softplus"},
    }
    assert of[kind] <= set(names)
    assert not of[other] & set(names)


def test_every_status_has_its_number(firmware):
    text = (firmware / "sd_recogniser.h").read_text()
    body = text[text.index("SD_OK = 0") : text.index("} sd_status;")]
    assert tuple(re.findall(r"^ *SD_(\w+)", "    " + body, re.MULTILINE)) == STATUSES
