"""Read every committed figure that the pages show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io.files import read_json

Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Results:
    """All figures that the pages show."""

    rows: list[Figures]
    """One row per metrics file: model, scheme and the content, which includes `corpus`."""
    corpus: Figures
    """metrics/corpus.json: the corpus and split of the last run of stage `split`."""
    costs: list[Figures]
    """One row per integer network that was measured on a Cortex-M."""
    seeds: Figures
    """metrics/seeds.json; empty without the studies."""
    official: Figures
    """metrics/official.json, on the split of the corpus's authors; empty without the studies."""
    crossval: Figures
    """metrics/crossval.json; empty without the studies."""
    strangers: Figures
    """metrics/strangers.json; empty without the strangers' archive."""
    ablation: Figures
    """metrics/ablation.json: by step of the augmentation; empty without the studies."""
    robustness: list[Figures]
    """One row per tested network: model (with its scheme), corpus, n (test clips) and `accuracy`
    by (condition, level as text); empty without stage `robustness`."""
    detectors: Figures
    """metrics/detector.json: by integer model; empty without stage `detect`."""
    detectors_unseen: Figures
    """metrics/detector_unseen.json: by integer model; empty without the studies."""
    published: list[Figures]
    """Published results of the same networks: model, scheme, accuracy, corpus, title."""
    quantizers: Figures
    """benchmarks/quantizers.json; empty if not made."""
    said: Figures
    """benchmarks/said.json; empty if not made."""
    full_size: list[Figures]
    """Runs at AudioMNIST's full size, one per machine."""
    speed: Figures
    """benchmarks/results.json; empty if not made."""
    speed_gpu: Figures
    """The same on a machine with a GPU."""

    def corpora(self) -> list[str]:
        """Names of all corpora in the metrics, each once."""
        studies = [
            figures
            for study in (self.seeds, self.official, self.crossval, self.strangers, self.ablation)
            for figures in study.values()
        ]
        names = [corpus_name(self.corpus)]
        tests = (*self.rows, *studies, *self.robustness, *self.detectors.values())
        names += [figures["corpus"] for figures in tests]
        return list(dict.fromkeys(names))

    def is_mixed(self) -> bool:
        """Whether the tables would mix figures of different corpora."""
        return len(self.corpora()) > 1


def without_studies(results: Results) -> Results:
    """The same without the studies, which are not of the pipeline, or not of own recordings."""
    return replace(
        results,
        seeds={},
        official={},
        crossval={},
        strangers={},
        ablation={},
        detectors_unseen={},
    )


def collect(models: Sequence[str], metrics: Path, plots: Path, benchmarks: Path) -> Results:
    """Read the figures of `models`, in that order.

    Parameters
    ----------
    models
        Names of the models in params.yaml; files of other models are not read.
    metrics, plots, benchmarks
        Folders of the committed figures.

    Raises
    ------
    UserError
        A required file is missing or damaged, or does not name its corpus.
    """
    rows = list(_rows(models, metrics))
    if not rows:
        raise UserError(f"{metrics}/ is empty: make it with `dvc repro`")
    return Results(
        rows=rows,
        corpus=read_json(metrics / "corpus.json", "dvc repro split"),
        costs=list(_costs(rows, metrics / "cortex_m")),
        seeds=_study(metrics / "seeds.json"),
        official=_study(metrics / "official.json"),
        crossval=_study(metrics / "crossval.json"),
        strangers=_study(metrics / "strangers.json"),
        ablation=_study(metrics / "ablation.json"),
        robustness=[
            _distorted(path)
            for model in models
            for path in _files(plots / "robustness", model, "csv")
        ],
        detectors=_optional(metrics / "detector.json"),
        detectors_unseen=_optional(metrics / "detector_unseen.json"),
        published=_optional(benchmarks / "published.json").get("rows", []),
        quantizers=_optional(benchmarks / "quantizers.json"),
        said=_optional(benchmarks / "said.json"),
        full_size=[
            run
            for name in ("audiomnist.json", "audiomnist_gpu.json")
            if (run := _optional(benchmarks / name))
        ],
        speed=_optional(benchmarks / "results.json"),
        speed_gpu=_optional(benchmarks / "results_gpu.json"),
    )


def collect_one(model: str, metrics: Path) -> Results:
    """The figures of a float model and of its corpus alone, which the pipeline itself makes.

    Raises
    ------
    UserError
        A file is missing or damaged, or they are of different corpora.
    """
    path = metrics / f"{model}.json"
    figures = read_json(path, f"dvc repro evaluate@{model}")
    _check_names_corpus(figures, path, "dvc repro")
    return Results(
        rows=[{"model": model, "scheme": "float32", **figures}],
        corpus=read_json(metrics / "corpus.json", "dvc repro split"),
        costs=[],
        seeds={},
        official={},
        crossval={},
        strangers={},
        ablation={},
        robustness=[],
        detectors={},
        detectors_unseen={},
        published=[],
        quantizers={},
        said={},
        full_size=[],
        speed={},
        speed_gpu={},
    )


def _rows(models: Sequence[str], metrics: Path) -> Iterable[Figures]:
    for model in models:
        for path in _files(metrics, model, "json"):
            scheme = path.stem.removeprefix(model).removeprefix(".") or "float32"
            figures = read_json(path, "dvc repro")
            _check_names_corpus(figures, path, "dvc repro")
            yield {"model": model, "scheme": scheme, **figures}


def _distorted(path: Path) -> Figures:
    """Accuracy of one network under every condition."""
    try:
        rows = pd.read_csv(path, dtype={"level": str}, keep_default_na=False)
        conditions = zip(rows["condition"], rows["level"], strict=True)
        return {
            "model": path.stem,
            "corpus": str(rows["corpus"].iloc[0]),
            "n": int(rows["n"].iloc[0]),
            "accuracy": dict(zip(conditions, map(float, rows["accuracy"]), strict=True)),
        }
    except KeyError as error:
        fault = f"no column {error}"
    except (ValueError, IndexError) as error:
        fault = " ".join(str(error).split())
    raise UserError(f"{path} is damaged ({fault}): make it again with `dvc repro`")


def _files(folder: Path, model: str, suffix: str) -> list[Path]:
    """The file of a model, then one for each of its schemes."""
    of_schemes = sorted(folder.glob(f"{model}.*.{suffix}"))
    return [*folder.glob(f"{model}.{suffix}"), *of_schemes]


def _costs(rows: Sequence[Figures], cortex_m: Path) -> Iterable[Figures]:
    """Costs of the integer networks, one row each; networks without figures are left out."""
    for row in rows:
        cost = _optional(cortex_m / f"{row['model']}.{row['scheme']}.json")
        if "recogniser_instructions_m0" in cost:
            yield {**row, **cost}


def _study(path: Path) -> Figures:
    study = _optional(path)
    for figures in study.values():
        _check_names_corpus(figures, path, "make crossval")
    return study


def _check_names_corpus(figures: Figures, path: Path, command: str) -> None:
    if not isinstance(figures.get("corpus"), str):
        raise UserError(f"{path} does not name its corpus: make it again with `{command}`")


def _optional(path: Path) -> Figures:
    return read_json(path, "make results") if path.exists() else {}
