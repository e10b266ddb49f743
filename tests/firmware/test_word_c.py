"""The C front-end for words equals its NumPy twin in every bit: host, sanitizers, Cortex-M."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from frontend_clips import edge_cases
from frontend_spec import committed_log_mel_spec, committed_spec

from spoken_digits.embedded import boards, host_frontend
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.integer.frontend import frontend, log_mel
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec, log_mel_tables

SPEC = committed_log_mel_spec()
OTHER_SPECS = [
    pytest.param(committed_log_mel_spec(n_frames=5, hop_length=200), id="short words"),
    pytest.param(committed_log_mel_spec(n_frames=1, n_mels=1), id="least"),
    pytest.param(
        committed_log_mel_spec(
            window_length=256, hop_length=1, n_mels=34, n_frames=240, floor_db=120.0, step_db=1.0
        ),
        id="extreme",
    ),
    pytest.param(committed_log_mel_spec(window_length=4, hop_length=3, step_db=0.2), id="window"),
]
HOST_BUILDS = [
    ("gcc", ("-O0", *NO_FLOAT)),
    ("gcc", ("-O3", *NO_FLOAT)),
    ("clang", ("-O2", *NO_FLOAT)),
]
FLASH_BYTES, RAM_BYTES, STACK_BYTES = 6 * 1024, 8 * 1024, 512
FRAME_INSTRUCTIONS = {"m0": 40_000, "m3": 23_000}
FEATURE_INSTRUCTIONS = {"m0": 500, "m3": 500}


@cache
def word_cases() -> list[np.ndarray]:
    """Edge cases, and clips whose loudest stretch moves on often, late or never."""
    rng = np.random.default_rng(4)
    clips = []
    for n_samples, loudness in ((9000, 3000), (30_000, 20), (60_000, 3000)):
        envelope = np.repeat(rng.exponential(1, n_samples // 500) ** 2, 500)  # (n_samples,)
        clips.append(rng.normal(0, loudness, n_samples) * envelope)
    rising = np.linspace(0, 1, 20_000) * rng.normal(0, 8000, 20_000)
    clips += [rising, rising[::-1], np.tile(rising[-500:], 60), np.zeros(30_000)]
    pulse = np.zeros(9000)
    pulse[4000:4200] = rng.normal(0, 9000, 200)
    clips += [np.concatenate([pulse, pulse]), np.concatenate([pulse, pulse + 1])]
    clips += [rng.normal(0, 900, n) for n in (199, 200, 201, 299, 300, 5499, 5500, 5599, 5600)]
    clipped = [clip.round().clip(-32768, 32767).astype(np.int16) for clip in clips]
    return [*edge_cases(), *clipped]


def assert_equal(
    actual: host_frontend.Features, clips: list[np.ndarray], spec: LogMelSpec = SPEC
) -> None:
    features, counts = log_mel.extract(clips, spec)
    np.testing.assert_array_equal(actual[1], counts)
    different = (actual[0] != features).any(axis=(1, 2))
    assert not different.any(), f"{different.sum()} of {len(clips)} clips differ"


@pytest.fixture(scope="module", params=HOST_BUILDS, ids=lambda b: f"{b[0]}{b[1][0]}")
def library(request, firmware, tmp_path_factory) -> Path:
    compiler, flags = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    output = tmp_path_factory.mktemp("host") / "word.so"
    return host_frontend.build_host_library(firmware, SPEC, output, compiler=compiler, flags=flags)


@pytest.mark.parametrize("block_samples", [1, 7, 64, 160, 1000])
def test_host_equals_numpy_whatever_the_block(library, block_samples):
    clips = word_cases()
    actual = host_frontend.extract_on_host(library, clips, SPEC, block_samples=block_samples)
    assert_equal(actual, clips)


@pytest.mark.exhaustive
@pytest.mark.corpus
def test_host_equals_numpy_on_every_recording_and_on_streams_of_them(library, fsdd_pcm):
    streams = [np.concatenate(fsdd_pcm[i : i + 40]) for i in range(0, 3000, 300)]
    clips = [*fsdd_pcm, *streams]
    assert_equal(host_frontend.extract_on_host(library, clips, SPEC), clips)


@pytest.mark.exhaustive
@pytest.mark.parametrize("spec", OTHER_SPECS)
def test_host_equals_numpy_for_other_specifications(spec, firmware, tmp_path):
    library = host_frontend.build_host_library(firmware, spec, tmp_path / "word.so")
    clips = [clip[:12_000] for clip in word_cases()] if spec.hop_length == 1 else word_cases()
    assert_equal(host_frontend.extract_on_host(library, clips, spec), clips, spec)


BROKEN = {
    "the last of equally loud stretches": (
        "word->sum > word->loudest",
        "word->sum >= word->loudest",
    ),
    "one frame too few kept": ("word->age < spec->n_frames", "word->age + 1u < spec->n_frames"),
    "kept too late": ("for (i = word->age;", "for (i = word->age + 1u;"),
    "level of an earlier word": ("if (word->age == 0u)", "if (word->age == 7u)"),
    "level of all frames, not of the valid": ("word->n_valid * (uint32_t)", "54u * (uint32_t)"),
    "exp table not interpolated": (" + (uint32_t)rise;", ";"),
    "exp rounded down": (
        "(uint32_t)sd_round_shift((int32_t)sd_exp2_mantissa(log), 15u - (log >> 8))",
        "(sd_exp2_mantissa(log) >> (15u - (log >> 8)))",
    ),
    "energies of many octaves one too low": ("sums[left >> 11] +=", "sums[left >> 12] +="),
    "softplus not interpolated": ("table[0] - sd_round_shift", "table[0] - 0 * sd_round_shift"),
    "not centred": ("- word->n_valid) / 2u", "- word->n_valid) / 3u"),
    "the oldest energy left in the sum": ("word->sum -= energy_of(logs, n_mels);", ";"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_changed_bit_is_noticed(name, firmware, tmp_path):
    """Negative control: the clips expose a front-end that is wrong in one place."""
    right, wrong = BROKEN[name]
    copy = tmp_path / "firmware"
    shutil.copytree(firmware, copy)
    texts = {copy / file: (copy / file).read_text() for file in ("sd_word.c", "sd_octaves.h")}
    assert sum(text.count(right) for text in texts.values()) == 1
    for path, text in texts.items():
        path.write_text(text.replace(right, wrong))
    library = host_frontend.build_host_library(
        copy, SPEC, tmp_path / "word.so", flags=["-Wno-error"]
    )
    with pytest.raises(AssertionError, match="clips differ"):
        assert_equal(host_frontend.extract_on_host(library, word_cases(), SPEC), word_cases())


def test_generated_c_holds_every_table_and_constant():
    header, source = c_tables.c_files(SPEC, "a").values()
    table = log_mel_tables(SPEC)
    for text in (header, source):
        assert SPEC.fingerprint() in text
    for name, value in {"HOP_LENGTH": 100, "N_FEATURES": 40, "N_FRAMES": 54}.items():
        assert re.search(rf"^#define A_FRONTEND_{name} {value}u", header, re.MULTILINE)
    arrays = {name: getattr(table, name) for name in ("mel_rising", "mel_edges")}
    arrays |= {"window": table.weights, "mel_floor": table.floor}
    for name, expected in arrays.items():
        (body,) = re.findall(rf" {name}\[\d+\] = {{ /\*.*?\*/(.*?)}}", source, re.DOTALL)
        np.testing.assert_array_equal(
            [int(number) for number in re.findall(r"-?\d+", body)], expected
        )
    (fields,) = re.findall(r"sd_word_spec word = {(.*?)}", source, re.DOTALL)
    assert re.findall(r"^    (-?\d+),", fields, re.MULTILINE) == ["2126", "6165", "-50"]
    found = re.findall(
        r"const (\w+) \w+\[(\d+)\]",
        c_tables.constants_source() + c_tables.word_constants_source() + source,
    )
    sizes = {"uint8_t": 1, "int16_t": 2, "uint16_t": 2}
    assert c_tables.table_bytes(SPEC) == sum(sizes[ctype] * int(n) for ctype, n in found)


def test_the_shared_tables_are_those_of_the_twin(firmware):
    assert (firmware / "sd_word_constants.c").read_text() == c_tables.word_constants_source()


def build_program(
    firmware: Path, folder: Path, text: str, specs: dict[str, LogMelSpec], *flags: str
) -> Path:
    """Compile a program with the generated C of `specs`, by name."""
    (folder / "program.c").write_text(text)
    sources = {
        path for spec in specs.values() for path in host_frontend.source_paths(firmware, spec)
    }
    generated = [c_tables.write(spec, folder, name) for name, spec in specs.items()]
    subprocess.run(
        [
            *("gcc", *boards.WARNINGS, "-O1", "-g", *flags, f"-I{folder}", f"-I{firmware}"),
            *(f"-I{firmware / 'host'}", str(folder / "program.c")),
            *map(str, [*sorted(sources), *generated]),
            *("-o", str(folder / "program")),
        ],
        check=True,
    )
    return folder / "program"


SANITIZED = r"""
#include <stdio.h>
#include "word_host.c"
int main(void)
{
    static int16_t samples[60000];
    static int8_t features[SD_MODEL_FRONTEND_N_FRAMES * SD_MODEL_FRONTEND_N_FEATURES];
    const size_t n = fread(samples, 2, 60000, stdin);
    (void)sd_host_features(samples, (uint32_t)n, 77, features);
    return fwrite(features, sizeof features, 1, stdout) != 1;
}
"""


def test_sanitizers_find_nothing(firmware, tmp_path):
    sanitize = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = build_program(firmware, tmp_path, SANITIZED, {"sd_model": SPEC}, *sanitize)
    clips = word_cases()[::2]
    for clip, expected in zip(clips, log_mel.extract(clips, SPEC)[0], strict=True):
        done = subprocess.run([program], input=clip.tobytes(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout == expected.tobytes()


TWO_KINDS = r"""
#include <stdio.h>
#include "cepstra_frontend.h"
#include "words_frontend.h"

static sd_frontend of_cepstra, of_words;
static sd_frontend_scratch scratch; /* shared: each needs it only while it makes a frame */
static words_word_kept kept;
static words_word_recent recent;
static sd_word word = SD_WORD(kept, recent);
static int8_t features[CEPSTRA_FRONTEND_N_FEATURES + WORDS_FRONTEND_N_FEATURES];

int main(void)
{
    int16_t sample;
    uint32_t i;
    sd_frontend_reset(&of_cepstra);
    sd_frontend_reset(&of_words);
    sd_word_reset(&word);
    while (fread(&sample, 2, 1, stdin) == 1) {
        (void)sd_frontend_push(&cepstra_frontend, &of_cepstra, &sample, 1);
        (void)sd_frontend_push(&words_frontend, &of_words, &sample, 1);
        if (sd_frontend_ready(&cepstra_frontend, &of_cepstra)) {
            sd_frontend_frame(&cepstra_frontend, &of_cepstra, &scratch, features);
            fwrite(features, 1, CEPSTRA_FRONTEND_N_FEATURES, stdout);
        }
        if (sd_frontend_ready(&words_frontend, &of_words)) {
            sd_word_push(&words_frontend, &word, &of_words, scratch.spectrum);
        }
    }
    (void)sd_word_finish(&words_frontend, &word);
    for (i = 0; i < WORDS_FRONTEND_N_FRAMES; i++) {
        sd_word_frame(&words_frontend, &word, i, features);
        fwrite(features, 1, WORDS_FRONTEND_N_FEATURES, stdout);
    }
    return 0;
}
"""


def test_both_kinds_of_front_end_in_one_program(firmware, tmp_path):
    cepstra = committed_spec(n_frames=200)
    specs = {"cepstra": cepstra, "words": SPEC}
    program = build_program(firmware, tmp_path, TWO_KINDS, specs)
    clip = max(edge_cases(), key=len)
    done = subprocess.run([program], input=clip.tobytes(), capture_output=True, check=True)
    (first,), (count,) = frontend.extract(clip, cepstra)
    assert done.stdout == first[:count].tobytes() + log_mel.extract([clip], SPEC)[0].tobytes()


MISUSE = r"""
#include <stdio.h>
#include "a_frontend.h"

static sd_frontend frontend;
static sd_complex spectrum[SD_FFT_POINTS];
static a_word_kept kept;
static a_word_recent recent;
static sd_word word = SD_WORD(kept, recent);

static int is_silent(uint32_t i)
{
    int8_t features[A_FRONTEND_N_FEATURES];
    uint32_t m;
    sd_word_frame(&a_frontend, &word, i, features);
    for (m = 0; m < A_FRONTEND_N_FEATURES; m++) {
        if (features[m] != -50) {
            return 0;
        }
    }
    return 1;
}

static void hear(uint32_t n_frames)
{
    uint32_t seed = 1;
    while (n_frames > 0u) {
        const int16_t sample = (int16_t)((seed >> 16) & 0x7FFFu);
        seed = seed * 1664525u + 1013904223u;
        (void)sd_frontend_push(&a_frontend, &frontend, &sample, 1);
        if (sd_frontend_ready(&a_frontend, &frontend)) {
            sd_word_push(&a_frontend, &word, &frontend, spectrum);
            n_frames--;
        }
    }
}

int main(void)
{
    int8_t once[A_FRONTEND_N_FEATURES], again[A_FRONTEND_N_FEATURES];
    uint32_t i;
    sd_frontend_reset(&frontend);
    sd_word_reset(&word);
    if (sd_word_finish(&a_frontend, &word) != 0u) { /* no frame at all */
        return 1;
    }
    for (i = 0; i < A_FRONTEND_N_FRAMES; i++) {
        if (!is_silent(i)) {
            return 2;
        }
    }
    hear(20);
    if (sd_word_finish(&a_frontend, &word) != 20u || !is_silent(16) || is_silent(17) ||
        is_silent(36) || !is_silent(37)) {
        return 3;
    }
    if (!is_silent(A_FRONTEND_N_FRAMES) || !is_silent(0xFFFFFFFFu)) { /* no such frame */
        return 4;
    }
    hear(100); /* go on, end it twice */
    if (sd_word_finish(&a_frontend, &word) != A_FRONTEND_N_FRAMES) {
        return 5;
    }
    sd_word_frame(&a_frontend, &word, 9, once);
    for (i = 0; i < A_FRONTEND_N_FRAMES * A_FRONTEND_N_FEATURES; i++) {
        recent.logs[i] = 77;
    }
    (void)sd_word_finish(&a_frontend, &word);
    sd_word_frame(&a_frontend, &word, 9, again);
    for (i = 0; i < A_FRONTEND_N_FEATURES; i++) {
        if (once[i] != again[i]) {
            return 6;
        }
    }
    return 0;
}
"""


def test_what_the_header_says_of_unusual_calls(firmware, tmp_path):
    program = build_program(firmware, tmp_path, MISUSE, {"a": SPEC})
    assert subprocess.run([program], check=False).returncode == 0


HOURS = r"""
#include <stdio.h>
#include "sd_mel.h"
#include "sd_word.h"

/* In place of the FFT: quiet frames that differ, and one loud word. */
static uint32_t t, loud_from;
void sd_frontend_logs(const sd_frontend_spec *spec, sd_frontend *frontend,
                      sd_complex spectrum[SD_FFT_POINTS], int16_t *logs)
{
    const uint32_t i = t - loud_from;
    (void)spec, (void)frontend, (void)spectrum;
    *logs = (int16_t)(i < 54u ? 13000u - i : 12000u + t % 7u);
    t++;
}

int main(void)
{
    static const sd_word_spec step = {2126, 6165, -50};
    static const sd_frontend_spec spec = {8000, 100, 200, 1, 54, 0, 0, 0, 0, 0, &step};
    static const uint32_t n = 48u * 3600u * 80u;
    static const uint32_t starts[4] = {0, 100, 9000000, 48u * 3600u * 80u - 54u};
    static struct { int8_t features[54]; } kept;
    static struct { int16_t logs[54]; } recent;
    static sd_frontend frontend;
    sd_word word = SD_WORD(kept, recent);
    uint32_t k, i;
    for (k = 0; k < 4u; k++) {
        loud_from = starts[k];
        sd_word_reset(&word);
        for (t = 0; t < n;) {
            sd_word_push(&spec, &word, &frontend, 0);
        }
        if (sd_word_finish(&spec, &word) != 54u) {
            return 1;
        }
        /* One loud frame less, and the level would be 7 lower. */
        if (word.level < 12970 || word.level > 12977) {
            return 2;
        }
        for (i = 0; i < 54u; i++) { /* 53 / 256 octaves from the first to the last: a step */
            int8_t feature;
            sd_word_frame(&spec, &word, i, &feature);
            if (feature != (i < 27u ? 1 : 0) && feature != (i < 27u ? 0 : -1)) {
                return 3;
            }
        }
    }
    return 0;
}
"""


def test_the_loudest_word_of_48_hours_is_found(firmware, tmp_path):
    """No counter or sum overflows: with logs in place of the transforms, which would take long."""
    (tmp_path / "hours.c").write_text(HOURS)
    sources = [firmware / name for name in ("sd_word.c", "sd_word_constants.c", "sd_mel.c")]
    sources += [firmware / "sd_frontend_constants.c", tmp_path / "hours.c"]
    command = ["gcc", *boards.WARNINGS, "-O2", f"-I{firmware}", *map(str, sources)]
    subprocess.run([*command, "-o", str(tmp_path / "hours")], check=True)
    assert subprocess.run([tmp_path / "hours"], check=False).returncode == 0


@pytest.mark.parametrize("standard", ["c++98", "c++20"])
def test_headers_are_safe_for_cpp(standard, firmware, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    generated = c_tables.write(SPEC, tmp_path, "a")
    sources = map(str, [*host_frontend.source_paths(firmware, SPEC), generated])
    folders = [f"-I{tmp_path}", f"-I{firmware}"]
    subprocess.run(["gcc", "-std=c99", "-c", *folders, *sources], cwd=tmp_path, check=True)
    (tmp_path / "use.cpp").write_text(
        '#include "a_frontend.h"\n#include "sd_word_constants.h"\n'
        "static a_word_kept kept; static a_word_recent recent;\n"
        "static sd_word word = SD_WORD(kept, recent);\n"
        "int main() { sd_word_reset(&word); return sd_word_finish(&a_frontend, &word); }\n"
    )
    subprocess.run(
        ["g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", *folders, "use.cpp"]
        + [path.name for path in tmp_path.glob("*.o")]
        + ["-o", "use"],
        cwd=tmp_path,
        check=True,
    )
    subprocess.run([tmp_path / "use"], check=True)


@pytest.fixture(params=["m0", "m3"])  # nothing of its own for the M4: test_recogniser_c.py
def board(request) -> boards.Board:
    missing = boards.missing_tools()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    return boards.BOARDS[request.param]


def test_board_equals_numpy_and_keeps_to_its_budget(board, firmware):
    clips = word_cases()
    actual, report = host_frontend.extract_on_board(board, firmware, clips, SPEC)
    assert_equal(actual, clips)
    assert report["frame_instructions_max"] <= FRAME_INSTRUCTIONS[board.name]
    assert report["feature_instructions_max"] <= FEATURE_INSTRUCTIONS[board.name]
    assert report["flash_bytes"] <= FLASH_BYTES
    assert report["ram_bytes"] <= RAM_BYTES
    assert report["stack_bytes"] <= STACK_BYTES
    assert report["frames"] == sum(1 + max(0, len(clip) - 200) // 100 for clip in clips)


@pytest.mark.parametrize("spec", OTHER_SPECS[:2])
def test_board_equals_numpy_for_other_specifications(spec, board, firmware):
    clips = word_cases()[::3]
    assert_equal(host_frontend.extract_on_board(board, firmware, clips, spec)[0], clips, spec)


@pytest.mark.corpus
def test_board_equals_numpy_on_150_recordings(board, firmware, fsdd_pcm):
    clips = [*fsdd_pcm[::20], max(fsdd_pcm, key=len), np.concatenate(fsdd_pcm[:20])]
    assert_equal(host_frontend.extract_on_board(board, firmware, clips, SPEC)[0], clips)


def test_no_float_and_no_helper_on_arm(board, firmware, tmp_path):
    """Not even for 64-bit shifts; that `float_helpers` finds any is tested with the cepstra."""
    objects = host_frontend.compile_objects(board, firmware, SPEC, tmp_path)
    names = [name for path in objects for name in boards.symbols(path)]
    assert "sd_word_frame" in names
    assert boards.float_helpers(names) == []
    assert not [name for name in names if name.startswith("__")]
