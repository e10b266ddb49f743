"""Stage `summarise_detection`: detectors on unseen speakers, over folds and seeds."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import warm_python
import yaml
from recordings import REPOSITORY

RUN = {
    "threshold": 0.5,
    "words": {"n": 100, "hit_rate": 0.8, "wrong_rate": 0.1, "lost": {"unsure": 3}},
    "other_words": {"n": 50, "false_accepts": 4, "minutes": 3.0},
    "noise": {"n": 1, "hours": 2.0, "per_hour": 0.5},
    "latency_ms": 200.0,
    "hours": 3.0,
    "differences_c": 0,
}
FOLDS, SEEDS = (0, 3), (42, 43)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A checkout with a run for each of two folds and seeds; only anna's differ by seed."""
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    params["studies"]["folds"] = list(FOLDS)
    params["studies"]["detection"] = {"models": ["small"], "seeds": list(SEEDS)}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "data/raw").mkdir(parents=True)
    provenance = {"corpus": "fsdd", "version": "1", "synthetic": False}
    (tmp_path / "data/raw/provenance.json").write_text(json.dumps(provenance))
    for fold, speakers in zip(FOLDS, ("anna", "ben, cy"), strict=True):
        for seed in SEEDS:
            run = of(speakers, 0.6 if (fold, seed) == (0, 43) else 0.8)
            write(tmp_path, fold, seed, run)
    return tmp_path


def of(speakers: str, hit_rate: float) -> dict[str, Any]:
    run = copy.deepcopy(RUN)
    run["words"]["hit_rate"] = hit_rate
    window = {**copy.deepcopy(run), "threshold": 0.9, "judged_by": "c"}
    return {**run, "sliding": window, "speakers": speakers}


def write(folder: Path, fold: int, seed: int, run: dict[str, Any]) -> None:
    path = folder / f"studies/detection/small.int8-{fold}-{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run))


def summarise(folder: Path) -> subprocess.CompletedProcess[str]:
    script = str(REPOSITORY / "stages/summarise_detection.py")
    return subprocess.run(
        [warm_python.python(), script], cwd=folder, capture_output=True, text=True
    )


def made(folder: Path) -> dict[str, Any]:
    done = summarise(folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "metrics/detector_unseen.json").read_text())


def test_every_fold_counts_the_same_and_every_seed_of_it(folder):
    figures = made(folder)["small.int8"]
    words = figures["words"]
    assert words["hit_rate"] == pytest.approx((0.7 + 0.8) / 2)
    assert words["per_speakers"]["anna"] == {"mean": 0.7, "min": 0.6, "max": 0.8, "n": 200}
    assert (words["worst"], words["worst_speakers"]) == (0.7, "anna")
    assert words["wrong_rate"] == 0.1
    assert figures["other_words"] == {"n": 50, "false_accepts": 4}
    assert figures["noise"] == {"hours": 2.0, "per_hour": 0.5}
    assert (figures["latency_ms"], figures["differences_c"]) == (200, 0)
    assert (figures["seeds"], figures["corpus"]) == ([42, 43], "fsdd 1")
    assert figures["sliding"]["threshold"] == 0.9
    assert figures["sliding"]["words"]["per_speakers"].keys() == {"anna", "ben, cy"}


def test_what_not_every_run_has_is_left_out(folder):
    run = of("anna", 0.8)
    del run["other_words"], run["sliding"], run["latency_ms"]
    run["differences_c"] = None
    write(folder, 0, 42, run)
    figures = made(folder)["small.int8"]
    assert not {"other_words", "sliding", "latency_ms"} & figures.keys()
    assert figures["differences_c"] is None


def test_without_the_archives_what_is_recorded_stays(folder):
    recorded = made(folder)
    for fold in FOLDS:
        for seed in SEEDS:
            write(folder, fold, seed, {})
    assert "small.int8: no streams without the archives" in summarise(folder).stdout
    assert made(folder) == recorded
    (folder / "metrics/detector_unseen.json").unlink()
    assert made(folder) == {}


def test_a_run_that_is_missing_is_one_line(folder):
    write(folder, 3, 43, {})
    done = summarise(folder)
    assert done.returncode == 1
    assert "small.int8-3-43.json is empty, others of small.int8 are not" in done.stderr
    (folder / "studies/detection/small.int8-3-43.json").unlink()
    assert (
        "small.int8-3-43.json is missing: make it with `make crossval`" in summarise(folder).stderr
    )
