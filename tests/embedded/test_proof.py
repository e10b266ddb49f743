from __future__ import annotations

import shutil

import numpy as np
import pytest
from frontend_spec import committed_spec
from networks import random_features, random_parent

from spoken_digits.embedded import boards, host_network, host_recogniser, proof
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import IntegerGraph


@pytest.fixture
def network() -> IntegerGraph:
    parent = random_parent(0, h=8, n_layers=2, n_classes=3)
    return quantise(parent, *random_features(0))


@pytest.fixture
def clips() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [(rng.normal(0, 3000, n)).astype(np.int16) for n in (1, 300, 2000, 7000)]


def test_every_host_compiler_agrees_with_numpy(network, clips, firmware):
    runs = proof.on_host(network, committed_spec(), clips, firmware)
    assert {"gcc -O0", "gcc -O3"} <= {run.build for run in runs}
    assert ("clang -O3" in {run.build for run in runs}) == (shutil.which("clang") is not None)
    assert [run.mismatches for run in runs] == [0] * len(runs)
    assert proof.cost_metrics(runs) == {"mismatches": 0}


def test_a_wrong_logit_is_a_mismatch(network, clips, firmware, monkeypatch):
    honest = host_network.logits_on_host

    def off_by_one(*arguments):
        logits = honest(*arguments)
        logits[2, 0] += 1
        return logits

    monkeypatch.setattr(host_network, "logits_on_host", off_by_one)
    runs = proof.on_host(network, committed_spec(), clips, firmware)
    assert [run.mismatches for run in runs] == [1] * len(runs)


def test_a_recogniser_that_answers_otherwise_is_a_mismatch(network, clips, firmware, monkeypatch):
    """Its parts may be right and the whole wrong."""
    honest = host_recogniser.logits_on_host

    def off_by_one(*arguments):
        logits, statuses = honest(*arguments)
        logits[1, 2] -= 1
        return logits, statuses

    monkeypatch.setattr(host_recogniser, "logits_on_host", off_by_one)
    runs = proof.on_host(network, committed_spec(), clips, firmware)
    assert [run.mismatches for run in runs] == [1] * len(runs)


def test_another_specification_is_proven_with_its_own_tables(network, clips, firmware):
    spec = committed_spec(n_frames=120, n_mels=24, hop_length=100, floor_lsb=7.0)
    runs = proof.on_host(network, spec, clips, firmware)
    if not boards.missing_tools():
        runs += proof.on_boards(network, spec, clips, firmware)
        assert set(boards.BOARDS) <= {run.build for run in runs}
    assert [run.mismatches for run in runs] == [0] * len(runs)


def test_metrics_take_the_larger_board():
    counts = {
        "flash_bytes": 10,
        "ram_bytes": 5,
        "stack_bytes": 3,
        "clip_instructions_max": 100,
        "frontend_flash_bytes": 7,
        "frontend_ram_bytes": 6,
        "frontend_stack_bytes": 4,
        "frontend_frame_instructions_max": 50,
        "recogniser_flash_bytes": 15,
        "recogniser_ram_bytes": 9,
        "recogniser_stack_bytes": 5,
        "recogniser_clip_instructions_max": 160,
    }
    runs = [
        proof.Run(build="m0", n_clips=2, mismatches=1, counts=counts),
        proof.Run(build="m3", n_clips=2, mismatches=0, counts={**counts, "flash_bytes": 12}),
    ]
    metrics = proof.cost_metrics(runs)
    assert metrics["mismatches"] == 1
    assert metrics["flash_bytes"] == 12
    assert metrics["stack_bytes"] == 5
    assert (metrics["recogniser_flash_bytes"], metrics["recogniser_ram_bytes"]) == (15, 9)
    assert metrics["recogniser_instructions_m3"] == 160
    assert metrics["instructions_m0"] == 100
    assert metrics["frontend_instructions_m3"] == 50
