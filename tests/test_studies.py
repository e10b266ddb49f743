"""The figures of studies/ match the models recorded in dvc.lock."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from recordings import REPOSITORY
from workspace import of_other_code, recorded_stages

MADE = (
    "metrics/seeds.json",
    "metrics/official.json",
    "metrics/crossval.json",
    "metrics/strangers.json",
    "plots/crossval/speakers.csv",
    "plots/crossval/speakers.png",
)
STUDIES, ABLATION = (
    yaml.safe_load((REPOSITORY / folder / "dvc.yaml").read_text())["stages"]
    for folder in ("studies", "studies/ablation")
)
LOCKS = ("studies/dvc.lock", "studies/ablation/dvc.lock")


def stale(root: Path) -> list[str]:
    """Mismatches between the committed studies and the recorded models, one line each."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    recorded, studied = (
        recorded_stages(root / "dvc.lock"),
        recorded_stages(root / "studies/dvc.lock"),
    )
    found = []
    for model in params["studies"]["models"]:
        for name in runs_of(model, params["studies"]):
            found += differences(recorded, studied, f"train@{model}", name)
        found += other_params(recorded, studied, model, params)
        found += other_accuracy(root, model, params)
    return found + other_files(root, studied)


def runs_of(model: str, studies: dict[str, Any]) -> list[str]:
    """The stages of studies/dvc.yaml that train a model."""
    seeds = [f"repeat@{model}-{seed}" for seed in studies["seeds"]]
    if model in studies["official"]["models"]:
        seeds += [f"official@{model}-{seed}" for seed in studies["official"]["seeds"]]
    on_speakers = [("cross_validate", studies["speaker_seeds"])]
    on_speakers += [
        (f"cross_validate_{some}", studies[some]["seeds"])
        for some in ("again", "with_voices", "with_spoken")
        if model in studies[some]["models"]
    ]
    return seeds + [
        f"{stage}@{model}-{fold}-{seed}"
        for fold in studies["folds"]
        for stage, of_stage in on_speakers
        for seed in of_stage
    ]


def differences(recorded: dict, studied: dict, stage: str, run: str) -> list[str]:
    """Inputs shared by a recorded training and a study whose recorded hashes differ."""
    if missing := [name for name, lock in ((stage, recorded), (run, studied)) if name not in lock]:
        return [f"{name} is not recorded" for name in missing]
    ours, theirs = hashes(recorded[stage], "deps"), hashes(studied[run], "deps")
    model = stage.partition("@")[2]
    needed = {f"data/plans/{model}.json", "data/raw/manifest.csv"}
    needed |= {path for path in ours if path.startswith("data/features/")}
    found = [f"{run} does not depend on {path}" for path in sorted(needed - theirs.keys())]
    found += [f"{stage} does not depend on {path}" for path in sorted(needed - ours.keys())]
    return found + [
        f"{run}: other {path} than {stage}"
        for path in sorted(ours.keys() & theirs.keys())
        if ours[path] != theirs[path]
    ]


def other_params(recorded: dict, studied: dict, model: str, params: dict) -> list[str]:
    """Splits and quantization settings that differ from those of the recorded stages."""
    networks = params["quantize"]["networks"]
    wanted = {"split": recorded["split"]["params"]["params.yaml"]["split"]}
    for key, network in networks.items():
        if network["model"] == model:
            section = f"quantize.{network['scheme']}"
            wanted[section] = recorded[f"quantize@{key}"]["params"]["params.yaml"][section]
    found = []
    for run in runs_of(model, params["studies"]):
        used = studied.get(run, {}).get("params", {}).get("params.yaml", {})
        for section, value in wanted.items():
            node: Any = used
            for part in section.split("."):
                node = node.get(part, {})
            if node != value:
                found.append(f"{run}: other {section} than recorded")
    return found


def other_accuracy(root: Path, model: str, params: dict) -> list[str]:
    """Recorded accuracies that the study did not reproduce with the recorded seed."""
    seeds = params["studies"]["seeds"]
    if params["split"]["scheme"] != "random" or params["seed"] not in seeds:
        return []
    studies = json.loads((root / "metrics/seeds.json").read_text())
    found = []
    for name in [name for name in studies if name.partition(".")[0] == model]:
        recorded = json.loads((root / f"metrics/{name}.json").read_text())["accuracy"]
        again = studies[name]["values"][seeds.index(params["seed"])]
        if again != recorded:
            found.append(f"metrics/seeds.json: {name} {again}, recorded {recorded}")
    return found


def other_files(root: Path, studied: dict) -> list[str]:
    """Committed files that differ from the outputs of the studies."""
    outs = hashes(studied["summarise"], "outs")
    return [
        f"{path} is not what `make crossval` made"
        for path in MADE
        if hashlib.md5((root / path).read_bytes()).hexdigest() != outs.get(path)
    ]


def hashes(stage: dict[str, Any], key: str) -> dict[str, str]:
    return {entry["path"]: entry["md5"] for entry in stage.get(key, ())}


def test_the_committed_studies_are_of_the_recorded_models():
    assert (REPOSITORY / "studies/dvc.lock").exists(), "make it with `make crossval`, and commit it"
    assert stale(REPOSITORY) == [], "run `make crossval`, and commit what it changes"


@pytest.mark.parametrize("lock", LOCKS)
def test_the_committed_studies_were_made_by_this_code(lock, digests):
    made_by = "make ablation" if "ablation" in lock else "make crossval"
    assert of_other_code(REPOSITORY / lock, digests) == [], f"run `{made_by}`, and commit"


def test_the_record_holds_the_stages_of_the_studies_and_no_others():
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    expected = {
        "@".join(filter(None, (stage, "-".join(map(str, values)))))
        for stage, body in STUDIES.items()
        for values in combinations(body, params)
    }
    assert set(recorded_stages(REPOSITORY / "studies/dvc.lock")) == expected


def test_the_ablation_is_of_the_recorded_model():
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())["studies"]["ablation"]
    made = recorded_stages(REPOSITORY / "studies/ablation/dvc.lock")
    recorded = recorded_stages(REPOSITORY / "dvc.lock")
    runs = [f"ablate@{step}" for step in params["steps"]]
    assert made.keys() == {*runs, "summarise_ablation"}
    for run in runs:
        assert differences(recorded, made, f"train@{params['model']}", run) == []
        of_run = made[run]["params"]["params.yaml"]
        assert of_run["split"] == recorded["split"]["params"]["params.yaml"]["split"]
        (output,) = hashes(made[run], "outs").items()
        assert (hashlib.md5((REPOSITORY / output[0]).read_bytes()).hexdigest()) == output[1]
    figures = json.loads((REPOSITORY / "metrics/ablation.json").read_text())
    assert figures.keys() == params["steps"].keys()
    assert {row["model"] for row in figures.values()} == {params["model"]}


def combinations(body: dict[str, Any], params: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The values of a stage's `matrix`; one empty combination without it."""
    lists = []
    for name, template in body.get("matrix", {}).items():
        if isinstance(template, list):  # DVC numbers sections that stand in the matrix itself
            lists.append([f"{name}{number}" for number in range(len(template))])
            continue
        node: Any = params
        for key in str(template).removeprefix("${").removesuffix("}").split("."):
            node = node[key]
        lists.append(node)
    return itertools.product(*lists)


# Modules that a training loads by name.
BY_NAME = {
    "augmentation/features",
    "augmentation/sound",
    "features/log_mel",
    "features/log_mel_int",
    "features/mfcc",
    "features/mfcc_int",
    "models/architectures/ds_cnn",
    "models/architectures/lstm",
    "quantization/integer",
    "quantization/integer_ds_cnn",
    "quantization/integer_lstm",
}
OF_OPEN_MODELS = {
    "augmentation/open_sound",
    "features/log_mel",
    "features/log_mel_int",
    "models/architectures/ds_cnn",
    "quantization/integer",
    "quantization/integer_ds_cnn",
}


# No step of the augmentation of features is left out, and nothing is quantized.
OF_ABLATION = {
    "augmentation/sound",
    "features/log_mel",
    "features/mfcc_int",
    "models/architectures/ds_cnn",
    "models/architectures/lstm",
}


@pytest.mark.parametrize("stage", {**STUDIES, **ABLATION})
def test_a_study_depends_on_the_code_that_it_runs(stage, digests):
    body = {**STUDIES, **ABLATION}[stage]
    by_name = set()
    if "matrix" in body:
        of_open = stage in ("repeat_open", "detect_unseen")
        by_name = OF_OPEN_MODELS if of_open else BY_NAME
    elif "do" in body:
        body, by_name = body["do"], OF_ABLATION
    deps = {dep for dep in body["deps"] if dep.startswith("data/sources/")}
    script = body["cmd"].split()[1].removesuffix(".py")
    modules = {f"data/sources/spoken_digits/{module}.json" for module in by_name}
    assert deps == {f"data/sources/{script}.json"} | modules
    assert all((digests / dep.removeprefix("data/sources/")).is_file() for dep in deps)


PARAMS = {
    "seed": 42,
    "split": {"scheme": "random"},
    "quantize": {"networks": {"small-int8": {"model": "small", "scheme": "int8"}}},
    "studies": {
        "models": ["small"],
        "seeds": [41, 42],
        "official": {"models": ["small"], "seeds": [42]},
        "folds": [0],
        "speaker_seeds": [42],
        "again": {"models": ["small"], "seeds": [43]},
        "with_voices": {"models": [], "seeds": [43]},
        "with_spoken": {"models": [], "seeds": [43], "epochs": 3, "recordings_alone": 1},
    },
}
INPUTS = {
    "data/plans/small.json": "plan",
    "data/features/mfcc_int": "features",
    "data/raw/manifest.csv": "manifest",
    "spoken_digits/io/": "code",
}


class Record:
    """Fabricated lock files and metrics that belong together."""

    def __init__(self, root: Path) -> None:
        self.root = root
        quantize = {"epochs": 0}
        settings = {"split": PARAMS["split"], "quantize": {"int8": quantize, "pow2": {}}}
        run = {"deps": deps(INPUTS | {"data/features/mfcc": "others"}), "params": of(settings)}
        self.lock = {
            "split": {"params": of({"split": PARAMS["split"]})},
            "train@small": {"deps": deps(INPUTS)},
            "quantize@small-int8": {"params": of({"quantize.int8": quantize})},
        }
        self.seeds = {"small": {"values": [0.5, 0.75]}, "small.int8": {"values": [0.5, 0.5]}}
        content = {path: json.dumps(self.seeds).encode() for path in MADE}
        outs = [{"path": p, "md5": hashlib.md5(made).hexdigest()} for p, made in content.items()]
        names = runs_of("small", PARAMS["studies"])
        self.studies = {name: copy.deepcopy(run) for name in names} | {"summarise": {"outs": outs}}
        for path, made in content.items():
            self.write(path, made.decode())
        self.write("metrics/small.json", '{"accuracy": 0.75}')
        self.write("metrics/small.int8.json", '{"accuracy": 0.5}')

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def stale(self) -> list[str]:
        self.write("params.yaml", yaml.safe_dump(PARAMS))
        self.write("dvc.lock", yaml.safe_dump({"stages": self.lock}))
        self.write("studies/dvc.lock", yaml.safe_dump({"stages": self.studies}))
        return stale(self.root)


def deps(inputs: dict[str, str]) -> list[dict[str, str]]:
    return [{"path": path, "md5": md5} for path, md5 in inputs.items()]


def of(params: dict[str, Any]) -> dict[str, Any]:
    return {"params.yaml": params}


@pytest.fixture
def record(tmp_path) -> Record:
    return Record(tmp_path)


def test_studies_of_the_recorded_models_pass(record):
    assert record.stale() == []


@pytest.mark.parametrize("path", INPUTS)
def test_an_input_that_changed_since_is_found(record, path):
    for entry in record.lock["train@small"]["deps"]:
        if entry["path"] == path:
            entry["md5"] = "newer"
    expected = f": other {path} than train@small"
    assert [line for line in record.stale() if not line.endswith(expected)] == []
    assert len(record.stale()) == 5  # each run of the studies


def test_one_run_of_an_older_plan_is_found(record):
    record.studies["cross_validate@small-0-42"]["deps"][0]["md5"] = "older"
    line = "cross_validate@small-0-42: other data/plans/small.json than train@small"
    assert record.stale() == [line]


def test_a_missing_run_is_found(record):
    del record.studies["repeat@small-41"]
    assert "repeat@small-41 is not recorded" in record.stale()


def test_a_model_that_is_not_recorded_is_found(record):
    del record.lock["train@small"]
    assert "train@small is not recorded" in record.stale()


def test_a_dependency_that_the_studies_do_not_list_is_found(record):
    run = record.studies["repeat@small-42"]
    run["deps"] = [entry for entry in run["deps"] if "features/mfcc_int" not in entry["path"]]
    assert record.stale() == ["repeat@small-42 does not depend on data/features/mfcc_int"]


@pytest.mark.parametrize("section", ["split", "quantize"])
def test_other_settings_are_found(record, section):
    params = record.studies["repeat@small-41"]["params"]["params.yaml"]
    params[section] = {"int8": {"epochs": 1}} if section == "quantize" else {"scheme": "official"}
    assert len(record.stale()) == 1
    assert record.stale()[0].startswith(f"repeat@small-41: other {section}")


@pytest.mark.parametrize("path", MADE)
def test_a_file_edited_by_hand_is_found(record, path):
    record.write(path, json.dumps(record.seeds, indent=1))
    assert record.stale() == [f"{path} is not what `make crossval` made"]


def test_an_accuracy_that_the_study_does_not_find_again_is_named(record):
    record.write("metrics/small.int8.json", '{"accuracy": 0.25}')
    assert record.stale() == ["metrics/seeds.json: small.int8 0.5, recorded 0.25"]
