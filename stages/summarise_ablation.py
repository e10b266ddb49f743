"""Stage `summarise_ablation`: what each step of the augmentation of sound is worth.

Reads   studies/ablation/predictions/<step>.csv, data/raw/provenance.json, params.yaml:
        studies.ablation
Writes  metrics/ablation.json: {step: {mean, loss, loss_error, trainings, per_speaker, model,
        seeds, corpus}}
        plots/ablation.png: the losses
Run     python stages/summarise_ablation.py

Part of studies/ablation/dvc.yaml (`make ablation`).
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

import pandas as pd

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation import ablation_picture
from spoken_digits.evaluation.ablation import over_steps
from spoken_digits.evaluation.columns import WHOLE
from spoken_digits.evaluation.study_params import AblationParams
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files

PROVENANCE = Path("data/raw/provenance.json")
PREDICTIONS = Path("studies/ablation/predictions")
FIGURES = Path("metrics/ablation.json")
PICTURE = Path("plots/ablation.png")


def main() -> None:
    params = read_config(Path("params.yaml")).section("studies.ablation", AblationParams)
    corpus = corpus_name(files.read_json(PROVENANCE, "dvc repro download"))
    steps = over_steps({step: read(step) for step in params.steps}, WHOLE)
    same = {"model": params.model, "seeds": list(params.seeds), "corpus": corpus}
    figures = {step: {**row, **same} for step, row in steps.items()}
    files.write_json(FIGURES, figures)
    with files.replacing(PICTURE) as temporary:
        ablation_picture.draw(temporary, figures)
    for step, row in figures.items():
        loss = f"{row['loss']:+.4f} ± {row['loss_error']:.4f}"
        print(f"{params.model} without {step}: {row['mean']:.4f}, loss {loss}")


def read(step: str) -> pd.DataFrame:
    """Predictions without a step: a row for each test clip and seed."""
    path = PREDICTIONS / f"{step}.csv"
    if not path.exists():
        made_by = f"dvc repro studies/ablation/dvc.yaml:ablate@{step}"
        raise UserError(f"{path} is not there: make it with `{made_by}`")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


if __name__ == "__main__":
    errors.run(main, __doc__)
