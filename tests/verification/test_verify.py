"""Damaged files and stages with differing results are found, on a small pipeline."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

from spoken_digits.errors import UserError
from spoken_digits.verification import hashes, record, reproduction
from spoken_digits.verification.lock import Output, Stage, read_lock, with_upstream

REPOSITORY = Path(__file__).resolve().parents[2]

# `elsewhere` stands for another machine's result: it is read from outside the repository.
PIPELINE = """\
stages:
  collect:
    cmd: mkdir -p data && echo one > data/a.txt && echo two > data/b.txt
    outs: [data]
  train:
    foreach: [small, large]
    do:
      cmd: >-
        mkdir -p models metrics && cat data/a.txt $ELSEWHERE/${item} > models/${item}.safetensors
      deps: [data]
      outs: ["models/${item}.safetensors"]
  evaluate:
    foreach: [small, large]
    do:
      cmd: cp $ELSEWHERE/${item}.json metrics/${item}.json
      deps: ["models/${item}.safetensors"]
      metrics:
        - metrics/${item}.json:
            cache: false
"""


class Pipeline:
    """A committed run of PIPELINE."""

    def __init__(self, folder: Path) -> None:
        self.root, self.elsewhere = folder / "checkout", folder / "elsewhere"
        self.root.mkdir()
        self.elsewhere.mkdir()
        for name in ("small", "large"):
            self.results(name, accuracy=0.9)
        (self.root / "dvc.yaml").write_text(PIPELINE)
        (self.root / "metrics").mkdir()
        seeds = {"small": {"values": [0.88, 0.93]}}
        (self.root / "metrics" / "seeds.json").write_text(json.dumps(seeds))
        for command in ("git init -q", "dvc init -q", "dvc repro -q", "git add -A"):
            self.run(*command.split())
        self.run("git", "commit", "-qm", "record")

    def results(self, name: str, accuracy: float) -> None:
        """Set the results of training and evaluating."""
        (self.elsewhere / name).write_text(f"weights {accuracy}\n")
        interval = {"accuracy_ci_low": 0.85, "accuracy_ci_high": 0.95}
        found = {"accuracy": accuracy, "parameters": 9 if name == "large" else 4, **interval}
        (self.elsewhere / f"{name}.json").write_text(json.dumps(found))

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "ELSEWHERE": str(self.elsewhere),
            "PATH": os.pathsep.join([str(warm_python.launchers()), os.environ["PATH"]]),
            "PYTHONPATH": str(REPOSITORY),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        for name in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{name}_NAME": "tests", f"GIT_{name}_EMAIL": "tests@localhost"}
        result = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def verify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = str(REPOSITORY / "stages" / "verify.py")
        return self.run(sys.executable, script, *arguments, check=False)

    def objects(self) -> list[Path]:
        return sorted(self.root.glob(".dvc/cache/files/md5/??/*"))


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("committed"))


@pytest.fixture
def pipeline(committed, tmp_path) -> Pipeline:
    """A copy that a test may damage."""
    copy = object.__new__(Pipeline)
    copy.root, copy.elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    shutil.copytree(committed.root, copy.root)
    shutil.copytree(committed.elsewhere, copy.elsewhere)
    return copy


def flip(path: Path) -> None:
    """Change a byte but nothing that DVC checks."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_untouched_checkout_is_whole(pipeline):
    result = pipeline.verify("--files")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 outputs and 6 cached objects hashed, 0 damaged\n" in result.stdout


@pytest.mark.parametrize("name", ["models/small.safetensors", "metrics/large.json", "data/b.txt"])
def test_a_changed_output_is_found(pipeline, name):
    flip(pipeline.root / name)
    result = pipeline.verify("--files")
    assert result.returncode == 1
    path = name if not name.startswith("data") else "data"
    assert f"{path} is not what stage" in result.stdout
    assert f"rm -r {path} && dvc checkout {path}" in result.stdout


def test_every_cached_object_is_hashed_and_the_remedy_works(pipeline):
    stages = read_lock(pipeline.root / "dvc.lock").values()
    for path in pipeline.objects():
        intact = path.read_bytes()
        flip(path)
        (damaged,), n_objects = hashes.check_cache(pipeline.root / ".dvc" / "cache", stages)
        assert damaged.path == str(path)
        assert n_objects == 6
        path.write_bytes(intact)
    flip(path)
    result = pipeline.verify("--files")
    assert result.returncode == 1
    (remedy,) = [line for line in result.stdout.splitlines() if "is damaged" in line]
    assert str(path) in remedy
    pipeline.run("bash", "-c", remedy.partition(": rm ")[2].join(["rm ", ""]))
    assert pipeline.verify("--files").returncode == 0
    assert path.read_bytes() == intact


def test_outputs_that_are_not_here_are_counted(pipeline):
    shutil.rmtree(pipeline.root / "models")
    result = pipeline.verify("--files")
    assert result.returncode == 0
    assert "3 outputs and 6 cached objects hashed, 0 damaged, 2 outputs not here" in result.stdout


def test_a_stage_that_is_no_more_is_named_and_left_out(pipeline):
    for name in ("small", "large"):  # what its stages wrote may be gone or belong to another now
        flip(pipeline.root / f"metrics/{name}.json")
    (pipeline.root / "dvc.yaml").write_text(PIPELINE.partition("  evaluate:")[0])
    result = pipeline.verify("--files")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line for line in result.stdout.splitlines() if "a stage that is no more" in line]
    assert len(lines) == 2
    assert "dvc.lock records evaluate@" in lines[0]
    assert "3 outputs and 6 cached objects hashed, 0 damaged\n" in result.stdout
    for line in lines:
        first, last = re.search(
            r"delete its entry, lines (\d+) to (\d+) of dvc.lock$", line
        ).groups()
        pipeline.run("sed", "-i", f"{first},{last}d", "dvc.lock")
    assert set(read_lock(pipeline.root / "dvc.lock")) == {"collect", "train@small", "train@large"}
    assert "no more" not in pipeline.verify("--files").stdout


def test_a_pipeline_that_cannot_be_read_is_one_line(pipeline):
    (pipeline.root / "dvc.yaml").write_text("stages: [")
    result = pipeline.verify("--files")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: `dvc stage list --name-only` failed: ")


def test_the_same_results_are_identical(pipeline):
    result = pipeline.verify("--reproduce")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 stages: 5 identical, 0 within tolerance, 0 different" in result.stdout
    assert not list((pipeline.root / ".dvc" / "tmp").glob("verify-*"))


@pytest.mark.parametrize(
    ("results", "status"),
    [
        # large has no seeds: the recorded interval counts
        ({"small": (0.92, "within tolerance"), "large": (0.94, "within tolerance")}, 0),
        ({"small": (0.94, "different"), "large": (0.84, "different")}, 1),
    ],
)
def test_other_results_are_judged_by_their_spread(pipeline, results, status):
    for name, (accuracy, _) in results.items():
        pipeline.results(name, accuracy)
    result = pipeline.verify("--reproduce")
    assert result.returncode == status, result.stdout + result.stderr
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert "identical" in lines["collect"]
    for name, (accuracy, verdict) in results.items():
        for stage in (f"train@{name}", f"evaluate@{name}"):
            assert verdict in lines[stage]
            assert f"0.9000 recorded, {accuracy:.4f} here" in lines[stage]
    assert f"5 stages: 1 identical, {4 - 4 * status} within tolerance, {4 * status} different" in (
        result.stdout
    )


def test_a_model_that_was_not_measured_here_is_not_judged_by_the_record(pipeline):
    pipeline.results("small", 0.1)
    result = pipeline.verify("--stages", "train@small")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "2 stages: 1 identical, 0 within tolerance, 1 different" in result.stdout


def test_a_stage_that_is_not_recorded_is_named(pipeline):
    lock = pipeline.root / "dvc.lock"
    text = lock.read_text()
    first, last = read_lock(lock)["evaluate@small"].lines
    lines = text.splitlines(keepends=True)
    lock.write_text("".join(lines[: first - 1] + lines[last:]))
    result = pipeline.verify("--files")
    assert result.returncode == 1
    assert "dvc.yaml defines evaluate@small, which dvc.lock does not record" in result.stdout


def judged(tmp_path: Path, **changed: str) -> dict[str, str]:
    """Verdicts of a model, its accuracy, curve and export, where some outputs have other hashes."""
    paths = {
        "train@a": ((), "models/a.safetensors"),
        "evaluate@a": (("models/a.safetensors",), "metrics/a.json"),
        "robustness@a": (("models/a.safetensors",), "plots/robustness/a.csv"),
        "export@a": (("models/a.safetensors", "firmware"), "export/a"),
    }

    def stages(digests: dict[str, str]) -> dict[str, Stage]:
        return {
            name: Stage(
                name=name,
                dependencies=deps,
                outputs=(Output(path=out, md5=digests.get(name.partition("@")[0], "0")),),
                lines=(1, 1),
            )
            for name, (deps, out) in paths.items()
        }

    root, folder = tmp_path / "root", tmp_path / "folder"
    for top, accuracy in ((root, 0.9), (folder, 0.91)):
        (top / "metrics").mkdir(parents=True)
        row = {"accuracy": accuracy, "accuracy_ci_low": 0.85, "accuracy_ci_high": 0.95}
        (top / "metrics/a.json").write_text(json.dumps(row))
    judge = reproduction._Judge(stages({}), stages(changed), folder, root)
    return {name.partition("@")[0]: judge.row(name).verdict for name in paths}


def test_what_is_made_of_a_model_is_not_judged_by_its_accuracy(tmp_path):
    verdicts = judged(tmp_path, robustness="1", export="1")
    assert verdicts["train"] == verdicts["evaluate"] == "identical"
    assert verdicts["robustness"] == verdicts["export"] == "different"


def test_what_is_made_of_another_model_within_tolerance_may_differ(tmp_path):
    verdicts = judged(tmp_path, train="1", evaluate="1", robustness="1", export="1")
    assert set(verdicts.values()) == {"within tolerance"}


def test_a_part_of_the_stages_runs_with_what_it_depends_on(pipeline):
    pipeline.results("large", 0.1)  # not asked for
    result = pipeline.verify("--stages", "evaluate@small")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 stages: 3 identical, 0 within tolerance, 0 different" in result.stdout


def test_a_stage_that_fails_is_different(pipeline):
    (pipeline.elsewhere / "large").unlink()
    result = pipeline.verify("--reproduce")
    assert result.returncode == 1
    assert "failed, or was not run" in result.stdout
    assert "5 stages: 3 identical, 0 within tolerance, 2 different" in result.stdout


def test_quick_runs_the_smallest_model(pipeline):
    result = pipeline.verify("--quick")
    assert "evaluate@small" in result.stdout
    assert "evaluate@large" not in result.stdout


def test_quick_passes_over_the_metrics_of_a_stage_that_is_no_more(pipeline):
    (pipeline.root / "metrics" / "tiny.json").write_text('{"accuracy": 0.5, "parameters": 1}')
    result = pipeline.verify("--quick")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "evaluate@small" in result.stdout


def test_unknown_stages_are_named(pipeline):
    result = pipeline.verify("--stages", "evaluate@huge")
    assert result.returncode == 1
    assert "error: dvc.lock has no stage evaluate@huge" in result.stderr


def test_the_record_names_the_processor_and_its_lock(pipeline):
    (pipeline.root / "docs").mkdir()
    pipeline.verify("--write-record")
    content = json.loads((pipeline.root / "docs" / "record.json").read_text())
    assert content["processor"] == record.processor()
    lock = pipeline.root / "dvc.lock"
    assert record.compare(content, lock)[1:] == []
    lines = record.compare({**content, "processor": "Z80", "torch": "1.0"}, lock)
    assert lines[0].startswith("recorded on Z80, here ")
    assert "recorded with torch 1.0" in lines[1]
    lock.write_text(lock.read_text() + "\n")
    assert "is of another dvc.lock" in record.compare(content, lock)[-1]


def test_upstream_stages_are_found_through_folders():
    stages = {
        name: Stage(
            name=name, dependencies=needs, outputs=(Output(path=out, md5=""),), lines=(1, 2)
        )
        for name, needs, out in (
            ("use", ("data/kind/x.npy",), "out"),
            ("make@a", ("raw",), "data/kind"),
            ("make@b", ("raw",), "data/kind2"),
            ("fetch", (), "raw/archive.zip"),
        )
    }
    assert with_upstream(stages, ["use"]) == ["use", "make@a", "fetch"]
    assert with_upstream(stages, ["make"]) == ["make@a", "make@b", "fetch"]


@pytest.mark.parametrize("content", ["", "stages: 3", "stages: {a: {outs: [{path: x}]}}", "{"])
def test_a_damaged_lock_is_one_line(tmp_path, content):
    path = tmp_path / "dvc.lock"
    path.write_text(content)
    with pytest.raises(UserError, match="is damaged: `git checkout dvc.lock`"):
        read_lock(path)


def test_the_table_lines_up():
    rows = [
        reproduction.Row(stage="a", verdict="identical"),
        reproduction.Row(stage="long", verdict="different", why="failed"),
    ]
    assert reproduction.table(rows).splitlines()[0] == "a     identical"
