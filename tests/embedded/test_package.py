"""An exported network: the content of the folder, reproducible to the byte."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from frontend_spec import committed_spec
from networks import random_clips, random_features, random_parent

from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.package.folder import export_files, fnv1a
from spoken_digits.errors import UserError
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.quantize import quantize

SPEC = committed_spec()


def exported(firmware: Path, scheme="int8", spec=SPEC, name="sd_words", **changed) -> dict:
    parent = random_parent(3, h=5, n_layers=2, n_classes=3)
    options = {
        "labels": ["oui", "non", "peut-être"],
        "provenance": {"corpus": "made up", "corpus_licence": "none */", "accuracy": 0.5},
        "golden": random_clips(1),
        "firmware": firmware,
        "licence": "free\n",
    }
    network = quantize(parent, *random_features(3), scheme)
    return export_files(network, spec, name=name, **{**options, **changed})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_folder_holds_only_the_files_it_needs(scheme, firmware):
    files = exported(firmware, scheme)
    other = {"int8": "pow2", "pow2": "int8"}[scheme]
    assert f"src/sd_{scheme}.c" in files
    assert f"src/sd_{other}.c" not in files
    assert list(files) == sorted(files)
    assert {path.split("/")[0] for path in files} == {
        *("LICENSE", "Makefile", "README.md", "example", "include", "src")
    }
    everything = b"".join(files.values()).decode()
    included = set(re.findall(r'#include "([^"]+)"', everything))
    headers = {path.split("/")[1] for path in files if path.endswith(".h")}
    assert included == headers


def test_the_same_network_gives_the_same_bytes(firmware):
    assert exported(firmware) == exported(firmware)


def test_the_bytes_are_text_without_paths_of_this_machine(firmware, tmp_path):
    for path, content in exported(firmware).items():
        text = content.decode()
        for place in (str(firmware), str(firmware.parent), str(Path.home()), str(tmp_path)):
            assert place not in text, path
        assert "sd_model" not in text.lower(), path
        assert text.endswith("\n"), path
        assert all(line == line.rstrip() for line in text.split("\n")), path


def test_tables_are_of_the_given_front_end(firmware):
    spec = committed_spec(n_mels=24, floor_lsb=9.0)
    files = exported(firmware, spec=spec)
    header, source = c_tables.c_files(spec, "sd_words").values()
    assert files["include/sd_words_frontend.h"] == header.encode()
    assert files["src/sd_words_frontend.c"] == source.encode()
    assert spec.fingerprint() in files["README.md"].decode()


def test_the_readme_describes_the_network(firmware):
    page = exported(firmware, measured={"stack_bytes": 1234})["README.md"].decode()
    for said in ("oui, non, peut-être", "made up", "none */", "1,234", "8,000 Hz", "LSTM layers"):
        assert said in page
    assert "synthetic" not in page
    assert (
        "synthetic speech"
        in exported(firmware, provenance={"synthetic": True})["README.md"].decode()
    )


def test_table_bytes_are_those_of_the_c_tables():
    sizes = {"uint8_t": 1, "int16_t": 2, "uint16_t": 2}
    text = c_tables.constants_source() + c_tables.c_files(SPEC, "a")["a_frontend.c"]
    found = re.findall(r"const (\w+) \w+\[(\d+)\]", text)
    assert c_tables.table_bytes(SPEC) == sum(sizes[ctype] * int(n) for ctype, n in found)


def test_hash_is_fnv1a():
    assert fnv1a(b"") == 0x811C9DC5
    assert fnv1a(b"foobar") == 0xBF9CF968


def test_senseless_wishes_are_refused(firmware, tmp_path):
    with pytest.raises(ValueError, match="golden clip is needed"):
        exported(firmware, golden=[])
    with pytest.raises(ValueError, match="name of another file"):
        exported(firmware, name="sd_fft")
    with pytest.raises(ValueError, match="no lower-case C identifier"):
        exported(firmware, name="sd-words")
    with pytest.raises(ValueError, match="12 coefficients a frame, the network takes 13"):
        exported(firmware, spec=committed_spec(n_mfcc=12))
    with pytest.raises(UserError, match=r"sd_fft\.c is missing"):
        exported(tmp_path)


def test_an_empty_golden_clip_is_one_frame_of_silence(firmware):
    golden = exported(firmware, golden=[("nothing", np.zeros(0, np.int16))])["example/golden.c"]
    assert '{"nothing", pcm_0, 0, 1,' in golden.decode()
