"""Stage `rejects`: clips that are none of the words, for each subset out of its own clips alone.

Reads   data/raw/, data/split.csv, data/other_speech/train/, params.yaml: seed,
        corpus.rejection, features.sample_rate; of own recordings, the folder _noise_ in corpus.path
Writes  data/rejects/train/, data/rejects/val/, data/rejects/test/: each with audio.zip,
        manifest.csv and provenance.json as in data/raw/; column `repeat` is how often an epoch a
        clip is heard
Run     python stages/rejects.py

Real other words go to train and val, by their speakers; what real other speech is tested on lies in
data/other_speech/test/, which this stage does not read. Without data/other_speech/train/ there are
no real words, and it says so.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import SUBSETS, read_split
from spoken_digits.rejection.storing import Source, write_rejects

DATA = Path("data")
RAW = DATA / "raw"
REAL = DATA / "other_speech" / "train"
STORES = DATA / "rejects"


def main() -> None:
    config = read_config(Path("params.yaml"))
    source = Source(
        raw=RAW,
        real=REAL,
        params=config.section("corpus", CorpusParams),
        sample_rate=config.value("features.sample_rate", int),
        seed=config.value("seed", int),
    )
    rows = read_split(DATA / "split.csv", read_manifest(RAW / "manifest.csv"))
    for subset in SUBSETS:
        table = write_rejects(STORES / subset, subset, rows[subset].tolist(), source)
        counts = table.groupby("label").size()  # sorted by label
        print(f"{STORES / subset}: {', '.join(f'{n} {label}' for label, n in counts.items())}")


if __name__ == "__main__":
    errors.run(main, __doc__)
