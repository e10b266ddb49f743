"""An exported network: the content of the folder, reproducible to the byte."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from frontend_spec import committed_spec
from networks import random_clips
from recognisers import KINDS, make

from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.package.folder import export_files
from spoken_digits.errors import UserError

SPEC = committed_spec()
OTHERS = {
    "int8": {"sd_lstm_pow2", "sd_linear_pow2", "sd_rows_pow2", "sd_graph_windows", "sd_by_word"},
    "pow2": {"sd_lstm", "sd_linear", "sd_rows", "sd_graph_windows", "sd_word", "sd_by_word"},
    "graph": {"sd_rows_pow2", "sd_lstm", "sd_mean", "sd_activation", "sd_cepstrum", "sd_by_frame"},
}


def exported(firmware: Path, kind="int8", name="sd_words", **changed) -> dict:
    network, spec = make(kind)
    options = {
        "spec": spec,
        "labels": ["oui", "non", "peut-être", "da", "sd_5"][: network.n_classes],
        "provenance": {"corpus": "made up", "corpus_licence": "none */", "accuracy": 0.5},
        "golden": random_clips(1),
        "firmware": firmware,
        "licence": "free\n",
    }
    return export_files(network, name=name, **{**options, **changed})


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_holds_only_the_files_it_needs(kind, firmware):
    files = exported(firmware, kind)
    sources = {Path(path).stem for path in files if path.endswith(".c")}
    assert {"sd_recogniser", "sd_words_model"} <= sources
    assert not OTHERS[kind] & sources
    assert list(files) == sorted(files)
    assert {path.split("/")[0] for path in files} == {
        *("LICENSE", "Makefile", "README.md", "example", "include", "src")
    }
    everything = b"".join(files.values()).decode()
    included = set(re.findall(r'#include "([^"]+)"', everything))
    headers = {path.split("/")[1] for path in files if path.endswith(".h")}
    assert included == headers


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_network_gives_the_same_bytes(kind, firmware):
    assert exported(firmware, kind) == exported(firmware, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_are_text_without_paths_of_this_machine(kind, firmware, tmp_path):
    for path, content in exported(firmware, kind).items():
        text = content.decode()
        for place in (str(firmware), str(firmware.parent), str(Path.home()), str(tmp_path)):
            assert place not in text, path
        assert text.endswith("\n"), path
        assert all(line == line.rstrip() for line in text.split("\n")), path
        assert all(ord(letter) >= 32 or letter in "\n\t" for letter in text), path


@pytest.mark.parametrize("kind", KINDS)
def test_another_model_changes_no_file_of_the_application(kind, firmware):
    theirs, ours = exported(firmware, kind, name="sd_b"), exported(firmware, "int8", name="sd_a")
    assert theirs["example/main.c"] == ours["example/main.c"]
    assert not re.search(rb"sd_a|SD_A\b", theirs["example/main.c"])


def test_tables_are_of_the_given_front_end(firmware):
    spec = committed_spec(n_mels=24, floor_lsb=9.0)
    files = exported(firmware, spec=spec)
    header, source = c_tables.c_files(spec, "sd_words").values()
    assert files["include/sd_words_frontend.h"] == header.encode()
    assert files["src/sd_words_frontend.c"] == source.encode()
    assert spec.fingerprint() in files["README.md"].decode()


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (
            "int8",
            (
                "oui, non, peut-être |",
                "2 lstm, 1 mean",
                "up to 25 frames",
                "at most",
                "SD_CLIP_FULL",
            ),
        ),
        ("graph", ("peut-être, da, sd_5 |", "1 linear) on 22 frames", "the loudest 0.29 s")),
    ],
)
def test_the_readme_describes_the_network(kind, also, firmware):
    page = exported(firmware, kind, measured={"stack_bytes": 1234})["README.md"].decode()
    for said in ("made up", "none */", "1,234", "8,000 Hz", "sd_words_recogniser_memory", *also):
        assert said in page
    assert "synthetic" not in page
    assert (
        "synthetic speech"
        in exported(firmware, kind, provenance={"synthetic": True})["README.md"].decode()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_prefix_takes_the_place_of_every_sd(kind, firmware):
    files = exported(firmware, kind, name="sd_words", prefix="acme_")
    plain = exported(firmware, kind, name="sd_words")
    assert len(files) == len(plain)
    assert "include/acme_recogniser.h" in files
    for path, content in files.items():
        said = content.decode().replace("sd_5", "")  # a word, not a name
        assert "sd_" not in (path + said).lower(), path


def test_a_prefix_leaves_words_and_facts_alone(firmware):
    facts = {"corpus": "SD_cards and sd_cards", "corpus_licence": "sd_free"}
    labels = ["sd_on", "SD_OFF", "x"]
    golden = [("sd_1", np.ones(300, np.int16))]
    options = {"provenance": facts, "labels": labels, "golden": golden}
    network, spec = make("int8")
    number = f"0x{c_recogniser.model_id(network, spec, labels):08X}u"
    for prefix in ("sd_", "acme_"):
        files = exported(firmware, prefix=prefix, **options)
        assert b'{"sd_on", "SD_OFF", "x"}' in files[f"src/{prefix}words.c"]
        assert b"corpus: SD_cards and sd_cards" in files[f"include/{prefix}words.h"]
        assert b"| corpus | SD_cards and sd_cards |" in files["README.md"]
        assert b'{"sd_1", pcm_0' in files["example/golden.c"]
        assert number.encode() in files[f"include/{prefix}words_model.h"]


@pytest.mark.parametrize("prefix", ["", "3d_", "a-b", "Ab_", "_a", "a b", "ä_", "golden_", "a\n"])
def test_a_prefix_that_cannot_be_is_refused(prefix, firmware):
    with pytest.raises(ValueError, match="identifier|other names"):
        exported(firmware, prefix=prefix)


def test_table_bytes_are_those_of_the_c_tables():
    sizes = {"uint8_t": 1, "int16_t": 2, "uint16_t": 2}
    text = c_tables.constants_source() + c_tables.c_files(SPEC, "a")["a_frontend.c"]
    found = re.findall(r"const (\w+) \w+\[(\d+)\]", text)
    assert c_tables.table_bytes(SPEC) == sum(sizes[ctype] * int(n) for ctype, n in found)


def test_senseless_wishes_are_refused(firmware, tmp_path):
    for golden in ([], [("nothing", np.zeros(0, np.int16))]):
        with pytest.raises(ValueError, match="golden clip is needed"):
            exported(firmware, golden=golden)
    with pytest.raises(ValueError, match="name of another file"):
        exported(firmware, name="sd_fft")
    with pytest.raises(ValueError, match="no lower-case C identifier"):
        exported(firmware, name="sd-words")
    with pytest.raises(ValueError, match="12 features a frame, the network takes 13"):
        exported(firmware, spec=committed_spec(n_mfcc=12))
    with pytest.raises(UserError, match=r"sd_recogniser\.c is missing"):
        exported(tmp_path)
