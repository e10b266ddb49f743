"""Stage `collect`: merge the curves and scores of all models for the top-level pictures.

Reads   plots/curves/, plots/per_class/, plots/robustness/, plots/size_accuracy/,
        metrics/detector/, params.yaml: variants, quantize.networks, corpus.rejection.models
Writes  plots/models/curves.csv, f1.csv, robustness.csv, size_accuracy.csv: the same columns
        after `model`; plots/models/robustness.png;
        metrics/test/<model>[.<scheme>].json: the few figures that `dvc metrics show` prints;
        metrics/detector.json: the figures of every detector under its model's name
Run     python stages/collect.py
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.evaluation.brief import brief
from spoken_digits.evaluation.report import robustness
from spoken_digits.io import files
from spoken_digits.models.params import names
from spoken_digits.quantization.networks import schemes_of
from spoken_digits.rejection.params import MODELS as OPEN_MODELS

METRICS = Path("metrics")
PLOTS = Path("plots")
MODELS = PLOTS / "models"
BRIEF = Path("metrics/test")


def main() -> None:
    config = read_config(Path("params.yaml"))
    models = names(config)
    write("curves", [table("curves", model) for model in models])
    write("f1", [table("per_class", model) for model in models])
    tested = [stem for model in models for stem in (model, *integers(config, model))]
    draw_robustness(write("robustness", [table("robustness", stem) for stem in tested]))
    sizes = [table("size_accuracy", stem) for model in models for stem in stems(config, model)]
    write_brief(write("size_accuracy", sizes))
    networks = [stem for model in models for stem in integers(config, model)]
    networks += [f"{model}.int8" for model in config.subsection(OPEN_MODELS)]
    files.write_json(METRICS / "detector.json", detectors(networks))
    print(f"{MODELS}: {len(models)} models, {len(sizes)} sizes")


def detectors(stems: list[str]) -> dict[str, Any]:
    """The figures of every integer model's detector."""
    folder = METRICS / "detector"
    return {
        stem: files.read_json(folder / f"{stem}.json", "dvc repro detect") for stem in sorted(stems)
    }


def table(folder: str, stem: str) -> pd.DataFrame:
    """The rows of one file, with the model's name as the first column."""
    path = PLOTS / folder / f"{stem}.csv"
    if not path.exists():
        raise errors.UserError(f"{path} is missing: make it with `dvc repro`")
    rows = pd.read_csv(path, dtype={"label": str, "level": str}, keep_default_na=False)
    if "model" not in rows:
        rows.insert(0, "model", stem)
    return rows


def stems(config: Config, model: str) -> list[str]:
    """`model`, then `<model>.<scheme>` for each of its schemes."""
    return [model, f"{model}.int8_dynamic", *integers(config, model)]


def integers(config: Config, model: str) -> list[str]:
    """`<model>.<scheme>` for each integer network of a model."""
    return [f"{model}.{scheme}" for scheme in schemes_of(config, model)]


def write(name: str, tables: list[pd.DataFrame]) -> pd.DataFrame:
    rows = pd.concat(tables, ignore_index=True)
    with files.replacing(MODELS / f"{name}.csv") as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n")
    return rows


def write_brief(rows: pd.DataFrame) -> None:
    """A file for each model and scheme: test accuracy, its interval, KiB of parameters, corpus."""
    with files.replacing(BRIEF) as folder:
        folder.mkdir()
        for entry in rows.to_dict("records"):
            row = {str(key): value for key, value in entry.items()}
            scheme = "" if row["scheme"] == "float32" else f".{row['scheme']}"
            figures = brief(row, float(row["accuracy"])) | {"kib": round(row["size_kib"], 2)}
            files.write_json(folder / f"{row['model']}{scheme}.json", figures)


def draw_robustness(rows: pd.DataFrame) -> None:
    with files.replacing(MODELS / "robustness.png") as temporary:
        robustness.draw(temporary, rows)


if __name__ == "__main__":
    errors.run(main, __doc__)
