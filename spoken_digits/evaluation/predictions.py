"""Recorded predictions, of the working tree or of another revision or experiment."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import yaml

from spoken_digits.errors import UserError, did_you_mean
from spoken_digits.evaluation.columns import FLOAT
from spoken_digits.evaluation.tables import is_own
from spoken_digits.io import fast_yaml

CONFUSION = PurePosixPath("plots/confusion")
LOCK = PurePosixPath("dvc.lock")
_CORPUS = PurePosixPath("metrics/corpus.json")
_CLIPS = ("data/raw/manifest.csv", "data/split.csv")
_RUN = re.compile(r"(?P<model>.+)-(?P<fold>\d+)-(?P<seed>\d+)\.csv")
_KEYS = ("utterance", "speaker", "actual")


@dataclass(frozen=True)
class Tree:
    """Files of the repository as they are now, or as a revision has them."""

    root: Path
    revision: str = ""
    """Anything Git resolves, or the name of a DVC experiment; empty: the working tree."""

    def names(self, folder: PurePosixPath) -> list[str]:
        """Names of the files in a folder, sorted; none if it is not there."""
        if not self.revision:
            return sorted(p.name for p in (self.root / folder).glob("*") if p.is_file())
        listed = self._git("ls-tree", "--name-only", self._commit(), f"{folder}/").decode()
        return sorted(PurePosixPath(line).name for line in listed.splitlines())

    def read(self, path: PurePosixPath) -> bytes:
        """Content of a file.

        Raises
        ------
        UserError
            It is not there.
        """
        if self.revision:
            return self._git("show", f"{self._commit()}:{path}")
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise UserError(f"{path} is missing: make it with `dvc repro`") from None

    def describe(self) -> str:
        """The commit checked out, and whether files differ from it; empty without Git."""
        try:
            return self._git("describe", "--always", "--dirty=, changed since").decode().strip()
        except (UserError, FileNotFoundError):
            return ""

    def _commit(self) -> str:
        """The commit that the revision names."""
        try:
            return (
                self._git("rev-parse", "--verify", "--quiet", f"{self.revision}^{{commit}}")
                .decode()
                .strip()
            )
        except UserError:
            pass
        experiments = self._git("for-each-ref", "--format=%(refname)", "refs/exps").decode()
        for reference in experiments.split():
            if reference.rpartition("/")[2] == self.revision:
                return reference
        raise UserError(
            f"{self.revision} is no revision of this repository and no experiment: "
            "`git log` and `dvc exp list` name them"
        )

    def _git(self, *arguments: str) -> bytes:
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], capture_output=True, check=False
        )
        if done.returncode:
            fault = done.stderr.decode(errors="replace").strip()
            raise UserError(f"git {' '.join(arguments)}: {fault}")
        return done.stdout


@dataclass(frozen=True)
class Name:
    """A model as the command line names it: ``model[.scheme][@revision]``."""

    text: str

    @property
    def model(self) -> str:
        """As in params.yaml, perhaps with ``+voices``."""
        return self._row.partition(".")[0]

    @property
    def scheme(self) -> str:
        """A column of predictions."""
        return self._row.partition(".")[2] or FLOAT

    @property
    def revision(self) -> str:
        """Empty: the working tree; raises UserError if @ is the last character."""
        _, mark, revision = self.text.partition("@")
        if mark and not revision:
            raise UserError(f"{self.text} names no revision after @: {self._row}@HEAD, for example")
        return revision

    @property
    def _row(self) -> str:
        return self.text.partition("@")[0]


def read_runs(
    tree: Tree, folder: PurePosixPath, name: Name, seeds: Collection[str] | None = None
) -> pd.DataFrame:
    """Clips of all folds and seeds of a model: utterance, speaker, actual, right.

    `right` is the share of runs in which the clip is recognised; `seeds` takes the runs of these
    alone.

    Raises
    ------
    UserError
        No such model or scheme, a damaged file, or a clip with two speakers or words.
    """
    clips = read_answers(tree, folder, name, seeds)
    clips["right"] = (clips["actual"] == clips["predicted"]).astype(float)
    found = clips.groupby("utterance", sort=True).agg(
        speaker=("speaker", "first"),
        actual=("actual", "first"),
        right=("right", "mean"),
        n_speakers=("speaker", "nunique"),
        n_words=("actual", "nunique"),
    )
    torn = found[(found["n_speakers"] > 1) | (found["n_words"] > 1)]
    if len(torn):
        raise UserError(
            f"{folder}: the runs of {name.text} differ in speaker or word of {torn.index[0]}: "
            "they are of different corpora; make them again with `make crossval`"
        )
    return found[["speaker", "actual", "right"]].reset_index()


def seeds_of(tree: Tree, folder: PurePosixPath, name: Name) -> set[str]:
    """Seeds of a model's runs."""
    runs = (_RUN.fullmatch(file) for file in tree.names(folder))
    return {run["seed"] for run in runs if run and run["model"] == name.model}


def read_answers(
    tree: Tree, folder: PurePosixPath, name: Name, seeds: Collection[str] | None = None
) -> pd.DataFrame:
    """What a model answered: utterance, speaker, actual, predicted; a row for each run and clip.

    `seeds` as for `read_runs`.

    Raises
    ------
    UserError
        No such model or scheme, or a damaged file.
    """
    runs = [match for file in tree.names(folder) if (match := _RUN.fullmatch(file))]
    if not runs:
        raise UserError(f"{folder} holds no predictions: make them with `make crossval`")
    own = [run for run in runs if run["model"] == name.model]
    if not own:
        _refuse_model(name.model, sorted({run["model"] for run in runs}), str(folder))
    chosen = [run for run in own if seeds is None or run["seed"] in seeds]
    tables = [_read_run(tree, folder / run.string, name) for run in chosen]
    return pd.concat(tables, ignore_index=True)


def _read_run(tree: Tree, path: PurePosixPath, name: Name) -> pd.DataFrame:
    table = _table(tree.read(path), path)
    missing = [column for column in _KEYS if column not in table]
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}: `make crossval`")
    if name.scheme not in table:
        schemes = [f"{name.model}.{c}" for c in table.columns if c not in (*_KEYS, FLOAT)]
        there = ", ".join([name.model, *schemes])
        raise UserError(f"{path} holds no predictions of {name.text}; it has {there}")
    return table[[*_KEYS, name.scheme]].rename(columns={name.scheme: "predicted"})


def pair(a: pd.DataFrame, b: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Clips of two models beside each other: utterance, speaker, a, b.

    Raises
    ------
    UserError
        The models were not tested on the same clips.
    """
    merged = a.merge(b, on="utterance", how="outer", suffixes=("_a", "_b"), indicator=True)
    alone = merged[merged["_merge"] != "both"]
    if len(alone):
        first = alone.iloc[0]
        which = names[0] if first["_merge"] == "left_only" else names[1]
        raise UserError(
            f"{names[0]} and {names[1]} were tested on different clips: {len(alone):,} only one "
            f"of them has, such as {first['utterance']} of {which}; give both the same folds and "
            "seeds"
        )
    other = merged[
        (merged["actual_a"] != merged["actual_b"]) | (merged["speaker_a"] != merged["speaker_b"])
    ]
    if len(other):
        raise UserError(
            f"{names[0]} and {names[1]} differ in speaker or word of "
            f"{other.iloc[0]['utterance']}: they are of different corpora"
        )
    columns = {"speaker_a": "speaker", "right_a": "a", "right_b": "b"}
    return merged.rename(columns=columns)[["utterance", "speaker", "a", "b"]]


def read_recorded(tree: Tree, name: Name) -> tuple[pd.DataFrame, dict[str, str]]:
    """Test clips of the recorded split: actual, predicted, in order; and which clips these are.

    Returns
    -------
    table
        One row a test clip.
    clips
        Hash of manifest and split under which the model was evaluated, from dvc.lock.

    Raises
    ------
    UserError
        No such model, or a file that is missing or damaged.
    """
    if name.scheme != FLOAT:
        raise UserError(
            f"predictions of {name.text} on the recorded test clips are not kept: {_instead(tree)}"
        )
    models = [file.removesuffix(".csv") for file in tree.names(CONFUSION) if file.endswith(".csv")]
    if name.model not in models:
        _refuse_model(name.model, models, str(CONFUSION))
    path = CONFUSION / f"{name.model}.csv"
    table = _table(tree.read(path), path)
    if not {"actual", "predicted"} <= set(table.columns):
        raise UserError(f"{path} lacks a column: make it again with `dvc repro`")
    return table, recorded_clips(tree, name.model)


def _instead(tree: Tree) -> str:
    """Where integer networks are compared; the studies are not of own words."""
    try:
        corpus = json.loads(tree.read(_CORPUS))
        own_words = is_own(corpus)
    except (UserError, ValueError, KeyError, TypeError):  # it is only a hint
        own_words = False
    if own_words:
        return "`spoken-digits report` has the figures of both"
    return "compare with --predictions studies/predictions/random or studies/predictions/speaker"


def recorded_clips(tree: Tree, model: str) -> dict[str, str]:
    """Hash of manifest and split under which a model was evaluated, from dvc.lock.

    Raises
    ------
    UserError
        dvc.lock does not say.
    """
    try:
        lock = fast_yaml.load(tree.read(LOCK))
        deps = lock["stages"][f"evaluate@{model}"]["deps"]
        hashes = {dep["path"]: dep["md5"] for dep in deps}
        return {path: hashes[path] for path in _CLIPS}
    except (KeyError, TypeError, yaml.YAMLError):
        raise UserError(
            f"{LOCK} does not say on which clips {model} was evaluated: "
            f"`dvc repro evaluate@{model}` records it"
        ) from None


def check_same_clips(
    a: tuple[pd.DataFrame, dict[str, str]],
    b: tuple[pd.DataFrame, dict[str, str]],
    names: Sequence[str],
) -> None:
    """Refuse recorded predictions on different test clips.

    The words alone would not tell: every stratified split has the same ones in the same order.

    Raises
    ------
    UserError
        Corpus, split or words differ.
    """
    again = "evaluate both on the same split with `dvc repro`"
    for path in _CLIPS:
        if a[1][path] != b[1][path]:
            raise UserError(
                f"{names[0]} and {names[1]} were tested on different clips: {path} differs; {again}"
            )
    same = len(a[0]) == len(b[0]) and (a[0]["actual"].to_numpy() == b[0]["actual"].to_numpy()).all()
    if not same:
        raise UserError(
            f"{names[0]} and {names[1]} were tested on different clips: the column `actual` of "
            f"{CONFUSION}/ differs; {again}"
        )


def _table(content: bytes, path: PurePosixPath) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError as error:
        fault = " ".join(str(error).split())
        raise UserError(f"{path} is damaged ({fault}): make it again") from None


def _refuse_model(model: str, known: Sequence[str], where: str) -> None:
    hint = did_you_mean(model, known)
    raise UserError(f"{where} has no model {model!r}; it has {', '.join(known)}{hint}")
