from __future__ import annotations

import json
import re
import subprocess
import sys

from recordings import REPOSITORY

from spoken_digits.evaluation.report.corpora import describe
from spoken_digits.evaluation.report.markdown import percent

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
    seeds, crossval = (
        json.loads((REPOSITORY / "metrics" / f"{study}.json").read_text())
        for study in ("seeds", "crossval")
    )
    table = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    head, _, *lines = table.partition("<!-- results: end")[0].strip().splitlines()
    columns = split_row(head)
    assert len(set(columns) - {"95 % interval"}) >= 8
    for line in lines:
        cells = dict(zip(columns, split_row(line), strict=False))
        model, scheme = cells["model"].strip("`"), cells.get("weights")
        if not cells["model"].startswith("`"):
            break
        name = model if scheme == "float32" else f"{model}.{scheme}"
        unseen = crossval.get(name)
        assert cells["voices never heard"] == (percent(unseen["mean"]) if unseen else "")
        if unseen:
            low, high = (100 * unseen[f"accuracy_ci_{end}"] for end in ("low", "high"))
            assert cells["95 % interval"] == f"{low:.2f} to {high:.2f}"
            worst = f"{percent(unseen['worst'])} ({unseen['worst_speaker']})"
            assert cells["worst voice"] == worst
        if not model.endswith("+voices"):
            metrics = json.loads((REPOSITORY / "metrics" / f"{name}.json").read_text())
            assert cells["random split"] == percent(metrics["accuracy"])
        study = seeds.get(name)
        expected = f"{100 * study['mean']:.2f} ± {100 * study['std']:.2f} %" if study else ""
        (of_seeds,) = [cells[column] for column in columns if column.endswith("seeds")]
        assert of_seeds == expected
        checked += 1
    assert checked >= 10


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
