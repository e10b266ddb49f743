"""A corpus -> audio.zip, manifest.csv and provenance.json, as every later stage reads them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.repeats import Repeats
from spoken_digits.data import ingest, manifest
from spoken_digits.data import provenance as provenance_file
from spoken_digits.data.clips import write_archive
from spoken_digits.errors import UserError
from spoken_digits.io import files


def write_corpus(corpus: Corpus, folder: Path) -> tuple[pd.DataFrame, str]:
    """Write the three files of a corpus into `folder`.

    Returns
    -------
    table, fingerprint
        The manifest, one row a clip; the digest of names and contents of all clips.

    Raises
    ------
    UserError
        A clip cannot be used, there are none, one file stands under two words, or the recordings
        are not those of the published corpus.
    """
    with files.replacing(folder / "audio.zip") as archive:
        table = store(corpus, archive)
        fingerprint = verify(corpus, table)
    manifest.write_manifest(folder / "manifest.csv", table)
    files.write_json(folder / "provenance.json", provenance(corpus, table, fingerprint))
    return table, fingerprint


def store(corpus: Corpus, archive: Path) -> pd.DataFrame:
    """Write every clip to `archive`; return the manifest, one row a clip.

    Raises
    ------
    UserError
        A clip cannot be used, there are none, or one file stands under two words.
    """
    bar = tqdm(corpus.clips, total=corpus.n_clips, desc=corpus.name, unit="clip", disable=None)
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
    """What provenance.json holds."""
    role = {} if corpus.role is None else {"role": corpus.role}
    return {
        "corpus": corpus.name,
        "title": corpus.title,
        "version": corpus.version,
        **role,
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
