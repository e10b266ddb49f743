"""Kernels are pinned before the libraries are loaded; otherwise the user is told."""

from __future__ import annotations

from spoken_digits.arithmetic.by_model import choose

import ast
import json
import os
import subprocess
import sys

import pytest
from recordings import REPOSITORY

from spoken_digits import arithmetic
from spoken_digits.errors import UserError
from spoken_digits.training.plan import write_plans
from spoken_digits.training.planning import make_plan


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    unpinned = {k: v for k, v in os.environ.items() if k not in arithmetic.settings()}
    return subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code, *arguments],
        env=unpinned,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_import_pins_every_library():
    result = python(
        "import spoken_digits.arithmetic.portable\n"
        "from spoken_digits import arithmetic\n"
        "arithmetic.require('portable'); print(arithmetic.effective())"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "{'PyTorch': 'AVX2', 'NumPy': 'AVX2'}\n"
    assert result.stderr == ""  # NumPy warns of names it does not know


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_pinning_after_a_library_is_refused(library):
    result = python(f"import {library}\nimport spoken_digits.arithmetic.portable")
    assert "had been imported: import spoken_digits.arithmetic.portable" in result.stderr
    assert library in result.stderr


def test_late_settings_are_noticed():
    result = python(
        "import torch, os\n"
        "from spoken_digits import arithmetic\n"
        "torch.backends.cpu.get_cpu_capability = lambda: 'AVX512'\n"
        "os.environ.update(arithmetic.settings()); arithmetic.require('portable')"
    )
    assert "PyTorch computes with AVX512" in result.stderr


def test_unpinned_is_fast_only(monkeypatch):
    monkeypatch.delenv("MKL_CBWR", raising=False)
    arithmetic.require("fast")
    with pytest.raises(UserError, match="needs kernels that are chosen before"):
        arithmetic.require("portable")


def test_other_machines_get_a_notice(monkeypatch, capsys):
    monkeypatch.delenv("MKL_CBWR", raising=False)
    monkeypatch.setattr(arithmetic.platform, "machine", lambda: "arm64")
    arithmetic.pin()
    assert "proven on x86-64 processors, and this is arm64" in capsys.readouterr().err
    assert not arithmetic.is_pinned()
    arithmetic.require("portable")  # said already


def test_a_processor_without_avx2_gets_a_notice(monkeypatch, capsys):
    monkeypatch.delenv("MKL_CBWR", raising=False)
    monkeypatch.setattr(arithmetic, "processor_flags", lambda: frozenset({"sse4_2", "fma"}))
    monkeypatch.setattr(arithmetic.platform, "machine", lambda: "x86_64")
    arithmetic.pin()
    assert "needs AVX2, which this processor lacks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "expected"), [("lstm", "portable"), ("big", "fast"), ("missing", "portable")]
)
def test_the_model_on_the_command_line_decides(argument, expected, tmp_path):
    for name, arithmetic_ in (("lstm", "portable"), ("big", "fast")):
        plan = {"recipe": {"arithmetic": arithmetic_}}
        (tmp_path / f"{name}.json").write_text(json.dumps(plan))
    assert choose(["--verbose", argument], tmp_path) == expected


@pytest.mark.parametrize(
    ("corpus", "expected"), [("fsdd", "fast"), ("audiomnist", "portable"), ("synthetic", "fast")]
)
def test_what_a_model_overrides_on_a_corpus_decides(corpus, expected, default_params, tmp_path):
    cnn = default_params["variants"]["cnn"]
    cnn["train"]["arithmetic"] = "fast"
    cnn["train_on"] = {"audiomnist": {"arithmetic": "portable", "precision": "float32"}}
    plan = make_plan(default_params, "cnn", corpus, 10)
    write_plans(tmp_path, [plan], 60.0, REPOSITORY / "params.yaml")
    assert choose(["cnn"], tmp_path) == expected
    assert plan.recipe.arithmetic == expected


@pytest.mark.parametrize("plan", ["", "[]", "{}", '{"recipe": null}', '{"recipe": 3}'])
def test_a_broken_plan_counts_as_portable(plan, tmp_path):
    (tmp_path / "big.json").write_text(plan)
    assert choose(["big"], tmp_path) == "portable"


@pytest.mark.parametrize(
    "script", sorted((REPOSITORY / "stages").glob("*.py")), ids=lambda p: p.stem
)
def test_every_stage_pins_the_kernels_before_it_imports_anything_else(script):
    imports = [
        node
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert ast.unparse(imports[0]) == "from __future__ import annotations"
    assert ast.unparse(imports[1]) in (
        "import spoken_digits.arithmetic.portable",
        "import spoken_digits.arithmetic.by_model",
    )
