"""Stages export and prove on a tiny corpus and networks of random weights."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch
from detectors import PARAMS
from frontend_spec import committed_log_mel_spec, committed_spec
from graphs import BLOCKS, features, float_graph, trained_network
from networks import random_features, random_parent
from recordings import PATTERN, write_recordings
from workspace import BIN, Workspace

from spoken_digits.embedded import boards
from spoken_digits.embedded.targets import on_board
from spoken_digits.features import log_mel_int, mfcc_int
from spoken_digits.integer.detector.stored import Settings, write_settings
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io.files import sha256
from spoken_digits.models.card import ModelCard, write_model

WORDS = ("words", "int8")
"""A graph."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A workspace with a corpus, its split and an integer network of each scheme."""
    folder = tmp_path_factory.mktemp("export")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    workspace.stage("download")
    workspace.stage("split")
    raw = json.loads((workspace.folder / "data/raw/provenance.json").read_text())
    for scheme in SCHEMES:
        add_network(workspace, scheme, raw)
    add_graph(workspace, raw)
    return workspace


def add_network(workspace: Workspace, scheme: str, raw: dict) -> None:
    parent = random_parent(5, h=4, n_layers=1, n_classes=3)
    network = quantise(parent, *random_features(5), code=scheme)
    card = ModelCard(
        name="small",
        architecture={
            "name": "lstm",
            "hidden_dim": 4,
            "num_layers": 1,
            "dropout": 0.0,
            "pooling": "mean",
        },
        labels=raw["labels"],
        features=mfcc_int.MfccInt(committed_spec(n_frames=20)).describe(),
        input_shape=(20, 13),
        mean=[0.0],
        std=[1.0],
        best_epoch=1,
        corpus={key: raw[key] for key in ("corpus", "version", "fingerprint", "synthetic")},
        scheme=scheme,
    )
    add_files(workspace, card, network)


def add_graph(workspace: Workspace, raw: dict) -> None:
    parent = float_graph(trained_network(n_classes=3), np.linspace(-20, -10, 16), 9.0)
    spec = committed_log_mel_spec(n_mels=16, n_frames=22)
    card = ModelCard(
        name="words",
        architecture={
            "name": "ds_cnn",
            "stem_channels": 5,
            "blocks": list(BLOCKS),
            "depthwise_relu": True,
            "dropout": 0.0,
        },
        labels=raw["labels"],
        features=log_mel_int.LogMelInt(spec).describe(),
        input_shape=(22, 16),
        mean=[0.0],
        std=[1.0],
        best_epoch=1,
        corpus={key: raw[key] for key in ("corpus", "version", "fingerprint", "synthetic")},
        scheme="int8",
    )
    network = quantise(parent, features(np.random.default_rng(0), 40))
    add_files(workspace, card, network)


def add_files(workspace: Workspace, card: ModelCard, network: IntegerGraph) -> None:
    stem = f"{card.name}.{card.scheme}"
    tensors = {name: torch.from_numpy(np.array(a)) for name, a in network.arrays().items()}
    model = workspace.folder / f"models/{stem}.safetensors"
    write_model(model, card, tensors)
    settings = Settings(
        model_sha256=sha256(model.read_bytes()), temperature=1.0, threshold=0.5, detector=PARAMS
    )
    write_settings(workspace.folder / f"models/{stem}.detector.json", settings)
    metrics = workspace.folder / f"metrics/{stem}.json"
    cost = workspace.folder / f"metrics/cortex_m/{stem}.json"
    cost.parent.mkdir(parents=True, exist_ok=True)
    metrics.write_text(json.dumps({"accuracy": 0.25}))
    cost.write_text(json.dumps({"model_sha256": "0" * 64, "stack_bytes": 4321}))


def exported(
    workspace: Workspace, scheme: str, *options: str, model: str = "small", afresh: bool = False
) -> dict[str, bytes]:
    workspace.stage("export", model, scheme, *options, afresh=afresh)
    folder = workspace.folder / "export" / f"{model}.{scheme}"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("model", "scheme"), [("small", "int8"), ("small", "pow2"), WORDS])
def test_export_makes_a_folder_that_checks_itself(model, scheme, workspace):
    content = exported(workspace, scheme, model=model)
    again = exported(workspace, scheme, model=model, afresh=model == "words")
    assert again == content  # replaced by the same
    assert f"src/sd_{model}_{scheme}_model.h" in content
    page = content["README.md"].decode()
    for said in ("0.2500", "4,321", "no, stop, yes"):
        assert said in page
    assert str(workspace.folder) not in b"".join(content.values()).decode()
    folder = workspace.folder / "export" / f"{model}.{scheme}"
    done = subprocess.run(["make", "check"], cwd=folder, capture_output=True, text=True, check=True)
    assert "3 clips, 0 differ" in done.stdout
    assert re.search(r"\d events, 0 differ", done.stdout)
    names = re.findall(r'^(.*): "', done.stdout.partition("stream: ")[0], re.M)
    split = dict(
        line.split(",") for line in (workspace.folder / "data/split.csv").read_text().splitlines()
    )
    assert {split[name] for name in names} == {"test"}


def test_export_takes_a_prefix_and_refuses_what_is_none(workspace):
    content = exported(workspace, "int8", "--prefix", "acme_", model="words")
    assert "src/acme_words_int8_model.h" in content
    folder = workspace.folder / "export/words.int8"
    done = subprocess.run(["make", "check"], cwd=folder, capture_output=True, text=True, check=True)
    assert "3 clips, 0 differ" in done.stdout
    refused = workspace.stage("export", "words", "int8", "--prefix", "3d_", check=False)
    assert refused.returncode != 0
    assert "'3d_' is no lower-case C identifier" in refused.stderr


def test_export_leaves_out_missing_measurements(workspace):
    cost = workspace.folder / "metrics/cortex_m/small.int8.json"
    kept = cost.read_text()
    try:
        cost.write_text(json.dumps({"model_sha256": "0" * 64}))
        page = exported(workspace, "int8")["README.md"].decode()
        cost.unlink()
        absent = workspace.stage("export", "small", "int8", check=False)
    finally:
        cost.write_text(kept)
    assert "4,321" not in page
    assert "None" not in page
    assert absent.returncode == 1
    assert absent.stderr.startswith("error: metrics/cortex_m/small.int8.json is missing")
    assert "python stages/measure.py small int8" in absent.stderr


def test_export_refuses_unsupported_networks(workspace):
    missing = workspace.stage("export", "absent", "int8", check=False)
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: models/absent.int8.safetensors is missing")
    raw = workspace.folder / "data/raw/provenance.json"
    kept = raw.read_text()
    try:
        raw.write_text(json.dumps(json.loads(kept) | {"fingerprint": "other"}))
        other = workspace.stage("export", "small", "int8", check=False)
    finally:
        raw.write_text(kept)
    assert other.returncode == 1
    assert "trained on other recordings" in other.stderr


QUICK = ["--clips", "3", "--targets", "gcc -O0", "cortex-m0 gcc -O2"]


def test_proof_counts_no_mismatch_and_can_fail(workspace):
    if missing := boards.missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)} ({boards.PACKAGES})")
    models = [*(f"small.{scheme}" for scheme in SCHEMES), "words.int8"]
    proof = workspace.stage("prove", *QUICK)
    assert f"\n0 mismatches in {2 * len(models)} comparisons" in proof.stdout
    assert all(model in proof.stdout for model in models)
    program = workspace.folder / "firmware/boards/recogniser_board.c"
    kept = program.read_text()
    last = "board_write(logits, sizeof logits);"
    assert last in kept
    try:
        program.write_text(kept.replace(last, f"logits[1] ^= 1; {last}"))
        proof = workspace.stage("prove", "--models", "small.int8", *QUICK, check=False)
    finally:
        program.write_text(kept)
    assert proof.returncode == 1
    assert "\n6 mismatches in 2 comparisons" in proof.stdout


def test_proof_names_the_packages_that_are_missing(workspace):
    proof = workspace.run("env", f"PATH={BIN}", "python", "stages/prove.py", check=False)
    assert proof.returncode == 1
    assert proof.stderr.count("\n") == 1
    assert "gcc clang gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm" in proof.stderr


def test_proof_says_what_it_leaves_out(workspace, tmp_path):
    for tool in ("gcc", "as", "ld"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    proof = workspace.run(
        *("env", f"PATH={BIN}:{tmp_path}", "python", "stages/prove.py", "--clips", "2"),
        *("--models", "small.int8", "--targets", "gcc -O0", "avr gcc -Os"),
    )
    assert "\n0 mismatches in 1 comparisons" in proof.stdout
    line = "small.int8 was not run on avr gcc -Os: no avr-gcc, simavr (Debian: gcc-avr avr-libc"
    assert line in proof.stdout


def cost_of(workspace: Workspace, scheme: str) -> dict:
    return json.loads((workspace.folder / f"metrics/cortex_m/small.{scheme}.json").read_text())


@pytest.mark.skipif(bool(boards.missing_tools()), reason="the Arm tools are not installed")
def test_measuring_needs_the_recorded_tools_and_never_mixes_models(workspace):
    recorded = {"model_sha256": "0" * 64, "stack_bytes": 4321}
    path = workspace.folder / "metrics/cortex_m/small.int8.json"
    path.write_text(json.dumps(recorded))
    missing = {"PATH": str(BIN)}  # Python and nothing else
    # Figures of another model go, rather than stand beside this one.
    line = workspace.stage("measure", "small", "int8", extra=missing).stdout
    assert "not measured, there are no figures of this model (gcc is not installed;" in line
    unknown = cost_of(workspace, "int8")
    assert set(unknown) == {"model_sha256", "not_measured"}
    assert unknown["not_measured"].startswith("gcc is not installed; ")
    page = exported(workspace, "int8")["README.md"].decode()
    assert "Nothing else was run before the export: gcc is not installed" in page
    workspace.change(lambda params: params["measure"].update(clips=3))
    line = workspace.stage("measure", "small", "int8", "--targets", "gcc -O0").stdout
    assert "small.int8: 0 mismatches on 3 clips" in line
    measured = cost_of(workspace, "int8")
    assert measured["mismatches"] == 0
    names = {on_board(board).name for board in boards.BOARDS.values()}
    assert set(measured["proof"]) == {"gcc -O0", *names}
    assert {of_target["clips"] for of_target in measured["proof"].values()} == {3}
    assert measured["stack_bytes"] <= measured["stack_bound_bytes"] + 64
    assert measured["instructions_m0"] > measured["instructions_m3"] > 1000
    # Those of this model stay, without the tools and with others.
    line = workspace.stage("measure", "small", "int8", extra=missing).stdout
    assert line.count("\n") == 1
    assert "the recorded figures stay" in line
    assert cost_of(workspace, "int8") == measured
    workspace.change(lambda params: params["measure"].update(qemu="99.1"))
    line = workspace.stage("measure", "small", "int8").stdout
    assert "the recorded figures stay (qemu-system-arm is " in line
    assert "the record is of 99.1" in line
    assert cost_of(workspace, "int8") == measured


def test_detect_calibrates_a_detector_that_listen_and_export_take(workspace):
    """Last here: it replaces the detector that the other tests export."""
    model, scheme = WORDS
    stem = f"{model}.{scheme}"
    before = exported(workspace, scheme, model=model)
    workspace.stage("detect", model, scheme)
    figures = json.loads((workspace.folder / f"metrics/detector/{stem}.json").read_text())
    assert figures["differences_c"] == 0
    assert figures["words"]["n"] == 10
    assert {"noise", "synthetic", "hours", "speakers", "corpus"} <= set(figures)
    table = (workspace.folder / f"plots/detector/{stem}.csv").read_text().splitlines()
    assert len(table) > 3
    settings = json.loads((workspace.folder / f"models/{stem}.detector.json").read_text())
    assert settings["threshold"] == figures["threshold"] != 0.5
    after = exported(workspace, scheme, model=model)
    changed = {path for path in after if after[path] != before[path]}
    assert f"src/sd_{model}_{scheme}_detector.c" in changed
    assert f"src/sd_{model}_{scheme}.c" not in changed


def test_detect_says_what_is_wrong_with_its_parameters(workspace):
    path = workspace.folder / "params.yaml"
    text = path.read_text()
    path.write_text(text.replace("offset_db: 6.0", "offset_db: 60.0"))
    done = workspace.stage("detect", *WORDS, check=False)
    path.write_text(text)
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml: `detector.offset_db` is 60, must be at most")
