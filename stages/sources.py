"""Stage `sources`: a digest of the code that each stage runs.

Reads   spoken_digits/, stages/
Writes  data/sources/stages/<script>.json, data/sources/spoken_digits/<module>.json: digest of
        every file that a script, or a module that is loaded by its name, runs
Run     python stages/sources.py

DVC does not see imports. A stage depends on the files written here instead of on source files:
it runs again if code that it runs has changed, and not if a comment has.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.io import stage_sources


def main() -> None:
    stage_sources.write(Path.cwd())
    written = list(stage_sources.DIGESTS.rglob("*.json"))
    print(f"{stage_sources.DIGESTS}: the code of {len(written)} scripts and modules")


if __name__ == "__main__":
    errors.run(main, __doc__)
