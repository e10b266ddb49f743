from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import doc_commands
import pandas as pd
import pytest
import yaml
from recordings import REPOSITORY

from spoken_digits.cli import main
from spoken_digits.errors import UserError
from spoken_digits.evaluation.columns import has_more_voices
from spoken_digits.evaluation.report.corpora import describe
from spoken_digits.evaluation.report.markdown import percent, size
from spoken_digits.evaluation.report.sections import replaced, sections

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
    assert made == (REPOSITORY / "docs" / "parameters.md").read_text(), "run `spoken-digits tables`"


def test_every_key_says_what_it_means():
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \|$", (REPOSITORY / "docs/parameters.md").read_text(), re.M
    )
    assert len(rows) > 50
    obvious = set(OBVIOUS.split())
    assert {key for key, meaning in rows if not meaning} <= obvious


def test_every_key_of_params_yaml_is_explained():
    named_by_users = {
        *("variants", "networks", "validation", "train_on", "split_on", "models", "steps"),
    }

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


WORDS = ("words", "words_noisy", "words_in_room", "words_in_babble")
POINTS = {"no_threshold": "none", **{f"at_{n}_percent": f"at {n} %" for n in (1, 5, 10)}}


def rejection_rows(figures: dict[str, Any]) -> Iterator[str]:
    """Rows of the table in docs/rejection.md."""
    for model, row in figures.items():
        for point, threshold in POINTS.items():
            at = row[point]
            shares = [at["accuracy"], *(one["rate"] for one in at["false_accepts"].values())]
            cells = " | ".join(f"{100 * share:.1f} %" for share in shares)
            yield f"| `{model}` | {threshold} | {cells} |"


def test_the_figures_of_rejection_are_the_committed_metrics():
    figures = json.loads((REPOSITORY / "metrics/rejection/tiny_open.json").read_text())
    page = (REPOSITORY / "docs/rejection.md").read_text()
    table = page.partition("<!-- rejection: begin -->")[2].partition("<!-- rejection: end -->")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == [
        *rejection_rows(figures)
    ]


def listening_rows(page: str, figures: dict[str, Any]) -> Iterator[tuple[dict, list[str]]]:
    """The figures of each detector, and the cells of its row; a sliding window has its own."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    cells_of = {row[0]: row[1:] for row in rows if row}
    for name, entry in figures.items():
        yield entry, cells_of[f"`{name}`"]
        if "sliding" in entry:
            yield entry["sliding"], cells_of[f"`{name}`, sliding window"]


@pytest.mark.parametrize("name", ["detector", "detector_unseen"])
def test_the_figures_of_listening_are_the_committed_metrics(name):
    figures = json.loads((REPOSITORY / f"metrics/{name}.json").read_text())
    page = (REPOSITORY / "docs/results.md").read_text().partition("## Listening")[2]
    heard, _, unseen = page.partition("### Detectors on voices never heard")
    shown = list(listening_rows(unseen if name == "detector_unseen" else heard, figures))
    assert len(shown) > len(figures) > 0
    for row, cells in shown:
        if name == "detector_unseen":
            worst = cells.pop(5)
            assert worst == f"{100 * row['words']['worst']:.1f} {row['words']['worst_speakers']}"
        found = list(map(float, cells))
        rates = [100 * row[kind]["hit_rate"] for kind in WORDS]
        rates += [row[kind]["per_hour"] for kind in ("noise", "babble", "synthetic")]
        counts = [row[kind]["false_accepts"] for kind in ("other_words", "phrases")]
        assert found[0] == pytest.approx(row["threshold"], abs=6e-4)
        assert found[1:8] == pytest.approx(rates, abs=0.06)
        assert found[8:10] == pytest.approx(counts, rel=0.005)
        assert found[10] == pytest.approx(row["latency_ms"], abs=0.6)


@pytest.mark.parametrize("name", ["detector", "detector_unseen"])
def test_the_window_and_the_endpointer_compare_as_measured(name):
    row = json.loads((REPOSITORY / f"metrics/{name}.json").read_text())["tiny_open.int8"]
    rates = {
        kind: f"{100 * row['sliding'][kind]['hit_rate']:.1f} instead of "
        f"{100 * row[kind]['hit_rate']:.1f} %"
        for kind in WORDS
    }
    phrases = [round(found["phrases"]["false_accepts"]) for found in (row["sliding"], row)]
    page = " ".join((REPOSITORY / "docs/listening.md").read_text().split())
    assert (
        f"the window finds {rates['words']} of the words at 20 dB, {rates['words_noisy']} at "
        f"10 dB, {rates['words_in_room']} in rooms and {rates['words_in_babble']} over babble"
    ) in page
    assert re.search(rf"it takes {phrases[0]} instead of {phrases[1]} (of 288 )?phrases", page)


def test_the_hours_of_streams_that_agree_are_the_committed_ones():
    proof = json.loads((REPOSITORY / "metrics/streams/tiny_open.int8.json").read_text())
    page = " ".join((REPOSITORY / "docs/listening.md").read_text().split())
    measured = json.loads((REPOSITORY / "metrics/cortex_m/tiny_open.int8.json").read_text())
    assert proof["model_sha256"] == measured["model_sha256"]  # of the recorded model
    assert proof["differences"] == {"c": 0, "m3": 0, "wasm": 0}
    assert f"of {proof['events']:,} events in {proof['hours']:.1f} hours, none" in page


def test_how_people_are_understood_who_were_never_recorded_is_what_was_measured():
    said = json.loads((REPOSITORY / "benchmarks/said.json").read_text())
    tiny = said["models"]["tiny"]
    page = " ".join((REPOSITORY / "docs/own-words.md").read_text().split())
    assert (
        f"{said['n_speakers']} people at their own microphones were understood in "
        f"{100 * tiny['accuracy']:.1f} % of the recordings by `tiny`, where synthesised voices "
        f"were in {100 * tiny['synthesised_voices']:.1f} %"
    ) in page


def test_the_verdicts_on_comparing_are_what_its_commands_print(capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    page = (REPOSITORY / "docs/comparing.md").read_text()
    commands = re.findall(r"^    spoken-digits (compare .* --predictions \S+)$", page, re.M)
    shown = re.findall(r"^    (.*? points, 95 % interval \S+ to [\d.]+), ", page, re.M)
    assert len(commands) == len(shown) == 2
    for command, verdict in zip(commands, shown, strict=True):
        main.main(command.split())
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"{verdict}, on 6 speakers")


def test_the_figures_of_open_models_by_seed_are_the_committed_predictions():
    page = (REPOSITORY / "docs/rejection.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", page, re.M)
    assert rows
    for seed, cells in rows:
        found = []
        for scheme in ("float32", "int8"):
            for model in ("tiny", "tiny_open"):
                path = REPOSITORY / f"studies/predictions/random/{model}-0-{seed}.csv"
                said = pd.read_csv(path, dtype=str)
                found.append(f"{100 * (said[scheme] == said['actual']).mean():.2f} %")
        assert cells == " | ".join(found)


def overviews() -> Iterator[dict[str, str]]:
    """Rows of the README's table, then of the first table of docs/results.md, by column."""
    readme = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    page = (REPOSITORY / "docs/results.md").read_text().partition("## All models")[2]
    for text in (readme.partition("<!-- results: end")[0], page.partition("\n## ")[0]):
        head, *lines = (line for line in text.splitlines() if line.startswith("| "))
        yield from (dict(zip(split_row(head), split_row(line), strict=True)) for line in lines)


def test_the_figures_of_the_readme_and_of_all_models_are_the_committed_metrics():
    checked = 0
    seeds, crossval, strangers = (
        json.loads((REPOSITORY / "metrics" / f"{study}.json").read_text())
        for study in ("seeds", "crossval", "strangers")
    )
    for cells in overviews():
        name = cells["model"].strip("`")
        unseen = crossval.get(name)
        assert cells["voices never heard"] == (percent(unseen["mean"]) if unseen else "")
        if unseen:
            low, high = (100 * unseen[f"accuracy_ci_{end}"] for end in ("low", "high"))
            assert cells["95 % interval"] == f"{low:.2f} to {high:.2f}"
            worst = f"{percent(unseen['worst'])} ({unseen['worst_speaker']})"
            assert cells["worst voice"] == worst
        if "strangers" in cells:
            stranger = strangers.get(name)
            assert cells["strangers"] == (percent(stranger["accuracy"]) if stranger else "")
        study = seeds.get(name)
        if study:
            expected = f"{100 * study['mean']:.2f} ± {100 * study['std']:.2f} %"
        elif has_more_voices(name):
            expected = ""
        else:
            metrics = json.loads((REPOSITORY / "metrics" / f"{name}.json").read_text())
            expected = percent(metrics["accuracy"])
            assert cells["size"].removesuffix(" as int8") in {
                size(metrics[key]) for key in ("size_kib", "int8_kib") if key in metrics
            }
        assert cells["random split"] == expected
        checked += 1
    assert checked >= 20
    best = max(v["mean"] for k, v in crossval.items() if not has_more_voices(k))
    readme = (REPOSITORY / "README.md").read_text()
    assert f"recognises {percent(best)} of the words**" in readme


def test_the_first_table_of_the_readme_is_small():
    table = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    rows = [line for line in table.partition("<!--")[0].splitlines() if line.startswith("| ")]
    assert 2 <= len(rows) <= 1 + 8
    assert len(split_row(rows[0])) <= 6


def split_row(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_readme_tells_the_recorded_corpus():
    corpus = json.loads((REPOSITORY / "metrics" / "corpus.json").read_text())
    results = (REPOSITORY / "README.md").read_text().partition("results: begin -->")[2]
    said = describe(corpus)
    assert said in results.partition("<!-- results: end")[0], "run `make results`"
    assert said in (REPOSITORY / "docs/results.md").read_text(), "run `make results`"


def test_every_page_that_a_page_links_to_exists():
    pages = doc_commands.pages()
    links = [(p, link) for p in pages for link in re.findall(r"\]\(([^)#:]+)\)", p.read_text())]
    assert len(links) > 10
    assert [(p.name, link) for p, link in links if not (p.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", html.unescape(text), re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_heading_that_a_page_links_to_exists():
    links = [
        (page, target, anchor)
        for page in doc_commands.pages()
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text())
    ]
    assert len(links) > 10
    assert [
        (page.name, target, anchor)
        for page, target, anchor in links
        if anchor not in anchors(page.parent / target if target else page)
    ] == []


def test_every_module_that_a_page_names_exists():
    pages = doc_commands.pages()
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
    "instructions per word, M0": "recogniser_instructions_m0",
    "instructions per word, M3": "recogniser_instructions_m3",
    "instructions per word, M4": "recogniser_instructions_m4",
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


def test_the_tables_in_pages_are_those_of_the_committed_metrics():
    found = list(sections(REPOSITORY / "metrics", REPOSITORY / "studies/predictions/random"))
    assert len(found) >= 6
    for name, markers, table in found:
        path = REPOSITORY / f"docs/{name}.md"
        page = path.read_text()
        assert replaced(page, markers, table, path) == page, "run `make results`"
        with pytest.raises(UserError, match="lacks its markers"):
            replaced("no markers", markers, table, path)


def test_what_integers_lose_is_what_the_committed_metrics_say():
    page = (REPOSITORY / "docs" / "integer_operators.md").read_text().replace("\n", " ")
    unseen = json.loads((REPOSITORY / "metrics/crossval.json").read_text())
    for network, words in (
        ("tiny.int8", "loses {} points to float32 and agrees with it on {} % of the clips"),
        ("micro.int8", "loses {} and agrees on {} %"),
    ):
        lost = round(100 * unseen[network]["accuracy_drop"], 2)
        shown = f"{lost:.2f}".lstrip("0") if lost > 0 else "none"
        agreement = f"{100 * unseen[network]['agreement']:.1f}"
        assert f"`{network}` {words.format(shown, agreement)}" in page
