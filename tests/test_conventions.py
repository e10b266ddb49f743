"""The files that tools and hubs look for: whole, in agreement, and true."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
import yaml
from recordings import REPOSITORY

PROJECT = (REPOSITORY / "pyproject.toml").read_text()
VERSION = re.findall(r'^version = "(.+)"$', PROJECT, re.M)[0]


def read_yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / name).read_text())


def test_the_citation_has_the_required_keys_and_the_version_of_the_project():
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == VERSION
    assert citation["license"] == re.findall(r'^license = "(.+)"$', PROJECT, re.M)[0]


def test_the_changelog_begins_with_the_version_of_the_project():
    versions = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.M
    )
    assert versions[0] == (VERSION, str(read_yaml("CITATION.cff")["date-released"]))
    assert versions == sorted(versions, reverse=True)


@pytest.mark.parametrize(
    ("name", "command"), [("ci", ".ci/run"), ("all-tests", ".ci/run test-all")]
)
def test_a_workflow_runs_ci_as_it_is(name, command):
    workflow = read_yaml(f".github/workflows/{name}.yml")
    (job,) = workflow["jobs"].values()
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == command
    assert (REPOSITORY / ".ci/run").stat().st_mode & 0o100
    assert workflow["permissions"] == {"contents": "read"}


def test_hooks_run_the_tools_of_the_environment():
    hooks = [
        hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "mypy"]
    pins = (REPOSITORY / "requirements.txt").read_text()
    for hook in hooks:
        assert hook["language"] == "system"
        tool = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert re.search(rf"^{tool}==", pins, re.M)


def test_every_page_that_contributing_and_the_changelog_link_to_exists():
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        links = re.findall(r"\]\(([^)#:]+)\)", (REPOSITORY / name).read_text())
        assert all((REPOSITORY / link).exists() for link in links)
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    named = set(re.findall(r"make ([a-z-]+)", (REPOSITORY / "CONTRIBUTING.md").read_text()))
    assert {"setup", "test", "lint", "record"} <= named
    assert named <= targets


@pytest.fixture(scope="module")
def sbom() -> Any:
    """The module of `make sbom`."""
    spec = importlib.util.spec_from_file_location("sbom", REPOSITORY / ".ci/sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_pinned_package_that_is_installed_stands_in_the_bill(sbom):
    pinned = sbom.pinned((REPOSITORY / "requirements.txt").read_text())
    assert len(pinned["numpy"]) > 1  # one a version of Python
    bill = sbom.sbom(VERSION, sbom.components(["numpy", "torch", "not-a-package"]))
    assert [part["name"] for part in bill["components"]] == ["numpy", "torch"]
    for part in bill["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert "BSD" in part["licenses"][0]["license"]["name"]
    assert bill["dependencies"][0]["dependsOn"] == [p["bom-ref"] for p in bill["components"]]
    assert "| numpy | " in sbom.licences_page(bill["components"])
