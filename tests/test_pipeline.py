"""The pipeline as DVC sees it, and whole runs of it on a tiny corpus."""

from __future__ import annotations

import copy
import json
import re
import shlex

import pytest
import warm_python
import yaml
from recordings import PATTERN, REPOSITORY, write_recordings
from workspace import Workspace, of_other_code, recorded_stages

from spoken_digits.config import read_config
from spoken_digits.demo import module
from spoken_digits.models.params import names

PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())
CODE = "data/sources/"


def stage_body(name: str) -> dict:
    return PIPELINE["stages"][name].get("do", PIPELINE["stages"][name])


def expanded(text: str, key: str, item: dict | str) -> str:
    """A template of dvc.yaml for one entry of its `foreach`."""
    values = (
        {f"item.{name}": value for name, value in item.items()} if isinstance(item, dict) else {}
    )
    values |= {"key": key, "item": str(item)}
    return re.sub(r"\$\{([^}]+)\}", lambda found: str(values.get(found[1], found[0])), text)


def entries(stage: str, params: dict) -> dict:
    """Key and item of each entry of a stage's `foreach`; one empty entry without it."""
    foreach = PIPELINE["stages"][stage].get("foreach", {"": {}})
    if isinstance(foreach, str):
        node = params
        for name in foreach.removeprefix("${").removesuffix("}").split("."):
            node = node[name]
        return dict(node) if isinstance(node, dict) else {item: item for item in node}
    return {item: item for item in foreach} if isinstance(foreach, list) else foreach


# Modules that stages load by name, of those that no test below runs.
OPEN = {
    "train_open": [
        "augmentation/open_sound",
        "features/log_mel",
        "models/architectures/ds_cnn",
    ],
    "evaluate_open": ["features/log_mel", "models/architectures/ds_cnn"],
    "quantize_open": [
        "features/log_mel",
        "features/log_mel_int",
        "models/architectures/ds_cnn",
        "quantization/integer",
        "quantization/integer_ds_cnn",
    ],
    "reject": [
        "features/log_mel",
        "features/log_mel_int",
        "models/architectures/ds_cnn",
        "quantization/integer",
        "quantization/integer_ds_cnn",
    ],
    "measure_open": ["features/log_mel_int"],
    "detect_open": ["features/log_mel_int"],
    "export_open": ["features/log_mel_int"],
    "web_open": ["features/log_mel_int"],
}


SHOWN_BY = {"report_page": ("stages/evaluate", "stages/quantize")}
"""Scripts whose files in metrics/ a stage reads: it cannot name those, one or more a model."""


@pytest.mark.parametrize("stage", [stage for stage in PIPELINE["stages"] if stage != "sources"])
def test_a_stage_depends_on_the_code_of_its_script_and_on_no_other_script(stage):
    body = stage_body(stage)
    deps = set(body["deps"])
    script = body["cmd"].split()[1].removesuffix(".py")
    scripts = {script, *SHOWN_BY.get(stage, ())}
    expected = {f"{CODE}{name}.json" for name in scripts}
    assert {dep for dep in deps if dep.startswith(f"{CODE}stages/")} == expected
    assert {f"{CODE}spoken_digits/{module}.json" for module in OPEN.get(stage, ())} <= deps
    assert not [dep for dep in deps if dep.startswith(("spoken_digits/", "stages/"))]


def test_the_digests_that_stages_depend_on_are_written(digests, default_params):
    for stage in PIPELINE["stages"]:
        for key, item in entries(stage, default_params).items():
            for dep in stage_body(stage)["deps"]:
                if dep.startswith(CODE):
                    assert (digests / expanded(dep, key, item).removeprefix(CODE)).exists(), dep


def test_no_list_of_models_is_kept_in_the_pipeline(default_params):
    text = "\n".join(
        line
        for line in (REPOSITORY / "dvc.yaml").read_text().splitlines()
        if "#" not in line and not line.strip().startswith(f"- {CODE}")
    )
    assert not [name for name in names(default_params) if re.search(rf"\b{name}\b", text)]


def test_the_record_holds_the_stages_of_the_pipeline_and_no_others(default_params):
    recorded = recorded_stages(REPOSITORY / "dvc.lock")
    expected = {
        f"{stage}@{key}" if key else stage
        for stage in PIPELINE["stages"]
        for key in entries(stage, default_params)
    }
    assert set(recorded) == expected


def test_the_record_was_made_by_this_code(digests):
    assert of_other_code(REPOSITORY / "dvc.lock", digests) == [], "run `make record`, and commit"


def test_each_model_is_finished_before_the_next_is_begun():
    # DVC reads the file from top to bottom.
    stages = ("train", "evaluate", "quantize", "quantize_dynamic")
    order = [stage for stage in PIPELINE["stages"] if stage in stages]
    assert order == ["quantize", "quantize_dynamic", "evaluate", "train"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A committed run of everything on own recordings."""
    folder = tmp_path_factory.mktemp("pipeline")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    workspace.run("git", "init", "--quiet", "--initial-branch=main")
    (folder / "loaded").mkdir()
    workspace.run("dvc", "repro", extra={warm_python.NOTE_MODULES: str(folder / "loaded")})
    commit(workspace)
    return workspace


def commit(workspace: Workspace) -> None:
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", "run")


def start_over(workspace: Workspace) -> None:
    workspace.run("git", "checkout", "--quiet", ".")
    workspace.run("git", "clean", "--quiet", "--force", "-d")
    workspace.dvc("checkout", "--quiet")


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


@pytest.mark.pipeline
def test_repro_makes_everything_once_and_commits_clean(workspace):
    start_over(workspace)
    files = workspace.files()
    for model in names(read_config(workspace.folder / "params.yaml")):
        for name in (
            f"models/{model}.safetensors",
            f"models/{model}.int8_dynamic.safetensors",
            f"metrics/{model}.json",
            f"metrics/{model}.int8_dynamic.json",
            f"plots/curves/{model}.csv",
            f"plots/confusion/{model}.csv",
            f"plots/per_class/{model}.csv",
            f"plots/size_accuracy/{model}.csv",
            f"plots/size_accuracy/{model}.int8_dynamic.csv",
            f"plots/mistakes/{model}.png",
            f"plots/robustness/{model}.csv",
        ):
            assert files[name]
        assert f"<code>{model}</code>" in files["plots/report.html"].decode()
    assert json.loads(files["metrics/lstm_36kb.json"])["accuracy"] > 0.6  # tones are easy
    page = (workspace.folder / "export/demo.html").read_text(encoding="utf-8")
    assert page.count('"name":"lstm_36kb.int8"') == 1
    assert ('"module":"' in page) == (not module.missing())
    assert "up to date" in workspace.dvc("repro")
    assert workspace.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.pipeline
def test_a_stage_depends_on_all_code_that_it_loads(workspace):
    start_over(workspace)
    recorded = recorded_stages(workspace.folder / "dvc.lock").values()
    stages = {tuple(shlex.split(stage["cmd"])[1:]): stage for stage in recorded}
    noted = [json.loads(f.read_text()) for f in (workspace.folder.parent / "loaded").iterdir()]
    scripts = [note for note in noted if note["arguments"][0].startswith("stages/")]
    assert len(scripts) >= len(stages)
    for note in scripts:
        stage = stages[tuple(note["arguments"])]
        covered = {"spoken_digits/errors.py"}
        for dep in stage["deps"]:
            path = workspace.folder / dep["path"]
            if dep["path"].startswith(CODE):
                for file in path.rglob("*.json") if path.is_dir() else [path]:
                    covered |= json.loads(file.read_text()).keys()
            elif dep["path"] in ("spoken_digits/", "spoken_digits"):
                covered |= set(note["files"])
        assert set(note["files"]) <= covered, note["arguments"]
        assert len(note["files"]) > 1


@pytest.mark.exhaustive
@pytest.mark.pipeline
def test_two_clean_runs_give_the_same_bytes(workspace):
    start_over(workspace)
    lock = workspace.folder / "dvc.lock"
    before, recorded = workspace.files(), recorded_stages(lock)
    workspace.run("dvc", "repro", "--force", "--no-run-cache", afresh=True)
    assert workspace.files() == before
    assert recorded_stages(lock) == recorded
    # Only its lines are broken elsewhere: warm_python does not write it as DVC does.
    assert workspace.run("git", "status", "--porcelain").stdout.split() in ([], ["M", "dvc.lock"])


@pytest.mark.pipeline
def test_an_experiment_runs_again_only_what_it_changes(workspace, tmp_path):
    start_over(workspace)
    output = workspace.dvc("exp", "run", "-S", "model.hidden_dim=24")
    own = {"train@lstm", "evaluate@lstm", "quantize_dynamic@lstm", "robustness@lstm"}
    assert stages_run(output) == own | {"plan", "collect", "report_page"}
    changed = json.loads(workspace.run("dvc", "metrics", "diff", "--json").stdout)
    assert changed["metrics/test/lstm.json"]["kib"]["diff"] > 0
    assert set(changed) == {"metrics/test/lstm.json", "metrics/test/lstm.int8_dynamic.json"}
    shown = workspace.run("dvc", "metrics", "show").stdout.splitlines()
    assert max(map(len, shown)) <= 120
    paths = [line.split()[0] for line in shown[1:]]
    assert paths == sorted(paths)
    assert "corpus" in shown[0].split()
    for command in (["show"], ["diff", "HEAD"]):
        out = tmp_path / command[0]
        workspace.dvc("plots", *command, "--out", str(out))
        page = (out / "index.html").read_text()
        assert "vegaEmbed" in page
        assert "accuracy_by_epoch" in page
        assert "lstm.png" in page
        assert not re.findall(r"""<(?:script|link)[^>]+(?:src|href)\s*=\s*["']?https?:""", page)


@pytest.mark.exhaustive
@pytest.mark.pipeline
def test_experiments_side_by_side_in_the_queue(workspace):
    start_over(workspace)
    workspace.dvc("exp", "run", "--queue", "-S", "model.hidden_dim=4,8", "train@lstm")
    workspace.dvc("queue", "start", "-j", "2")
    for name in re.findall(r"^[0-9a-f]{7}\s+(\S+)", workspace.dvc("queue", "status"), re.M):
        workspace.dvc("queue", "logs", "--follow", name, check=False)
    status = workspace.dvc("queue", "status")
    assert status.count("Success") == 2, status
    shown = workspace.dvc("exp", "show", "--csv", "--drop", ".*", "--keep", ".*hidden_dim")
    assert {"4", "8"} <= set(re.split(r"[,\n]", shown))
    assert workspace.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.exhaustive
@pytest.mark.pipeline
def test_a_corpus_switched_and_back_comes_from_the_cache(workspace):
    start_over(workspace)
    committed = workspace.files()
    workspace.dvc(
        "exp", "run", "-S", "corpus.name=synthetic", "-S", "corpus.limit=120", "train@lstm_36kb"
    )
    manifest = (workspace.folder / "data/raw/manifest.csv").read_text()
    assert "0_01_0" in manifest
    workspace.run("git", "checkout", "--quiet", "params.yaml")
    output = workspace.dvc("repro")
    # DVC keeps no runs of stages that write figures for git, unless `dvc metrics show` prints them.
    assert stages_run(output) <= {"split"}, output
    assert workspace.files() == committed
    assert workspace.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.pipeline
def test_a_shared_remote_spares_others_the_computing(workspace, tmp_path):
    start_over(workspace)
    remote = str(tmp_path / "remote")
    workspace.dvc("remote", "add", "--local", "--default", "shared", remote)
    workspace.dvc("push")
    other = copy.copy(workspace)
    other.folder = tmp_path / "other"
    workspace.run("git", "clone", "--quiet", ".", str(other.folder))
    other.dvc("remote", "add", "--local", "--default", "shared", remote)
    other.dvc("pull")
    assert stages_run(other.dvc("repro")) == set()
    assert other.files() == workspace.files()
    assert other.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.pipeline
def test_a_changed_recording_is_noticed(workspace):
    start_over(workspace)
    own = workspace.folder.parent / "recordings"
    (own / "yes" / "anna_9.wav").write_bytes((own / "yes" / "anna_0.wav").read_bytes())
    try:
        assert "changed deps" in workspace.dvc("status", "download")
    finally:
        (own / "yes" / "anna_9.wav").unlink()
    assert workspace.dvc("status", "download").strip().endswith("up to date.")


def changed_stages(workspace: Workspace) -> set[str]:
    """Stages that `dvc repro` would run for a reason of their own, not for another stage's."""
    return set(json.loads(workspace.run("dvc", "status", "--json", "dvc.yaml").stdout))


MEAN_LINEAR = '''
"""`mean_linear`: a linear layer over the mean of the frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spoken_digits.models.base import BaseNetwork, ModelParams


@dataclass(frozen=True, kw_only=True)
class Params(ModelParams):
    """One layer."""


class Network(BaseNetwork):
    def __init__(self, *, input_shape: tuple[int, int], n_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_shape[1], n_classes)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        valid = torch.arange(x.shape[1]) < n_frames[:, None]
        return self.linear((x * valid.unsqueeze(2)).sum(1) / n_frames[:, None])

    def multiply_accumulates(self) -> int:
        return self.linear.weight.numel()
'''


@pytest.mark.pipeline
def test_a_variant_is_one_section_and_an_architecture_one_module(workspace):
    start_over(workspace)
    # The package as it stands in the workspace, where the new module is.
    here = {"PYTHONPATH": str(workspace.folder)}
    (workspace.folder / "spoken_digits/models/architectures/mean_linear.py").write_text(MEAN_LINEAR)

    def add(params: dict) -> None:
        params["variants"]["plain"] = {
            "architecture": "mean_linear",
            "features": "mfcc",
            "augmentation": "features",
            "train": {},
            "train_on": {},
        }

    workspace.change(add)
    try:
        output = workspace.run("dvc", "repro", extra=here).stdout
    finally:
        (workspace.folder / "spoken_digits/models/architectures/mean_linear.py").unlink()
    stages = ("train", "evaluate", "quantize_dynamic", "robustness")
    own = {f"{stage}@plain" for stage in stages}
    assert stages_run(output) == own | {"sources", "plan", "collect", "report_page"}
    assert "plain" in workspace.files()["plots/models/curves.csv"].decode()
    assert json.loads(workspace.files()["metrics/plain.json"])["parameters"] > 0


@pytest.mark.pipeline
def test_only_what_an_edit_changes_runs_again(workspace):
    start_over(workspace)

    here = {"PYTHONPATH": str(workspace.folder)}  # the package that is edited

    def touched(file: str, edit: str = "EDIT = 1") -> set[str]:
        path = workspace.folder / file
        before = path.read_text()
        path.write_text(f"{before}\n{edit}\n")
        try:
            workspace.run("dvc", "repro", "sources", extra=here)
            return changed_stages(workspace)
        finally:
            path.write_text(before)

    lstms = {"lstm", "lstm_36kb"}
    stages = ("train", "evaluate", "quantize_dynamic", "robustness@")
    networks = {"quantize@lstm_36kb-int8"}
    everywhere = {f"{stage.rstrip('@')}@{name}" for stage in stages for name in lstms}
    changed = touched("spoken_digits/models/architectures/lstm.py")
    assert {name for name in changed if name.startswith(stages)} == everywhere
    changed = touched("spoken_digits/integer/activation.py")
    assert changed >= networks
    assert not {name for name in changed if name.startswith("train@")}
    measured = {name.replace("quantize", "measure") for name in networks}
    exported = {name.replace("quantize", "export") for name in networks}
    detected = {name.replace("quantize", "detect") for name in networks}
    compiled = {name.replace("quantize", "web") for name in networks}
    assert touched("firmware/sd_mel.c", "") == measured | detected | exported | compiled
    assert not {s for s in touched("spoken_digits/features/mfcc.py") if s.startswith("train@cnn")}
    assert touched("spoken_digits/training/loop.py", "# a comment") == set()


@pytest.mark.pipeline
def test_recipes_of_other_corpora_and_the_pace_of_checkpoints_train_nothing_again(workspace):
    start_over(workspace)

    def edit(params: dict) -> None:
        params["variants"]["cnn"]["train_on"]["audiomnist"]["learning_rate"] = 0.123
        params["train"]["checkpoint_seconds"] = 7

    workspace.change(edit)
    workspace.dvc("repro", "plan")
    assert not {name for name in changed_stages(workspace) if name.startswith("train")}
