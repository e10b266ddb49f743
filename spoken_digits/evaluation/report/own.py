"""One page on the corpus of the last run: for whom it works, for whom not, by which words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.evaluation.report import corpora
from spoken_digits.evaluation.report.collecting import Figures, Results, collect, without_studies
from spoken_digits.evaluation.report.markdown import code, interval, percent, size, table, values
from spoken_digits.evaluation.report.stored_card import stored_card
from spoken_digits.evaluation.report.tables import study_name
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io.files import read_json, sha256

_MOST_CONFUSIONS = 10
_MOST_SPEAKERS = 8


def page(models: Sequence[str], root: Path) -> str:
    """Markdown.

    Parameters
    ----------
    models
        Names of the models to tell of, as far as they were run on this corpus.
    root
        Folder of metrics/ and plots/.

    Raises
    ------
    UserError
        Nothing was run on this corpus.
    """
    results = own_results(models, root)
    parts = [
        f"# {corpora.title(results.corpus)}",
        verdict(results),
        _models_table(results),
        *_speakers(results),
        *_words(results, root),
        corpora.describe(results.corpus),
    ]
    return "\n\n".join(parts) + "\n"


def own_results(models: Sequence[str], root: Path) -> Results:
    """The recorded figures of the corpus of the last run alone.

    `crossval` holds what `stages/expect.py` left out speakers for or, of a model without, what the
    studies did. Figures of other recordings are left out: all folders of own words have one name.
    """
    everything = collect(models, root / "metrics", root / "plots", root / "none")
    name = corpus_name(everything.corpus)
    rows = [
        row for row in everything.rows if row["corpus"] == name and not _is_of_others(row, root)
    ]
    if not rows:
        raise UserError(
            f"no figures of {', '.join(models)} on {name}: "
            f"make them with `spoken-digits run --model {models[0]}`"
        )
    names = {study_name(row) for row in rows}
    expected: Figures = {
        row: study
        for row, study in everything.crossval.items()
        if row in names and study["corpus"] == name
    }
    for model in dict.fromkeys(row["model"] for row in rows):
        path = root / "metrics" / "expected" / f"{model}.json"
        found = read_json(path, f"python stages/expect.py {model}") if path.exists() else {}
        expected |= {row: study for row, study in found.items() if _is_of(study, name, root)}
    return dataclasses.replace(
        without_studies(everything),
        rows=rows,
        crossval=expected,
        costs=[
            cost
            for cost in everything.costs
            if study_name(cost) in names and _is_of_this_network(cost, root)
        ],
        robustness=[
            tested
            for tested in everything.robustness
            if tested["model"] in names and tested["corpus"] == name
        ],
        detectors={
            row: found
            for row, found in everything.detectors.items()
            if row in names and found["corpus"] == name
        },
    )


def _is_of_others(row: Figures, root: Path) -> bool:
    """Whether the model in models/ was trained on other recordings than those in data/raw/."""
    recordings = _fingerprint(root)
    card = stored_card(root / "models" / f"{row['model']}.safetensors")
    if recordings is None or card is None:
        return False
    return bool(card["corpus"]["fingerprint"] != recordings)


def _is_of_this_network(cost: Figures, root: Path) -> bool:
    """Whether a network was measured on a board as it is in models/, as far as it is there."""
    path = root / "models" / f"{study_name(cost)}.safetensors"
    return not path.exists() or cost.get("model_sha256") == sha256(path.read_bytes())


def _fingerprint(root: Path) -> str | None:
    """That of the recordings; None where they are not in reach."""
    path = root / "data" / "raw" / "provenance.json"
    return read_json(path, "dvc repro download").get("fingerprint") if path.exists() else None


def _is_of(study: Figures, corpus: str, root: Path) -> bool:
    """Whether a study is of these recordings, as far as they are in reach."""
    if study["corpus"] != corpus:
        return False
    recordings = _fingerprint(root)
    return recordings is None or bool(study.get("fingerprint") == recordings)


def verdict(results: Results) -> str:
    """One paragraph: for whom it works."""
    studies = results.crossval
    if results.corpus["synthetic"]:
        return (
            "**How well it does on people is not known**: every voice, in training and in testing, "
            "is synthesised. Try it yourself, or train on recordings: docs/own-words.md."
        )
    if not studies:
        return (
            "**How well it does on other voices is not known**: no speaker was left out of "
            "training. The accuracy below is on other recordings of the same people."
        )
    of_floats = {name: study for name, study in studies.items() if "." not in name}
    name, best = max(of_floats.items(), key=lambda item: item[1]["mean"])
    n = len(best["per_speaker"])
    few = " With so few speakers this is a hint, not a promise." if n < 6 else ""
    return (
        f"**Expect {code(name)} to recognise {percent(best['mean'])} of the words of a voice that "
        f"it has not heard**, {percent(best['worst'])} of {best['worst_speaker']}'s, the worst of "
        f"{n}: each was left out of training and then tested.{few}"
    )


def plain(markdown: str) -> str:
    """A paragraph for a terminal."""
    return markdown.replace("**", "").replace("`", "")


def _models_table(results: Results) -> str:
    same = "synthetic voices" if results.corpus["synthetic"] else "the same people"
    columns = ["model", ">size", ">voices never heard", ">worst voice", f">{same}"]
    columns += [">95 % interval"]
    rows = []
    for row in results.rows:
        unseen = results.crossval.get(study_name(row))
        rows.append(
            [
                code(study_name(row)),
                size(row["size_kib"]),
                percent(unseen["mean"]) if unseen else "",
                f"{percent(unseen['worst'])} ({unseen['worst_speaker']})" if unseen else "",
                percent(row["accuracy"]),
                interval(row),
            ]
        )
    return table(columns, rows)


def _speakers(results: Results) -> list[str]:
    studies = results.crossval
    names = list(dict.fromkeys(s for study in studies.values() for s in study["per_speaker"]))
    if not names or len(names) > _MOST_SPEAKERS:
        return []
    rows = [
        [code(name), *("".join(values([study["per_speaker"][s]["mean"]])) for s in names)]
        for name, study in studies.items()
    ]
    return [
        "## By speaker, left out of training",
        table(["model", *(f">{name}" for name in names)], rows),
    ]


def _words(results: Results, root: Path) -> list[str]:
    """Words and confusions of the first model, on test clips or, better, on speakers left out."""
    model = results.rows[0]["model"]
    path = root / "plots" / "expected" / f"{model}.csv"
    if model in results.crossval and path.exists():
        said, where = _read(path).rename(columns={"float32": "predicted"}), "speakers left out"
    else:
        path = root / "plots" / "confusion" / f"{model}.csv"
        if not path.exists():
            return []
        said, where = _read(path), "test recordings"
    right = (said["actual"] == said["predicted"]).groupby(said["actual"]).agg(["mean", "size"])
    right = right.sort_values("mean", kind="stable")
    rows = [[word, percent(one["mean"]), int(one["size"])] for word, one in right.iterrows()]
    parts = [f"## By word, {code(model)} on {where}", table(["word", ">right", ">of"], rows)]
    wrong = said[said["actual"] != said["predicted"]]
    counts = wrong.value_counts(["actual", "predicted"]).head(_MOST_CONFUSIONS).reset_index()
    if len(counts):
        rows = counts.to_numpy().tolist()
        parts += ["Most frequent mistakes:", table(["said", "heard as", ">times"], rows)]
    picture = f"plots/mistakes/{model}.png"
    return [*parts, *([f"![worst mistakes]({picture})"] if (root / picture).exists() else [])]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
