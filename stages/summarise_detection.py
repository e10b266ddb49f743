"""Stage `summarise_detection`: detectors on speakers that their models have not heard.

Reads   studies/detection/, data/raw/provenance.json, params.yaml: studies
Writes  metrics/detector_unseen.json: {model.scheme: {words: {hit_rate, wrong_rate, worst,
        worst_speakers, per_speakers}, ..., threshold, latency_ms, seeds, corpus}}
Run     python stages/summarise_detection.py

Without the archives of voices and of other speech there are no runs: recorded figures then stay.
Part of studies/dvc.yaml (`make crossval`).
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path
from typing import Any

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import unseen
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files

PROVENANCE = Path("data/raw/provenance.json")
RUNS = Path("studies/detection")
FIGURES = Path("metrics/detector_unseen.json")
MADE_BY = "make crossval"


def main() -> None:
    study = read_config(Path("params.yaml")).section("studies", StudyParams)
    corpus = corpus_name(files.read_json(PROVENANCE, "dvc repro download"))
    recorded = files.read_json(FIGURES, MADE_BY) if FIGURES.exists() else {}
    found = {}
    for name in (f"{model}.int8" for model in study.detection.models):
        if runs := runs_of(name, study):
            figures = rounded(unseen.over_folds(runs))
            found[name] = {**figures, "seeds": list(study.detection.seeds), "corpus": corpus}
        elif name in recorded:
            print(f"{name}: no streams without the archives, what is recorded stays")
            found[name] = recorded[name]
    files.write_json(FIGURES, found)
    for name, figures in found.items():
        words = figures["words"]
        print(
            f"{name}: {words['hit_rate']:.4f} of the words of voices never heard, "
            f"{words['worst']:.4f} of {words['worst_speakers']}'s"
        )


def runs_of(name: str, study: StudyParams) -> dict[tuple[int, int], dict[str, Any]]:
    """The runs of a model; none if all were made without the archives."""
    runs = {
        (fold, seed): files.read_json(RUNS / f"{name}-{fold}-{seed}.json", MADE_BY)
        for fold in study.folds
        for seed in study.detection.seeds
    }
    made = {key: run for key, run in runs.items() if run}
    if made and len(made) < len(runs):
        fold, seed = next(key for key, run in runs.items() if not run)
        raise UserError(
            f"{RUNS}/{name}-{fold}-{seed}.json is empty, others of {name} are not: make it with "
            f"`{MADE_BY}`"
        )
    return made


if __name__ == "__main__":
    errors.run(main, __doc__)
