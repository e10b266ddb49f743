"""Words that nobody recorded, tested on people: what `spoken-digits run --say` is good for.

Reads   the committed checkout, other-speech-1 (docs/corpora.md), Kokoro's styles (npm fetches them)
Writes  benchmarks/said.json: accuracy of `tiny` and `micro` on recordings of people by seed,
        speaker and word, and on synthesised voices
Run     python benchmarks/said.py --folder ../said

In a clone at --folder, by the commands that anyone would type there: `spoken-digits run --say`
makes the clips and trains, `spoken-digits predict` hears the people. They say the ten commands of
Speech Commands, and are the strangers of docs/voices.md: no model was ever trained on them. If
killed, run the same command to resume. It takes an hour on two cores.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd
from clones import ROOT, Clone
from measuring import machine

from spoken_digits import errors
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.manifest import read_manifest
from spoken_digits.errors import UserError
from spoken_digits.evaluation.metrics import cluster_interval
from spoken_digits.io import files

MADE_BY = "benchmarks/said.py"
RESULTS = ROOT / "benchmarks/said.json"
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
MODELS = ("tiny", "micro")
SCHEME = "int8"
SEEDS = (42, 43, 44)
PEOPLE = "people"
STYLES = "kokoro-js-1.2.1.tgz"


def write_people(store: Path, folder: Path, words: Sequence[str]) -> pd.DataFrame:
    """Write the recordings of these words as files of their own.

    Returns
    -------
    pandas.DataFrame
        Columns `file` (in `folder`), `label` and `speaker`, a row each.

    Raises
    ------
    UserError
        A word has no recording.
    """
    table = read_manifest(store / "manifest.csv")
    table = table[(table["kind"] == "word") & table["label"].isin(list(words))]
    if missing := sorted(set(words) - set(table["label"])):
        raise UserError(
            f"{store} has no recording of {', '.join(missing)}: bring other-speech-1.tar.gz into "
            "reach (docs/corpora.md)"
        )
    archive = ClipArchive(store / "audio.zip")
    folder.mkdir(parents=True, exist_ok=True)
    for path, digest in zip(table["path"], table["sha256"], strict=True):
        (folder / path).write_bytes(archive.read(path, digest))
    return table[["path", "label", "speaker"]].rename(columns={"path": "file"})


def right_of(answers: str, people: pd.DataFrame) -> pd.Series[bool]:
    """Which recordings were understood, by the table that `predict --format csv` prints.

    Parameters
    ----------
    answers
        Columns `file` and `word` among others.

    Raises
    ------
    ValueError
        A recording has no answer.
    """
    said = {Path(row["file"]).name: row["word"] for row in csv.DictReader(io.StringIO(answers))}
    if missing := sorted(set(people["file"]) - set(said)):
        raise ValueError(f"`predict` gave no answer for {', '.join(missing[:5])}")
    return people["file"].map(said).eq(people["label"])


def figures(right: pd.DataFrame, people: pd.DataFrame) -> dict[str, Any]:
    """Accuracy and whom it is of.

    Parameters
    ----------
    right
        (n_recordings, n_seeds) whether each was understood.
    """
    by_seed = [float(share) for share in right.mean()]
    share = right.mean(axis=1)  # over seeds
    by_speaker = share.groupby(people["speaker"])
    low, high = cluster_interval(
        by_speaker.sum().to_numpy(np.float64), by_speaker.count().to_numpy(np.int64)
    )
    return {
        "accuracy": round(fmean(by_seed), 6),
        "std": round(stdev(by_seed), 6) if len(by_seed) > 1 else None,
        "accuracy_ci_low": round(low, 6),
        "accuracy_ci_high": round(high, 6),
        "by_seed": [round(value, 6) for value in by_seed],
        "per_word": _rounded(share.groupby(people["label"]).mean()),
        "per_speaker": _rounded(by_speaker.mean()),
    }


def _rounded(shares: pd.Series[float]) -> dict[str, float]:
    return {str(name): round(float(value), 6) for name, value in shares.items()}


def train(clone: Clone, seed: int) -> None:
    """Make the recognisers of `WORDS` as a user would, with this seed."""
    from dvc.utils.serialize import modify_yaml

    clone.params_as_committed()
    with modify_yaml(str(clone.folder / "params.yaml")) as content:
        content["seed"] = seed
    models = [part for model in MODELS for part in ("--model", model)]
    clone.run("spoken-digits", "run", "--say", *WORDS, *models)


def main() -> None:
    arguments = parse_arguments()
    clone = Clone(arguments.folder)
    clone.bring(STYLES)
    clone.run("dvc", "repro", "other_speech")
    folder = clone.folder / PEOPLE
    people = write_people(clone.folder / "data/other_speech/test", folder, WORDS)
    names = [name for model in MODELS for name in (model, f"{model}.{SCHEME}")]
    right: dict[str, dict[int, Any]] = {name: {} for name in names}
    synthesised: dict[str, list[float]] = {name: [] for name in names}
    for seed in SEEDS:
        train(clone, seed)
        for name in names:
            answers = clone.answer("spoken-digits", "predict", name, PEOPLE, "--format", "csv")
            right[name][seed] = right_of(answers, people)
            metrics = clone.read(f"metrics/{name}.json", MADE_BY)
            synthesised[name].append(metrics["accuracy"])
            print(
                f"seed {seed} {name:<12} people {100 * right[name][seed].mean():6.2f} %, "
                f"synthesised voices {100 * metrics['accuracy']:6.2f} %",
                flush=True,
            )
    provenance = clone.read("data/raw/provenance.json", MADE_BY)
    content = {
        "machine": machine(),
        "words": list(WORDS),
        "trained_on": provenance["version"],
        "n_synthesised_clips": provenance["n_clips"],
        "n_clips": len(people),
        "n_speakers": int(people["speaker"].nunique()),
        "seeds": list(SEEDS),
        "models": {
            name: {
                **figures(pd.DataFrame(right[name]), people),
                "synthesised_voices": round(fmean(synthesised[name]), 6),
            }
            for name in names
        },
    }
    files.write_json(arguments.results, content)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, required=True, help="where to work; a clone is made there"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
