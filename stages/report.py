"""Stage `report`: committed metrics -> tables of README and docs/, docs/results.md, the cards.

Reads   metrics/, plots/robustness/, benchmarks/*.json, studies/predictions/random/,
        params.yaml: variants
Writes  README.md and pages of docs/ between their markers, docs/results.md,
        docs/size_accuracy.png, docs/model-cards/: <model>.md, data.md
Run     python stages/report.py

Not part of `dvc repro`: `make results` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.evaluation.report import corpora, pages, picture, sections
from spoken_digits.evaluation.report.cards import cards
from spoken_digits.evaluation.report.collecting import collect
from spoken_digits.io import files
from spoken_digits.models.params import names

METRICS = Path("metrics")
PLOTS = Path("plots")
BENCHMARKS = Path("benchmarks")
PREDICTIONS = Path("studies/predictions/random")
DOCS = Path("docs")
README = Path("README.md")
RESULTS = Path("docs/results.md")
PICTURE = Path("docs/size_accuracy.png")
CARDS = Path("docs/model-cards")


def main() -> None:
    config = read_config(Path("params.yaml"))
    results = collect(names(config), METRICS, PLOTS, BENCHMARKS)
    text = README.read_text(encoding="utf-8")
    files.write_bytes(README, pages.readme(text, results).encode())
    files.write_bytes(RESULTS, pages.results_page(results).encode())
    for name, markers, table in sections.sections(METRICS, PREDICTIONS):
        page = DOCS / f"{name}.md"
        text = sections.replaced(page.read_text(encoding="utf-8"), markers, table, page)
        files.write_bytes(page, text.encode())
    with files.replacing(PICTURE) as temporary:
        picture.draw(temporary, results)
    pages_of_cards = cards(config.subsection("variants"), results)
    with files.replacing(CARDS) as folder:
        folder.mkdir()
        for name, card in pages_of_cards.items():
            (folder / name).write_text(card, encoding="utf-8")
    for line in corpora.warning(results):
        print(line)
    print(
        f"README.md, tables of {DOCS}, {RESULTS}, {PICTURE} and {len(pages_of_cards)} cards in "
        f"{CARDS} are made from "
        f"{len(results.rows)} metrics files"
    )


if __name__ == "__main__":
    errors.run(main, __doc__)
