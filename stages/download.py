"""Stage `download`: a corpus -> one archive of clips and its manifest.

Reads   params.yaml: corpus; an archive or a folder of recordings
Writes  data/raw/audio.zip, data/raw/manifest.csv, data/raw/provenance.json
Run     python stages/download.py [--check]
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from spoken_digits import corpora, errors
from spoken_digits.config import read_config
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.repeats import Repeats
from spoken_digits.data import ingest, manifest
from spoken_digits.data import provenance as provenance_file
from spoken_digits.data.clips import write_archive
from spoken_digits.errors import UserError
from spoken_digits.io import files

ROOT = Path(__file__).resolve().parent.parent
RAW = Path("data/raw")


def main() -> None:
    corpus_params = read_config(Path("params.yaml")).section("corpus", corpora.CorpusParams)
    if parse_arguments().check:
        sys.exit(0 if corpora.reachable(corpus_params, ROOT) else 3)
    corpus = corpora.open_corpus(corpus_params, ROOT)
    with files.replacing(RAW / "audio.zip") as archive:
        table = store(corpus, archive)
        fingerprint = verify(corpus, table)
    manifest.write_manifest(RAW / "manifest.csv", table)
    files.write_json(RAW / "provenance.json", provenance(corpus, table, fingerprint))
    for note in corpus.notes:
        print(f"{corpus.name}: {note}")
    print(
        f"{corpus.name}: {len(table)} clips, {table['label'].nunique()} words, "
        f"{table['speaker'].nunique()} speakers, fingerprint {fingerprint[:12]}"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check",
        action="store_true",
        help="only report, by exit status 0 or 3, whether the corpus is within reach",
    )
    return parser.parse_args()


def store(corpus: Corpus, archive: Path) -> pd.DataFrame:
    """Write every clip to `archive`; return the manifest, one row a clip.

    Raises
    ------
    UserError
        A clip cannot be used, there are none, or one file stands under two words.
    """
    bar = tqdm(corpus.clips, total=corpus.n_clips, desc="download", unit="clip", disable=None)
    rows = []
    repeats = Repeats()
    for clip in write_archive(archive, bar):
        row = ingest.row(clip, corpus.audio_format)
        repeats.add(str(row["sha256"]), clip.label, clip.path)
        about = {"fault": clip.fault, "official_subset": clip.official_subset}
        rows.append({**row, **about, **corpus.speakers.get(clip.speaker, {})})
    repeats.check()
    if not rows:
        raise UserError(f"corpus {corpus.name} holds no clips: check corpus.limit and corpus.path")
    table = pd.DataFrame(rows)
    empty = [column for column in ("fault", "official_subset") if not table[column].any()]
    return table.drop(columns=empty)


def verify(corpus: Corpus, table: pd.DataFrame) -> str:
    """The content fingerprint; raises `UserError` if a known one differs."""
    fingerprint = provenance_file.fingerprint(table)
    if corpus.fingerprint is not None and fingerprint != corpus.fingerprint:
        raise UserError(
            f"the recordings are not those of {corpus.name} {corpus.version}: fingerprint "
            f"{fingerprint[:12]}..., expected {corpus.fingerprint[:12]}...; fetch the official "
            "archive again, or use corpus.name=folder for recordings of your own"
        )
    return fingerprint


def provenance(corpus: Corpus, table: pd.DataFrame, fingerprint: str) -> dict[str, object]:
    return {
        "corpus": corpus.name,
        "title": corpus.title,
        "version": corpus.version,
        "source": corpus.source,
        "licence": corpus.licence,
        "synthetic": corpus.synthetic,
        "fingerprint": fingerprint,
        "fingerprint_verified": corpus.fingerprint is not None,
        "n_clips": len(table),
        "labels": manifest.labels(table),
        "speaker_folds": corpus.speaker_folds and [list(fold) for fold in corpus.speaker_folds],
        "official_test_takes": corpus.official_test_takes and list(corpus.official_test_takes),
        "notes": list(corpus.notes),
    }


if __name__ == "__main__":
    errors.run(main)
