"""Stage `summarise`: predictions of all folds and seeds -> accuracy of each model.

Reads   studies/predictions/, data/raw/provenance.json, params.yaml: studies
Writes  metrics/seeds.json: {model or model.scheme: {mean, std, values, seeds, ...}}, test accuracy
        on the random split under each seed, and the corpus
        metrics/official.json: the same on the split of the corpus's authors
        metrics/crossval.json: {model or model.scheme: {mean, std_speakers, worst, worst_speaker,
        per_speaker, accuracy_ci_low, accuracy_ci_high, adapted_mean, seeds, ...}}, accuracy on
        speakers left out of training
        metrics/strangers.json: {model or model.scheme: {accuracy, accuracy_ci_low,
        accuracy_ci_high, n, by_seed, per_speaker, ...}}, accuracy on speakers of other corpora
        metrics/unheard/<model>[.<scheme>].json: the few figures of crossval.json that
        `dvc metrics show` prints
        plots/crossval/speakers.csv, speakers.png: a dot for each model, speaker and seed
Run     python stages/summarise.py

`<model>+voices` is the model trained with extra voices, `<model>+spoken` with synthesised ones.
Those rows, and strangers, may be missing,
since they need an archive of their own: recorded figures are then left as they are.
Part of studies/dvc.yaml (`make crossval`).
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation import folds, folds_picture
from spoken_digits.evaluation.brief import brief
from spoken_digits.evaluation.columns import MORE_VOICES, has_more_voices
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files

PROVENANCE = Path("data/raw/provenance.json")
PREDICTIONS = Path("studies/predictions")
METRICS = Path("metrics")
PLOTS = Path("plots/crossval")
COLUMNS = ("model", "speaker", "seed", "accuracy", "corpus")
Figures = dict[str, dict[str, Any]]


def main() -> None:
    study = read_config(Path("params.yaml")).section("studies", StudyParams)
    corpus = corpus_name(files.read_json(PROVENANCE, "dvc repro download"))
    seeds = over_seeds(study, corpus)
    official = on_official_split(study, corpus)
    crossval, dots = over_speakers(study, corpus)
    strangers = over_strangers(study, corpus)
    # Written together, at the end: an error leaves all figures as they were.
    files.write_json(METRICS / "seeds.json", seeds)
    files.write_json(METRICS / "official.json", official)
    files.write_json(METRICS / "crossval.json", crossval)
    files.write_json(METRICS / "strangers.json", strangers)
    with files.replacing(METRICS / "unheard") as folder:
        folder.mkdir()
        for name, figures in crossval.items():
            files.write_json(folder / f"{name}.json", brief(figures, figures["mean"]))
    files.write_csv(PLOTS / "speakers.csv", COLUMNS, [(*dot, corpus) for dot in dots])
    with files.replacing(PLOTS / "speakers.png") as temporary:
        folds_picture.draw(temporary, crossval, dots)
    print(
        f"{len(seeds)} rows under {len(study.seeds)} seeds, {len(crossval)} on {len(study.folds)} "
        f"folds, {len(strangers)} on strangers"
    )


def over_seeds(study: StudyParams, corpus: str) -> Figures:
    """Accuracy on the random split."""
    recorded, found = read_recorded("seeds"), Figures()
    for model in rows_of("random", study):
        runs = [read("random", model, 0, seed) for seed in study.seeds]
        found |= named(folds.over_seeds(model, runs), study.seeds, corpus)
    return found | kept(recorded, found, study)


def on_official_split(study: StudyParams, corpus: str) -> Figures:
    """Accuracy on the test clips that the corpus's authors set aside."""
    found, seeds = Figures(), study.official.seeds
    for model in study.official.models:
        runs = [read("official", model, 0, seed) for seed in seeds]
        found |= named(folds.over_seeds(model, runs), seeds, corpus)
    return found


def over_speakers(study: StudyParams, corpus: str) -> tuple[Figures, list[folds.Dot]]:
    """Accuracy on speakers left out of training, and its dots."""
    recorded, found, dots = read_recorded("crossval"), Figures(), []
    for model in rows_of("speaker", study):
        seeds = study.seeds_on_speakers(model)
        runs = {
            (fold, seed): read("speaker", model, fold, seed)
            for fold in study.folds
            for seed in seeds
        }
        if not all(map(len, runs.values())):
            refuse_mixed(model, runs)
            print(f"{model}: trained without the archive of voices, what is recorded stays")
            continue
        figures, of_model = folds.over_speakers(model, runs)
        found |= named(figures, seeds, corpus)
        dots += of_model
    return found | kept(recorded, found, study), dots


def refuse_mixed(model: str, runs: Mapping[tuple[int, int], pd.DataFrame]) -> None:
    """Runs may be empty only for want of the archive of voices, and then all of them are."""
    if has_more_voices(model) and not any(map(len, runs.values())):
        return
    fold, seed = next(key for key, run in runs.items() if not len(run))
    raise UserError(
        f"{PREDICTIONS}/speaker/{model}-{fold}-{seed}.csv holds no predictions, others of {model} "
        "do: make it with `make crossval`"
    )


def over_strangers(study: StudyParams, corpus: str) -> Figures:
    """Accuracy on strangers, under whichever seeds there are."""
    recorded, found = read_recorded("strangers"), Figures()
    for model in with_voices(study):
        runs = {seed: read("strangers", model, 0, seed) for seed in seeds_of("strangers", model)}
        runs = {seed: run for seed, run in runs.items() if len(run)}  # empty: without the archive
        if seeds := list(runs):
            found |= named(folds.over_strangers(model, runs), seeds, corpus)
    left = kept(recorded, found, study)
    if not found:
        print(
            f"no predictions for strangers in {PREDICTIONS}/strangers: "
            f"metrics/strangers.json keeps {len(left)} recorded rows"
        )
    return found | left


def rows_of(split: str, study: StudyParams) -> list[str]:
    """The models, and those trained with more voices as well, as far as there are any."""
    voices = [model for model in with_voices(study) if seeds_of(split, model)]
    return [*study.models, *(model for model in voices if model not in study.models)]


def with_voices(study: StudyParams) -> list[str]:
    return [*study.models, *(model + ending for model in study.models for ending in MORE_VOICES)]


def seeds_of(split: str, model: str) -> list[int]:
    """The seeds of a model's files, any fold."""
    name = re.compile(rf"{re.escape(model)}-\d+-(\d+)\.csv")
    paths = (PREDICTIONS / split).glob("*.csv")
    return sorted({int(match[1]) for path in paths if (match := name.fullmatch(path.name))})


def read(split: str, model: str, fold: int, seed: int) -> pd.DataFrame:
    """The predictions of one run."""
    path = PREDICTIONS / split / f"{model}-{fold}-{seed}.csv"
    if not path.exists():
        raise UserError(f"{path} is missing: make it with `make crossval`")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_recorded(name: str) -> Figures:
    path = METRICS / f"{name}.json"
    return files.read_json(path, "make crossval") if path.exists() else {}


def named(figures: Figures, seeds: Sequence[int], corpus: str) -> Figures:
    """The figures with their seeds and their corpus."""
    return {name: {**row, "seeds": list(seeds), "corpus": corpus} for name, row in figures.items()}


def kept(recorded: Figures, found: Figures, study: StudyParams) -> Figures:
    """The recorded rows of studied models of which there are no predictions here."""
    made = {name.partition(".")[0] for name in found}
    names = set(with_voices(study)) - made
    return {name: row for name, row in recorded.items() if name.partition(".")[0] in names}


if __name__ == "__main__":
    errors.run(main, __doc__)
