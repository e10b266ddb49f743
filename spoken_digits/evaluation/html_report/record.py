"""Everything the report reads, and what is not there to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from spoken_digits.config import Config, read_config
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.errors import UserError
from spoken_digits.evaluation.predictions import (
    CONFUSION,
    LOCK,
    Name,
    Tree,
    read_answers,
    recorded_clips,
)
from spoken_digits.evaluation.report import own
from spoken_digits.evaluation.report.collecting import Figures, Results, collect, without_studies
from spoken_digits.evaluation.report.stored_card import stored_card
from spoken_digits.evaluation.report.tables import study_name
from spoken_digits.evaluation.tables import corpus_name, is_own
from spoken_digits.io.files import read_json
from spoken_digits.models.params import names
from spoken_digits.verification import hashes

SPEAKERS = PurePosixPath("studies/predictions/speaker")


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A part of the report that cannot be made."""

    what: str
    command: str
    """Makes it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is recorded under one root."""

    root: Path
    config: Config
    params: str
    """Text of params.yaml."""
    results: Results
    answers: Mapping[str, pd.DataFrame]
    """By row of crossval.json: one row a run and clip of voices never heard, with utterance,
    speaker, actual, predicted."""
    tested: Mapping[str, pd.DataFrame]
    """By model: one row a test clip of the recorded split, with actual, predicted and, where the
    corpus is in reach, utterance and speaker."""
    curves: Mapping[str, pd.DataFrame]
    """By model: one row an epoch."""
    manifest: pd.DataFrame | None
    """The corpus, where it is in reach, with column `subset` where it is split."""
    cards: Mapping[str, Figures]
    """By row: what the model file says of itself, where it is in reach."""
    rejection: Mapping[str, Figures]
    """By model: metrics/rejection/, what it makes of other sounds; empty without such models."""
    rejection_curves: pd.DataFrame | None
    """plots/rejection/: model, group, false_accepts, misses; a row a threshold."""
    machine: Figures
    """docs/record.json; empty if not recorded."""
    revision: str
    """Of the checkout; empty if it is not said."""
    missing: list[Missing]

    @property
    def synthetic(self) -> bool:
        """Whether the recorded run is of synthetic speech."""
        return bool(self.results.corpus["synthetic"])

    def features_of(self, name: str) -> str:
        """The kind of features that a row's model reads."""
        return self.config.value(f"variants.{name.partition('.')[0]}.features", str)

    @property
    def raw(self) -> Path:
        """Folder of the corpus."""
        return self.root / "data" / "raw"


def read(root: Path, *, studies: bool) -> Record:
    """Read what is recorded under `root`.

    Parameters
    ----------
    root
        Top of the checkout.
    studies
        Whether to read what lies outside the pipeline: the studies, the machine, the revision.

    Raises
    ------
    UserError
        Nothing is recorded, or a file is damaged.
    """
    config = read_config(root / "params.yaml")
    models = names(config)
    results = collect(models, root / "metrics", root / "plots", root / "benchmarks")
    of_own_words = is_own(results.corpus)
    if of_own_words:
        results = own.own_results(models, root)
    if not studies:
        results = without_studies(results)
    # Pictures of models that were not run on own words are still of the digits.
    shown = list(dict.fromkeys(row["model"] for row in results.rows))
    answers = _expected_answers if of_own_words else _answers
    manifest = _manifest(root)
    opened = _open_models(config)
    rejection = _merged(root / "metrics" / "rejection", opened)
    if of_own_words:
        corpus = corpus_name(results.corpus)
        rejection = {row: found for row, found in rejection.items() if found["corpus"] == corpus}
    record = Record(
        root=root,
        config=config,
        params=(root / "params.yaml").read_text(encoding="utf-8"),
        results=results,
        answers=dict(answers(root, results.crossval)),
        tested=dict(_tested(root, shown, manifest)),
        curves=dict(_curves(root, shown)),
        manifest=manifest,
        cards=dict(_cards(root, results)),
        rejection=rejection,
        rejection_curves=_rejection_curves(root / "plots" / "rejection", opened, rejection),
        machine=_optional(root / "docs" / "record.json", "make record") if studies else {},
        revision=_revision(root) if studies else "",
        missing=[],
    )
    return dataclasses.replace(record, missing=list(_missing(record, studies=studies)))


def _manifest(root: Path) -> pd.DataFrame | None:
    path, split = root / "data" / "raw" / "manifest.csv", root / "data" / "split.csv"
    if not path.exists():
        return None
    manifest = read_manifest(path)
    if not split.exists():
        return manifest
    subset = pd.Series("", index=manifest.index)
    for name, rows in read_split(split, manifest).items():
        subset.iloc[rows] = name
    return manifest.assign(subset=subset)


def _answers(root: Path, crossval: Figures) -> Iterator[tuple[str, pd.DataFrame]]:
    tree = Tree(root)
    # Recorded figures may outlive the predictions: see stages/summarise.py.
    there = {file.split("-")[0] for file in tree.names(SPEAKERS)}
    for name in crossval:
        if Name(name).model in there:
            answers = read_answers(tree, SPEAKERS, Name(name))
            if len(answers):  # empty: trained without the archive of voices
                yield name, answers


def _expected_answers(root: Path, crossval: Figures) -> Iterator[tuple[str, pd.DataFrame]]:
    """Those of stages/expect.py, which leaves out the speakers of own words."""
    for name in crossval:
        path = root / "plots" / "expected" / f"{Name(name).model}.csv"
        scheme = Name(name).scheme
        if path.exists():
            columns = ["utterance", "speaker", "actual", scheme]
            yield name, _csv(path, columns)[columns].rename(columns={scheme: "predicted"})


def _tested(
    root: Path, models: list[str], manifest: pd.DataFrame | None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Test clips in the manifest's order, which is that of plots/confusion/."""
    clips = None
    if manifest is not None and "subset" in manifest:
        clips = manifest[manifest["subset"] == "test"].reset_index(drop=True)
    for model in models:
        path = root / CONFUSION / f"{model}.csv"
        if not path.exists():
            continue
        table = _csv(path, ["actual", "predicted"])
        if (
            clips is not None
            and table["actual"].tolist() == clips["label"].tolist()
            and _is_of_split(root, model)
        ):
            table = table.assign(utterance=clips["utterance"], speaker=clips["speaker"])
        yield model, table


def _is_of_split(root: Path, model: str) -> bool:
    """Whether a model was evaluated on the clips that are there now, as far as dvc.lock is there:
    the words of any two stratified splits are the same.
    """
    if not (root / LOCK).exists():
        return True
    try:
        recorded = recorded_clips(Tree(root), model)
    except UserError:
        return False
    return all(hashes.md5(root / path) == digest for path, digest in recorded.items())


def _curves(root: Path, models: list[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    for model in models:
        path = root / "plots" / "curves" / f"{model}.csv"
        if path.exists():
            columns = ["epoch", "train_accuracy", "val_accuracy"]
            table = _csv(path, columns)[columns].apply(pd.to_numeric, errors="coerce")
            yield model, table


def _csv(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:
        fault = " ".join(str(error).split())
        raise UserError(f"{path} is damaged ({fault}): make it again with `dvc repro`") from None
    if lacking := [column for column in columns if column not in table]:
        raise UserError(f"{path} lacks the column {lacking[0]}: make it again with `dvc repro`")
    return table


def _cards(root: Path, results: Results) -> Iterator[tuple[str, Figures]]:
    """The cards alone: no tensor is read."""
    for row in results.rows:
        card = stored_card(root / "models" / f"{study_name(row)}.safetensors")
        if card is not None:
            yield study_name(row), card


def _optional(path: Path, command: str) -> dict[str, Any]:
    return read_json(path, command) if path.exists() else {}


def _open_models(config: Config) -> list[str]:
    # An older revision has no such section.
    return list(config.get("corpus", {}).get("rejection", {}).get("models", {}))


def _merged(folder: Path, models: list[str]) -> dict[str, Figures]:
    """The rows of all files of open models; the first file that has a row counts."""
    found: dict[str, Figures] = {}
    for path in _existing(folder, models, ".json"):
        found = read_json(path, "dvc repro") | found
    return found


def _existing(folder: Path, models: list[str], suffix: str) -> list[Path]:
    paths = [folder / f"{model}{suffix}" for model in sorted(models)]
    return [path for path in paths if path.exists()]


def _rejection_curves(
    folder: Path, models: list[str], shown: Collection[str]
) -> pd.DataFrame | None:
    columns = ["model", "group", "false_accepts", "misses"]
    tables = [_csv(path, columns)[columns] for path in _existing(folder, models, ".csv")]
    if not tables:
        return None
    # A model stands in the file of each of its open variants.
    rows = pd.concat(tables, ignore_index=True).drop_duplicates()
    rows = rows[rows["model"].isin(shown)]
    if rows.empty:
        return None
    rates = ["false_accepts", "misses"]
    return rows.assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in rates})


def _revision(root: Path) -> str:
    return Tree(root).describe()


def _missing(record: Record, *, studies: bool) -> Iterator[Missing]:
    if is_own(record.results.corpus):
        yield from _missing_of_own_words(record)
    else:
        yield from _missing_of_corpus(record, studies=studies)
    if record.manifest is None:
        yield Missing(what="recordings to hear, and their counts", command="dvc checkout download")
    if not record.cards:
        yield Missing(what="who each model has heard", command="dvc checkout train quantize")
    if studies and not record.machine:
        yield Missing(what="the machine of the recorded run", command="make record")


def _missing_of_own_words(record: Record) -> Iterator[Missing]:
    """Of the model that was run on them: `dvc repro` would run all others too."""
    results = record.results
    model = results.rows[0]["model"]
    if not results.crossval:
        command = f"python stages/expect.py {model}"
        yield Missing(what="accuracy on voices never heard", command=command)
    if not results.robustness:
        command = f"dvc repro robustness@{model}"
        yield Missing(what="noise, rooms and telephones", command=command)
    integer = [row for row in results.rows if "parameter_bytes" in row]
    if integer and not results.costs:
        command = f"dvc repro measure@{model}-{integer[0]['scheme']}"
        yield Missing(what="costs on a Cortex-M", command=command)
    if integer and not results.detectors:
        command = f"dvc repro detect@{model}-{integer[0]['scheme']}"
        yield Missing(what="hours of sound through a detector", command=command)


def _missing_of_corpus(record: Record, *, studies: bool) -> Iterator[Missing]:
    results = record.results
    if not results.crossval:
        command = "make crossval" if studies else "make crossval, then make page"
        yield Missing(what="accuracy on voices never heard", command=command)
    elif not record.answers:
        yield Missing(what="confusion and mistakes on voices never heard", command="make crossval")
    if studies and not results.strangers:
        yield Missing(what="accuracy on strangers (docs/voices.md)", command="make crossval")
    if not record.curves:
        yield Missing(what="training curves", command="dvc repro")
    if not record.tested:
        yield Missing(what="confusion on the test clips", command="dvc repro")
    if not results.robustness:
        yield Missing(what="noise, rooms and telephones", command="dvc repro")
    if not results.costs:
        yield Missing(what="costs on a Cortex-M", command="dvc repro")
    if "detect" in record.config and not record.results.detectors:
        yield Missing(what="hours of sound through a detector", command="dvc repro detect")
    if _open_models(record.config) and not record.rejection:
        yield Missing(what="rejection of other sounds", command="dvc repro reject")
