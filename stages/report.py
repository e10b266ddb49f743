"""Stage `report`: committed metrics -> README's results, docs/results.md and its picture.

Reads   metrics/, plots/robustness/, benchmarks/*.json, params.yaml: the names of the models
Writes  README.md between its markers, docs/results.md, docs/size_accuracy.png
Run     python stages/report.py

Not part of `dvc repro`: `make results` runs it.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.evaluation.report import corpora, pages, picture
from spoken_digits.evaluation.report.collecting import collect
from spoken_digits.io import files
from spoken_digits.models.params import names

METRICS = Path("metrics")
PLOTS = Path("plots")
BENCHMARKS = Path("benchmarks")
README = Path("README.md")
RESULTS = Path("docs/results.md")
PICTURE = Path("docs/size_accuracy.png")


def main() -> None:
    results = collect(names(read_config(Path("params.yaml"))), METRICS, PLOTS, BENCHMARKS)
    text = README.read_text(encoding="utf-8")
    files.write_bytes(README, pages.readme(text, results).encode())
    files.write_bytes(RESULTS, pages.results_page(results).encode())
    with files.replacing(PICTURE) as temporary:
        picture.draw(temporary, results)
    for line in corpora.warning(results):
        print(line)
    print(f"README.md, {RESULTS} and {PICTURE} are made from {len(results.rows)} metrics files")


if __name__ == "__main__":
    errors.run(main)
