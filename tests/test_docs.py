from __future__ import annotations

import json
import re
import subprocess
import sys

from recordings import REPOSITORY

from spoken_digits.evaluation.report.corpora import describe

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


def test_the_figures_of_the_readme_are_the_committed_metrics():
    checked = 0
    studies = [
        json.loads((REPOSITORY / "metrics" / f"{study}.json").read_text())
        for study in ("seeds", "speakers")
    ]
    table = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    for line in table.partition("<!-- results: end")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not cells[0].startswith("`"):
            continue
        model, scheme = cells[0].strip("`"), cells[1]
        name = model if scheme == "float32" else f"{model}.{scheme}"
        metrics = json.loads((REPOSITORY / "metrics" / f"{name}.json").read_text())
        assert cells[4] == f"{100 * metrics['accuracy']:.2f} %"
        assert cells[2] == f"{metrics['parameters']:,}"
        for study, cell in zip(studies, cells[6:8], strict=True):
            found = study.get(name)
            expected = f"{100 * found['mean']:.2f} ± {100 * found['std']:.2f} %" if found else ""
            assert cell == expected
        checked += 1
    assert checked >= 10


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
