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

from spoken_digits import corpora, errors
from spoken_digits.config import read_config
from spoken_digits.corpora.storing import write_corpus

ROOT = Path(__file__).resolve().parent.parent
RAW = Path("data/raw")


def main() -> None:
    arguments = parse_arguments()
    corpus_params = read_config(Path("params.yaml")).section("corpus", corpora.CorpusParams)
    if arguments.check:
        sys.exit(0 if corpora.reachable(corpus_params, ROOT) else 3)
    corpus = corpora.open_corpus(corpus_params, ROOT)
    table, fingerprint = write_corpus(corpus, RAW)
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


if __name__ == "__main__":
    errors.run(main)
