"""Stage `summarise`: predictions of all folds and seeds -> accuracy of each model.

Reads   studies/predictions/, data/raw/provenance.json, params.yaml: studies
Writes  metrics/seeds.json: {model or model.scheme: {mean, std, values, seeds, ...}}, test accuracy
        under each seed, and the corpus; integer networks with the means of accuracy_drop and
        agreement
        metrics/speakers.json: the same by fold, with the speakers of each fold's test clips
Run     python stages/summarise.py

Part of studies/dvc.yaml (`make studies`).
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.folds import StudyParams, summary
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files

PROVENANCE = Path("data/raw/provenance.json")
PREDICTIONS = Path("studies/predictions")
METRICS = Path("metrics")


def main() -> None:
    study = read_config(Path("params.yaml")).section("studies", StudyParams)
    corpus = corpus_name(files.read_json(PROVENANCE, "dvc repro download"))
    seeds: dict[str, Any] = {}
    speakers: dict[str, Any] = {}
    for model in study.models:
        repeated = [read("random", model, 0, seed) for seed in study.seeds]
        for name, figures in summary(model, repeated).items():
            seeds[name] = {**figures, "seeds": list(study.seeds), "corpus": corpus}
        folds = [read("speaker", model, fold, study.seeds[0]) for fold in study.folds]
        tested = [" ".join(sorted(set(table["speaker"]))) for table in folds]
        check_disjoint(tested)
        for name, figures in summary(model, folds).items():
            speakers[name] = {**figures, "speakers": tested, "corpus": corpus}
    files.write_json(METRICS / "seeds.json", seeds)
    files.write_json(METRICS / "speakers.json", speakers)
    print(f"{len(seeds)} models under {len(study.seeds)} seeds, on {len(study.folds)} folds")


def read(split: str, model: str, fold: int, seed: int) -> pd.DataFrame:
    """The predictions of one run."""
    path = PREDICTIONS / split / f"{model}-{fold}-{seed}.csv"
    if not path.exists():
        raise UserError(f"{path} is missing: make it with `make studies`")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def check_disjoint(tested: Sequence[str]) -> None:
    """Refuse folds that test the same speaker twice."""
    everyone = [speaker for fold in tested for speaker in fold.split()]
    if len(set(everyone)) < len(everyone):
        raise UserError("a speaker is tested in two folds: check `studies.folds`")


if __name__ == "__main__":
    errors.run(main)
