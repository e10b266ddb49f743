from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.integer.frontend.specification import FrontendSpec, tables

SPEC = FrontendSpec()
FINGERPRINT = "de4c9afff86c93ecdb79faf8a7716ebdb16c3ea2498af4ec79f311eede659761"


def test_tables_are_the_pinned_ones():
    """Any change of a table changes every feature: models must be trained again."""
    assert SPEC.fingerprint() == FINGERPRINT


def test_tables_do_not_depend_on_the_last_bits_of_libm():
    """Every entry is rounded from a number clear of a tie, so all machines agree."""
    sine = np.sin(2 * np.pi * np.arange(256) / 256) * 2**14
    window = np.sin(np.pi * np.arange(129) / 256) ** 2 * 2**15
    fraction = np.log2(1 + np.arange(33) / 32) * 2**15
    rows = np.arange(1, SPEC.n_coefficients)[:, None]
    bands = np.arange(SPEC.n_mels) + 0.5
    cosine = np.array(SPEC.gains[1:])[:, None] * np.cos(np.pi * rows * bands / SPEC.n_mels)
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
    "change",
    [
        {"hop_samples": 0},
        {"hop_samples": 257},
        {"n_mels": 23},
        {"high_hz": 4001.0},
        {"low_hz": 4000.0},
        {"n_coefficients": 33, "gains": (1,) * 33, "offsets": (0,) * 33},
        {"gains": (1,)},
        {"n_frames": 0},
    ],
)
def test_impossible_parameters_are_refused(change):
    with pytest.raises(ValueError, match="must"):
        replace(SPEC, **change)


def test_generated_c_is_up_to_date(firmware):
    generated = firmware / "generated"
    assert (generated / "sd_frontend_tables.h").read_text() == c_tables.header(SPEC)
    assert (generated / "sd_frontend_tables.c").read_text() == c_tables.source(SPEC)


def test_values_too_large_for_their_table_are_refused():
    with pytest.raises(ValueError, match="cosine"):
        c_tables.source(replace(SPEC, gains=(1,) + (40000,) * 12))
