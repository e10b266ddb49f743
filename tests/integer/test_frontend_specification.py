from __future__ import annotations

import re
from dataclasses import asdict

import numpy as np
import pytest
from frontend_spec import committed_spec

from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.errors import UserError
from spoken_digits.integer.frontend.specification import FrontendSpec, tables
from spoken_digits.validation import build

SPEC = committed_spec()
FINGERPRINT = "306e7b5d5a63a0ec4662d59b30afdc7640c1f4b8ff953232dd742dfa42556045"


def test_tables_are_the_pinned_ones():
    """Any change of a table changes every feature: models must be trained again."""
    assert SPEC.fingerprint() == FINGERPRINT


def test_tables_do_not_depend_on_the_last_bits_of_libm():
    """Every entry is rounded from a number clear of a tie, so all machines agree."""
    sine = np.sin(2 * np.pi * np.arange(256) / 256) * 2**14
    window = np.sin(np.pi * np.arange(129) / 256) ** 2 * 2**15
    fraction = np.log2(1 + np.arange(33) / 32) * 2**15
    rows = np.arange(1, SPEC.n_mfcc)[:, None]
    bands = np.arange(SPEC.n_mels) + 0.5
    gains = 72 * (1 + 11 * np.sin(np.pi * rows / 22))
    cosine = gains * np.cos(np.pi * rows * bands / SPEC.n_mels)
    for exact in (sine, window, fraction, cosine.ravel()):
        to_tie = np.abs(exact - np.floor(exact) - 0.5)
        assert to_tie.min() > 1e-9


def test_mel_segments_cover_the_bins_once_and_weights_rise_within_each():
    table = tables(SPEC)
    assert len(table.mel_edges) == SPEC.n_mels + 2
    assert table.mel_edges[0] == 1
    assert table.mel_edges[-1] == 128
    for start, end in zip(table.mel_edges[:-1], table.mel_edges[1:], strict=True):
        assert start < end
        assert (np.diff(table.mel_rising[start:end]) > 0).all()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"sample_rate": 999}, "sample_rate"),
        ({"sample_rate": 192_001, "n_mels": 4}, "sample_rate"),
        ({"hop_length": 0}, "hop_length"),
        ({"hop_length": 257}, "hop_length"),
        ({"n_mels": 23}, "n_mels"),
        ({"n_mels": 2, "n_mfcc": 2}, "n_mels"),
        ({"n_mels": 42}, "n_mels"),
        ({"fmax": 4001.0}, "fmax"),
        ({"fmax": float("nan")}, "fmax"),
        ({"fmin": 4000.0}, "fmax"),
        ({"fmin": -1.0}, "fmin"),
        ({"fmin": 3900.0}, "n_mels"),  # 32 bands in three bins
        ({"sample_rate": 48_000, "fmax": 24_000.0}, "n_mels"),
        ({"n_mfcc": 1}, "n_mfcc"),
        ({"n_mfcc": 33, "lifter": 50}, "n_mfcc"),
        ({"n_mfcc": 24}, "n_mfcc"),  # beyond the lifter gains would be below 1
        ({"lifter": 0, "n_mfcc": 2}, "lifter"),
        ({"lifter": 101}, "lifter"),
        ({"floor_lsb": 0.0}, "floor_lsb"),
        ({"floor_lsb": float("inf")}, "floor_lsb"),
        ({"level_decay_db": -0.1}, "level_decay_db"),
        ({"level_decay_db": float("nan")}, "level_decay_db"),
        ({"n_frames": 0}, "n_frames"),
        ({"n_frames": 10_001}, "n_frames"),
    ],
)
def test_impossible_parameters_are_refused(change, key):
    with pytest.raises(UserError, match=f"^spec: `{key}` is .*(must|too many)"):
        build(FrontendSpec, {**asdict(SPEC), **change}, "", "spec")


@pytest.mark.parametrize(
    "change",
    [
        {"hop_length": 1, "n_frames": 10_000},
        {"hop_length": 256, "n_frames": 1},
        {"n_mels": 4, "n_mfcc": 4, "lifter": 3},
        {"n_mels": 40, "n_mfcc": 40, "lifter": 39},
        {"n_mfcc": 23},
        {"sample_rate": 16_000, "fmax": 8000.0, "n_mels": 40},
    ],
)
def test_parameters_at_their_bounds_are_taken(change):
    spec = build(FrontendSpec, {**asdict(SPEC), **change}, "", "spec")
    assert np.abs(tables(spec).cosine).max(initial=0) > 0


def test_gains_are_one_constant_times_the_lifter_of_htk():
    """Row k of the cosine transform has the amplitude 72 (1 + 11 sin(pi k / 22))."""
    table = tables(committed_spec(n_mfcc=23))
    amplitude = 72 * (1 + 11 * np.sin(np.pi * np.arange(1, 23) / 22))
    bands = np.arange(16)[None, :] + 0.5
    k = np.arange(1, 23)[:, None]
    expected = amplitude[:, None] * np.cos(np.pi * k * (bands + 16 * (k % 2)) / 32)
    np.testing.assert_allclose(table.cosine, expected, atol=0.5)
    assert table.level_gain == 72


@pytest.mark.parametrize("n_mels", range(4, 42, 2))
def test_an_octave_of_power_is_nine_steps_for_any_number_of_bands(n_mels):
    table = tables(committed_spec(n_mels=n_mels, n_mfcc=2))
    steps = table.level_gain * n_mels * 256 / 65536
    assert steps == pytest.approx(9, rel=0.01)


def test_generated_c_holds_every_table_and_constant():
    header, source = c_tables.c_files(SPEC, "a").values()
    table = tables(SPEC)
    assert SPEC.fingerprint() in header
    assert SPEC.fingerprint() in source
    for name, value in {
        "SAMPLE_RATE": "8000u",
        "HOP_LENGTH": "160u",
        "N_FEATURES": "13u",
        "N_FRAMES": "36u",
    }.items():
        assert re.search(rf"^#define A_FRONTEND_{name} {value}( /\*.*)?$", header, re.MULTILINE)
    arrays = {name: getattr(table, name) for name in ("mel_rising", "mel_edges", "cosine")}
    arrays |= {"window": table.weights, "mel_floor": [table.floor] * 32}
    for name, expected in arrays.items():
        np.testing.assert_array_equal(numbers_in(source, name), np.ravel(expected))
    (fields,) = re.findall(r"sd_frontend_spec a_frontend = {(.*?)}", source, re.DOTALL)
    assert re.findall(r"^    (\d+),", fields, re.MULTILINE)[:5] == [
        "8000",
        "160",
        "256",
        "32",
        "36",
    ]
    (fields,) = re.findall(r"sd_cepstrum_spec cepstrum = {(.*?)}", source, re.DOTALL)
    assert re.findall(r"^    (\w+),", fields, re.MULTILINE) == [
        *("cosine", "72", str(table.level_decay), "64", "13")
    ]


def test_the_shared_tables_in_c_are_the_ones_in_use():
    source = c_tables.constants_source()
    for name, array in {
        "sine": "sine",
        "fft_order": "order",
        "log2_fraction": "log_fraction",
    }.items():
        np.testing.assert_array_equal(
            numbers_in(source, f"sd_{name}"), getattr(tables(SPEC), array)
        )


def numbers_in(source: str, array: str) -> list[int]:
    """The values of an array in C, whose definition ends in a comment."""
    (body,) = re.findall(rf" {array}\[\d+\] = {{ /\*.*?\*/(.*?)}}", source, re.DOTALL)
    return [int(number) for number in re.findall(r"-?\d+", body)]


def test_files_are_written_where_asked(tmp_path):
    path = c_tables.write(SPEC, tmp_path, "sd_words")
    assert path == tmp_path / "sd_words_frontend.c"
    for name, text in c_tables.c_files(SPEC, "sd_words").items():
        assert (tmp_path / name).read_text() == text
    with pytest.raises(ValueError, match="no lower-case C identifier"):
        c_tables.write(SPEC, tmp_path, "sd-words")
