"""The same stream through a detector in C, on a board and as WebAssembly, held against NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from detectors import RATE, small, words_in_noise
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import material, proof, trial
from spoken_digits.evaluation.detection.examination import Examinee
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.detection.streams import Stream

DETECT = read_config(REPOSITORY / "params.yaml").section("detect", DetectParams)


@pytest.fixture(scope="module")
def model():
    """A small recogniser, and its detector."""
    spec, network, frontend, recognise = small()
    recogniser = trial.Recogniser(
        labels=[str(i) for i in range(network.n_classes)],
        logit_step=network.logit_step,
        sample_rate=RATE,
        recognise=recognise,
    )
    firmware = REPOSITORY / "firmware"
    examinee = Examinee(
        recogniser=recogniser, network=network, frontend=frontend, firmware=firmware
    )
    return examinee, spec


def stream(seed):
    samples, _ = words_in_noise(seed, 4)
    samples = samples[: len(samples) // 160 * 160]
    blocks = (samples[:7777], samples[7777:])
    return Stream(kind=str(seed), spans=(), n_samples=len(samples), blocks=lambda: iter(blocks))


def test_every_target_gives_the_events_of_numpy_and_a_difference_is_counted(model, tmp_path):
    if proof.missing():
        pytest.skip(f"not installed: {', '.join(proof.missing())}")
    examinee, spec = model
    heard_by = proof.targets(examinee, spec, tmp_path)
    assert list(heard_by) == ["c", "m3", "wasm"]
    found = [
        dataclasses.replace(p) for p in proof.prove(examinee, spec, heard_by, map(stream, (1, 2)))
    ]
    assert found[-1].differences == {"c": 0, "m3": 0, "wasm": 0}
    assert found[-1].events > found[0].events > found[0].words > 3
    assert found[-1].hours == pytest.approx(sum(stream(i).n_samples for i in (1, 2)) / RATE / 3600)
    other = dataclasses.replace(spec, threshold=10_000)
    (wrong,) = proof.prove(examinee, other, heard_by, iter([stream(1)]))
    assert all(n > 0 for n in wrong.differences.values())


def test_missing_tools_are_one_line(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"gcc, .*qemu-system-arm, node, .*apt-get install gcc"):
        proof.targets(*model, tmp_path)


def test_streams_go_on_under_further_seeds_until_there_are_hours_enough():
    voice = [(0, np.random.default_rng(0).normal(0, 0.1, RATE // 2))]
    sound = material.Material(words=voice, other_words=[], phrases=voice, synthetic=[])
    params = dataclasses.replace(DETECT, noise_hours=0.05, babble_hours=0.05)
    made = list(proof.streams(sound, params, RATE, 7, 0.2))
    lengths = [one.n_samples / RATE / 3600 for one in made]
    assert sum(lengths) >= 0.2 > sum(lengths[:-1])
    again = [one for one in made if one.kind == "noise"]
    assert len(again) == 2
    first, second = (next(one.blocks()) for one in again)
    assert (first != second).any()
