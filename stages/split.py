"""Stage `split`: assign every utterance to a subset; check for leaks and count.

Reads   data/raw/manifest.csv, data/raw/provenance.json, params.yaml: seed, split
Writes  data/split.csv
        metrics/corpus.json: what was split and how, for the pages that `report` makes
Run     python stages/split.py
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data import balance, splits
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import SUBSETS, write_split
from spoken_digits.io import files

RAW = Path("data/raw")
SPLIT = Path("data/split.csv")
CORPUS = Path("metrics/corpus.json")


def main() -> None:
    config = read_config(Path("params.yaml"))
    seed = config.value("seed", int)
    manifest = read_manifest(RAW / "manifest.csv")
    provenance = files.read_json(RAW / "provenance.json", "dvc repro download")
    params = splits.read_params(config, provenance["corpus"])
    subsets = splits.assign(
        manifest,
        params,
        seed,
        speaker_folds=provenance["speaker_folds"],
        official_test_takes=provenance["official_test_takes"],
    )
    write_split(SPLIT, manifest, subsets)
    files.write_json(CORPUS, summary(manifest, subsets, provenance, params))
    counts = balance.count(manifest, subsets)
    print(balance.table(counts))
    for warning in balance.warnings(counts, params, splits.OFFICIAL in manifest):
        print(f"warning: {warning}", file=sys.stderr)


def summary(
    manifest: pd.DataFrame,
    subsets: pd.Series,
    provenance: dict[str, Any],
    params: splits.SplitParams,
) -> dict[str, Any]:
    """The corpus and its split in figures."""
    heard = {name: set(manifest["speaker"][subsets == name]) for name in ("train", "test")}
    return {
        **{key: provenance[key] for key in ("corpus", "title", "version", "synthetic", "licence")},
        "n_clips": len(manifest),
        "n_speakers": manifest["speaker"].nunique(),
        "n_words": manifest["label"].nunique(),
        "split": {
            "scheme": params.scheme,
            "fold": params.fold,
            **{name: int((subsets == name).sum()) for name in SUBSETS},
            "test_speakers": len(heard["test"]),
            "test_speakers_in_train": len(heard["test"] & heard["train"]),
        },
    }


if __name__ == "__main__":
    errors.run(main, __doc__)
