"""Stage `other_speech`: speech that is none of the words -> two stores that never share a folder.

Reads   other-speech-1.tar.gz, wherever archives are looked for
Writes  data/other_speech/train/: words to train on; data/other_speech/test/: words and phrases to
        test on and for nothing else; each with audio.zip, manifest.csv and provenance.json as in
        data/raw/, and a column `kind` (word, phrase) in the manifest
Run     python stages/other_speech.py

No address offers the archive. Where it is not in reach, the stores stay as they are, or empty.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.corpora import other_speech
from spoken_digits.corpora.by_role import write_stores

ROOT = Path(__file__).resolve().parent.parent
STORES = {"train": Path("data/other_speech/train"), "test": Path("data/other_speech/test")}


def main() -> None:
    write_stores(other_speech.open_other_speech(ROOT), STORES, other_speech.NOT_IN_REACH)


if __name__ == "__main__":
    errors.run(main, __doc__)
