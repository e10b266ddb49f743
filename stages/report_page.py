"""Stage `report_page`: recorded figures -> one HTML page that opens offline.

Reads   metrics/, plots/, studies/predictions/speaker/, models/ (their cards), data/raw/,
        data/features/, data/split.csv, docs/record.json, benchmarks/published.json, params.yaml
Writes  plots/report.html in the pipeline, report.html by default
Run     python stages/report_page.py [--output FILE] [--against REVISION]

The pipeline's own page (--pipeline-only) is without the studies, so that `dvc repro` trains none.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from spoken_digits import errors
from spoken_digits.evaluation.html_report.command import main

if __name__ == "__main__":
    errors.run(main)
