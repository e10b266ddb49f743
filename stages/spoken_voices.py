"""Stage `spoken_voices`: synthesised voices that say the words of the corpus, to train on.

Reads   data/raw/provenance.json: the words; params.yaml: spoken_voices, features.sample_rate;
        kokoro-js-1.2.1.tgz, wherever archives are looked for, or by npm
Writes  data/voices/spoken/: audio.zip, manifest.csv and provenance.json as in data/raw/
Run     python stages/spoken_voices.py

Where the archive is not in reach, the store stays as it is, or empty, and the figures recorded
from it stay as they are too. Part of studies/dvc.yaml.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.corpora.by_role import write_stores
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.corpora.spoken_voices import SHORTEST_S, open_spoken_voices
from spoken_digits.data.manifest import read_manifest
from spoken_digits.io import files
from spoken_digits.synthesis import kokoro

ROOT = Path(__file__).resolve().parent.parent
PROVENANCE = Path("data/raw/provenance.json")
STORES = {"train": Path("data/voices/spoken")}
PARAMS = Path("params.yaml")


def main() -> None:
    config = read_config(PARAMS)
    params = config.section("spoken_voices", SpokenVoicesParams)
    styles = kokoro.read_styles(ROOT)
    if styles is None:
        write_stores(None, STORES, kokoro.NOT_IN_REACH)
        return
    corpus = open_spoken_voices(
        kokoro.Synthesiser(),
        styles,
        files.read_json(PROVENANCE, "dvc repro download")["labels"],
        config.value("features.sample_rate", int),
        params,
    )
    write_stores({"train": corpus}, STORES, kokoro.NOT_IN_REACH)
    n_made = len(read_manifest(STORES["train"] / "manifest.csv"))
    if short := corpus.n_clips - n_made:
        print(f"left out: {short} of {corpus.n_clips} words, shorter than {SHORTEST_S} s")


if __name__ == "__main__":
    errors.run(main, __doc__)
