"""Stage `voices`: the archive of extra voices -> two stores that never share a folder.

Reads   extra-voices-1.tar.gz, wherever archives are looked for
Writes  data/voices/train/: voices to train on; data/voices/strangers/: voices to test on and
        for nothing else; each with audio.zip, manifest.csv and provenance.json as in data/raw/
Run     python stages/voices.py

No address offers the archive. Where it is not in reach, the stores stay as they are, or empty, and
the figures recorded from them stay as they are too. Part of studies/dvc.yaml.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.corpora import extra_voices
from spoken_digits.corpora.by_role import write_stores

ROOT = Path(__file__).resolve().parent.parent
STORES = {"train": Path("data/voices/train"), "strangers": Path("data/voices/strangers")}


def main() -> None:
    write_stores(extra_voices.open_extra_voices(ROOT), STORES, extra_voices.NOT_IN_REACH)


if __name__ == "__main__":
    errors.run(main, __doc__)
