"""An exported network: the content of the folder, reproducible to the byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

import exports
import numpy as np
import pytest
import yaml
from frontend_spec import committed_spec
from recognisers import KINDS, make

from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

SPEC = committed_spec()
OTHERS = {
    "int8": {"sd_lstm_pow2", "sd_linear_pow2", "sd_rows_pow2", "sd_graph_windows", "sd_by_word"},
    "pow2": {"sd_lstm", "sd_linear", "sd_rows", "sd_graph_windows", "sd_word", "sd_by_word"},
    "graph": {
        "sd_convolution_pow2",
        "sd_depthwise_pow2",
        "sd_rows_pow2",
        "sd_lstm",
        "sd_mean",
        "sd_activation",
        "sd_cepstrum",
        "sd_by_frame",
    },
}


def exported(firmware: Path, kind="int8", **changed) -> dict:
    facts = {"corpus": "made up", "corpus_licence": "none */", "accuracy": 0.5}
    return exports.exported(firmware, kind, **{"provenance": facts} | changed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_holds_only_the_files_it_needs(kind, firmware):
    files = exported(firmware, kind)
    sources = {Path(path).stem for path in files if path.endswith(".c")}
    assert {"sd_recogniser", "sd_words_model"} <= sources
    assert not OTHERS[kind] & sources
    assert list(files) == sorted(files)
    assert {path.split("/")[0] for path in files} == {
        *("CMakeLists.txt", "LICENSE", "Makefile", "README.md", "cmake", "examples"),
        *("idf_component.yml", "library.json", "library.properties", "manifest.json"),
        *("src", "zephyr"),
    }
    source = [content for path, content in files.items() if path.startswith("src/")]
    included = set(re.findall(r'#include "([^"]+)"', b"".join(source).decode()))
    headers = {Path(path).name for path in files if path.endswith(".h")}
    assert {Path(name).name for name in included} == headers - {"sd_decimator.h"} | {
        "sd_decimator.h"
    }


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
    application = ("examples/host/", "examples/esp_idf/", "src/selftest/sd_selftest")
    paths = [path for path in ours if path.startswith(application)]
    assert len(paths) == 7
    for path in paths:
        assert theirs[path] == ours[path]
        assert not re.search(rb"sd_a|SD_A\b", theirs[path])


def test_tables_are_of_the_given_front_end(firmware):
    spec = committed_spec(n_mels=24, floor_lsb=9.0)
    files = exported(firmware, spec=spec)
    header, source = c_tables.c_files(spec, "sd_words").values()
    assert files["src/sd_words_frontend.h"].replace(b"engine/", b"") == header.encode()
    assert files["src/sd_words_frontend.c"].replace(b"engine/", b"") == source.encode()
    assert spec.fingerprint() in files["README.md"].decode()


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (
            "int8",
            (
                "oui, non, peut-être ??/ |",
                "2 lstm, 1 mean",
                "up to 25 frames",
                "at most",
                "SD_CLIP_FULL",
            ),
        ),
        ("graph", ("peut-être ??/, da, sd_5 |", "1 linear) on 22 frames", "the loudest 0.29 s")),
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


def test_the_readme_says_where_it_was_proven_and_where_not(firmware):
    proof = {
        "proof": {"gcc -O3": {"clips": 1600, "mismatches": 0}},
        "left_out": {"avr gcc -Os": "atmega1284p lacks 3,056 B of RAM"},
    }
    page = exported(firmware, proof=proof)["README.md"].decode()
    assert "| gcc -O3 | 1,600 | 0 |" in page
    assert "- avr gcc -Os: atmega1284p lacks 3,056 B of RAM" in page
    assert "Nothing else" not in page
    page = exported(firmware, proof={"not_measured": "gcc is absent"})["README.md"].decode()
    assert "Nothing else was run before the export: gcc is absent." in page
    assert "no figures of this model are recorded" in exported(firmware)["README.md"].decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_prefix_takes_the_place_of_every_sd(kind, firmware):
    files = exported(firmware, kind, name="sd_words", prefix="acme_")
    plain = exported(firmware, kind, name="sd_words")
    assert len(files) == len(plain)
    assert "src/engine/acme_recogniser.h" in files
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
        assert b"corpus: SD_cards and sd_cards" in files[f"src/{prefix}words.h"]
        assert b"| corpus | SD_cards and sd_cards |" in files["README.md"]
        assert b'{"sd_1", pcm_0' in files["src/selftest/golden.c"]
        assert number.encode() in files[f"src/{prefix}words_model.h"]


@pytest.mark.parametrize("prefix", ["", "3d_", "a-b", "Ab_", "_a", "a b", "ä_", "golden_", "a\n"])
def test_a_prefix_that_cannot_be_is_refused(prefix, firmware):
    with pytest.raises(ValueError, match="identifier|other names"):
        exported(firmware, prefix=prefix)


def test_every_package_has_what_its_format_requires(firmware):
    files = exported(firmware, "graph", prefix="acme_")
    lines = files["library.properties"].decode().splitlines()
    arduino = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert set(arduino) >= {
        *("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"),
        "architectures",
    }
    assert all(arduino.values())
    assert "example." not in arduino["url"]
    assert all(f"src/{header}" in files for header in arduino["includes"].split(","))
    platformio = json.loads(files["library.json"])
    assert {"name", "version", "description", "keywords", "license"} <= set(platformio)
    assert all(f"src/{header}" in files for header in platformio["headers"])
    espressif = yaml.safe_load(files["idf_component.yml"])
    assert {"version", "description", "license", "dependencies"} <= set(espressif)
    for package in (arduino, platformio, espressif):
        assert package["version"] == "1.2.3"
        assert package.get("name", "acme_words") == "acme_words"
        said = package.get("sentence") or package["description"]
        assert said.startswith("Recogniser of 5 spoken words")
    zephyr = yaml.safe_load(files["zephyr/module.yml"])
    assert zephyr["name"] == "acme_words"
    assert {f"{zephyr['build']['cmake']}/CMakeLists.txt", zephyr["build"]["kconfig"]} <= set(files)
    for sample in zephyr["samples"]:
        assert {f"{sample}/{name}" for name in ("prj.conf", "sample.yaml")} <= set(files)
    options = set(re.findall(rb"^config (\w+)$", files["zephyr/Kconfig"], re.M))
    assert options == {b"ACME_WORDS", b"ACME_WORDS_SELFTEST"}
    enabled = set(re.findall(rb"^CONFIG_(\w+)=y$", files["examples/zephyr/prj.conf"], re.M))
    assert options <= enabled
    assert b"@@" not in b"".join(files.values())


def test_the_manifest_tells_what_the_folder_holds(firmware):
    proof = {"stack_bytes": 456, "recogniser_flash_bytes": 45614, "mismatches": 0}
    facts = {"corpus": "SD_cards", "corpus_licence": "CC0", "model_sha256": "ab"}
    files = exported(firmware, proof=proof, provenance=facts, labels=["sd_on", "_silence_", "é"])
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {path: sha256(content) for path, content in files.items()}
    assert manifest["versions"] == {"project": "1.2.3", "abi": 2}
    assert manifest["licences"] == {"code": "MIT", "weights_and_golden_clips": "CC0"}
    assert manifest["labels"] == ["sd_on", "_silence_", "é"]
    assert manifest["not_words"] == ["_silence_"]
    assert manifest["sample_rate_hz"] == 8000
    assert manifest["frontend"]["frame_step_ms"] == 20
    assert manifest["detector"]["threshold"] == 0.65
    assert manifest["model"]["sha256"] == "ab"
    assert f"{manifest['model']['id']}u".encode() in files["src/sd_words_model.h"]
    found = manifest["bytes"]
    assert (found["stack"], found["recogniser_flash"]) == (456, 45614)
    assert "stack_bound" not in found  # it was not measured
    page = files["README.md"].decode()
    assert f"| RAM together | {found['recogniser_ram']:,} |" in page


def test_table_bytes_are_those_of_the_c_tables():
    sizes = {"uint8_t": 1, "int16_t": 2, "uint16_t": 2}
    text = c_tables.constants_source() + c_tables.c_files(SPEC, "a")["a_frontend.c"]
    found = re.findall(r"const (\w+) \w+\[(\d+)\]", text)
    assert c_tables.table_bytes(SPEC) == sum(sizes[ctype] * int(n) for ctype, n in found)


def test_senseless_wishes_are_refused(firmware, tmp_path):
    for golden in ([], [("nothing", np.zeros(0, np.int16))]):
        with pytest.raises(ValueError, match="golden clip is needed"):
            exported(firmware, golden=golden)
    for name in ("sd_fft", "sd_status", "sd_convolution_pow2", "sd_model"):
        with pytest.raises(UserError, match=f"{name} names something else in the folder: rename"):
            exported(firmware, name=name)
    with pytest.raises(ValueError, match="that ends in _, such as acme_"):
        exported(firmware, prefix="a")
    with pytest.raises(ValueError, match="no lower-case C identifier"):
        exported(firmware, name="sd-words")
    with pytest.raises(ValueError, match="12 features a frame, the network takes 13"):
        exported(firmware, spec=committed_spec(n_mfcc=12))
    with pytest.raises(UserError, match=r"sd_\w+\.c is missing"):
        exported(tmp_path)
