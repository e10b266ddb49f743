from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from recordings import REPOSITORY

from spoken_digits.evaluation.report.corpora import describe
from spoken_digits.evaluation.report.markdown import percent, size

OBVIOUS = """
num_layers epochs batch_size optimizer weight_decay mfcc synthetic spectrogram architecture
features conv_channels kernel_size hidden_dim train train_on mfcc_int parallel
"""


def test_the_parameters_page_is_that_of_the_code():
    command = [
        sys.executable,
        "-c",
        "import make_parameters as m, sys; sys.stdout.write(m.page())",
    ]
    made = subprocess.run(
        command, cwd=REPOSITORY / "docs", capture_output=True, text=True, check=True
    ).stdout
    assert made == (REPOSITORY / "docs" / "parameters.md").read_text(), (
        "run `python docs/make_parameters.py`"
    )


def test_every_key_says_what_it_means():
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \|$", (REPOSITORY / "docs/parameters.md").read_text(), re.M
    )
    assert len(rows) > 50
    obvious = set(OBVIOUS.split())
    assert {key for key, meaning in rows if not meaning} <= obvious


def test_every_key_of_params_yaml_is_explained():
    named_by_users = {"variants", "networks", "validation", "train_on", "split_on"}

    def keys(section: Any) -> Iterator[str]:
        if isinstance(section, list):
            for item in section:
                yield from keys(item)
        elif isinstance(section, dict):
            for key, value in section.items():
                if key in named_by_users and isinstance(value, dict):
                    yield from keys([*value.values()])
                else:
                    yield key
                    yield from keys(value)

    page = (REPOSITORY / "docs/parameters.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    sections = set(re.findall(r"\w+", " ".join(re.findall(r"^## (.*)$", page, re.M))))
    used = set(keys(yaml.safe_load((REPOSITORY / "params.yaml").read_text())))
    assert len(used) > 100
    assert used - explained - sections == set(), "docs/make_parameters.py lacks a section"


def test_the_figures_of_the_readme_are_the_committed_metrics():
    checked = 0
    seeds, crossval = (
        json.loads((REPOSITORY / "metrics" / f"{study}.json").read_text())
        for study in ("seeds", "crossval")
    )
    results = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    results = results.partition("<!-- results: end")[0]
    head, *lines = (line for line in results.splitlines() if line.startswith("| "))
    columns = split_row(head)
    assert {"size", "reference"} < set(columns)
    for line in lines:
        cells = dict(zip(columns, split_row(line), strict=True))
        name = cells["model"].strip("`")
        unseen = crossval.get(name)
        assert cells["voices never heard"] == (percent(unseen["mean"]) if unseen else "")
        if unseen:
            low, high = (100 * unseen[f"accuracy_ci_{end}"] for end in ("low", "high"))
            assert cells["95 % interval"] == f"{low:.2f} to {high:.2f}"
            worst = f"{percent(unseen['worst'])} ({unseen['worst_speaker']})"
            assert cells["worst voice"] == worst
        study = seeds.get(name)
        if study:
            expected = f"{100 * study['mean']:.2f} ± {100 * study['std']:.2f} %"
        elif "+voices" in name:
            expected = ""
        else:
            metrics = json.loads((REPOSITORY / "metrics" / f"{name}.json").read_text())
            expected = percent(metrics["accuracy"])
            assert cells["size"].removesuffix(" as int8") in {
                size(metrics[key]) for key in ("size_kib", "int8_kib") if key in metrics
            }
        assert cells["random split"] == expected
        checked += 1
    assert checked >= 10
    best = max(v["mean"] for k, v in crossval.items() if "+voices" not in k)
    assert f"recognises {percent(best)} of the words**" in results


def split_row(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_readme_tells_the_recorded_corpus():
    corpus = json.loads((REPOSITORY / "metrics" / "corpus.json").read_text())
    results = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    said = describe(corpus)
    assert said in results.partition("<!-- results: end")[0], "run `make results`"
    assert said in (REPOSITORY / "docs/results.md").read_text(), "run `make results`"


def test_every_page_that_a_page_links_to_exists():
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    links = [(p, link) for p in pages for link in re.findall(r"\]\(([^)#:]+)\)", p.read_text())]
    assert len(links) > 10
    assert [(p.name, link) for p, link in links if not (p.parent / link).exists()] == []


def test_every_module_that_a_page_names_exists():
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    tops = "spoken_digits|stages|benchmarks|tests|firmware|docs"
    pattern = rf"`((?:{tops})/[\w./]+(?:\.(?:py|c|h|md|yaml)|/))`"
    named = [(p.name, path) for p in pages for path in re.findall(pattern, p.read_text())]
    assert len(named) > 10
    assert [found for found in named if not (REPOSITORY / found[1]).exists()] == []


MEASURED = {
    "instructions, M0": "instructions_m0",
    "instructions, M3": "instructions_m3",
    "instructions, M4": "instructions_m4",
    "flash: code, weights, tables": "flash_bytes",
    "RAM of the network": "ram_bytes",
    "stack": "stack_bytes",
    "RAM, all but the stack": "recogniser_ram_bytes",
    "flash: code and constants": "recogniser_flash_bytes",
    "instructions, the whole, M0": "recogniser_instructions_m0",
    "instructions, the whole, M3": "recogniser_instructions_m3",
    "instructions, the whole, M4": "recogniser_instructions_m4",
}


@pytest.mark.parametrize("page", ["integer_network", "integer_operators", "export"])
def test_costs_are_those_of_the_committed_metrics(page):
    text = (REPOSITORY / "docs" / f"{page}.md").read_text().split("## What it costs")[1]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in text.split("\n## ")[0].splitlines()
        if line.startswith("| ")
    ]
    networks = rows[0][1:]
    shown = {row[0].partition(" (")[0]: row[1:] for row in rows[1:]}
    known = {title: key for title, key in MEASURED.items() if title in shown}
    assert len(known) >= 5
    for title, key in known.items():
        for network, cell in zip(networks, shown[title], strict=True):
            metrics = json.loads((REPOSITORY / f"metrics/cortex_m/{network}.json").read_text())
            assert cell.removesuffix(" B") == f"{metrics[key]:,}", (network, title)
