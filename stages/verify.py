"""Verify that all outputs here are the recorded ones, and that they can be made again.

Reads   dvc.lock, every output and cached object, metrics/, docs/record.json
Writes  nothing; with --write-record docs/record.json
Run     python stages/verify.py [--files] [--reproduce [--quick | --stages NAME...]]

Not part of `dvc repro`. By default both parts run: the files are hashed, then the whole pipeline
runs in a temporary clone with an empty cache. The exit status is 0 if no file is damaged and no
stage gives a different result. Recorded stages that dvc.yaml no longer defines are named and left
out.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import subprocess
import sys
from pathlib import Path

from spoken_digits import arithmetic, errors
from spoken_digits.errors import UserError
from spoken_digits.io import files
from spoken_digits.verification import hashes, lock, record, reproduction

ROOT = Path()
LOCK = Path("dvc.lock")


def main() -> None:
    arguments = parse_arguments()
    stages = lock.read_lock(LOCK)
    if arguments.write_record:
        files.write_json(record.RECORD, record.describe(LOCK))
        return
    recorded = files.read_json(record.RECORD, "make record") if record.RECORD.exists() else {}
    print("\n".join(record.compare(recorded, LOCK)))
    defined = lock.defined(ROOT)
    ok = all_are_recorded(stages, defined)
    stages = without_obsolete(stages, defined)
    some = arguments.reproduce or arguments.quick or arguments.stages
    if arguments.files or not some:
        ok = check_files(stages) and ok
    if some or not arguments.files:
        names = arguments.stages or list(stages)
        if arguments.quick:
            names = [reproduction.smallest(ROOT, stages)]
        ok = reproduce(stages, lock.with_upstream(stages, names)) and ok
    sys.exit(0 if ok else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", action="store_true", help="only hash outputs and cache")
    parser.add_argument("--reproduce", action="store_true", help="only run the pipeline again")
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--stages", nargs="+", metavar="NAME", help="only these and what they depend on"
    )
    part.add_argument("--quick", action="store_true", help="run only the smallest model")
    parser.add_argument(
        "--write-record",
        action="store_true",
        help="write docs/record.json of this machine, after `dvc repro` here",
    )
    return parser.parse_args()


def all_are_recorded(stages: dict[str, lock.Stage], defined: set[str]) -> bool:
    """Print the stages that were never recorded; return whether there are none."""
    missing = sorted(defined - set(stages))
    for name in missing:
        print(f"dvc.yaml defines {name}, which {LOCK} does not record: `dvc repro {name}`")
    return not missing


def without_obsolete(stages: dict[str, lock.Stage], defined: set[str]) -> dict[str, lock.Stage]:
    """Print the recorded stages that dvc.yaml no longer defines; return the others."""
    # From the bottom up: deleting one entry leaves the line numbers of the next in place.
    for name in [name for name in reversed(stages) if name not in defined]:
        first, last = stages[name].lines
        print(
            f"{LOCK} records {name}, a stage that is no more: "
            f"delete its entry, lines {first} to {last} of {LOCK}"
        )
    return {name: stage for name, stage in stages.items() if name in defined}


def check_files(stages: dict[str, lock.Stage]) -> bool:
    """Print what is damaged; return whether nothing is."""
    mismatches, n_outputs, n_missing = hashes.check_outputs(ROOT, stages.values())
    damaged, n_objects = hashes.check_cache(cache_folder(), stages.values())
    for one in mismatches + damaged:
        print(f"{one.path} {one.problem}: {one.remedy}")
    missing = f", {n_missing} outputs not here (`dvc repro` makes them)" if n_missing else ""
    print(
        f"{n_outputs} outputs and {n_objects} cached objects hashed, "
        f"{len(mismatches + damaged)} damaged{missing}"
    )
    return not mismatches + damaged


def cache_folder() -> Path:
    printed = subprocess.run(["dvc", "cache", "dir"], capture_output=True, text=True, check=False)
    if printed.returncode:
        raise UserError(f"`dvc cache dir` failed: {printed.stderr.strip()}")
    return Path(printed.stdout.strip())


def reproduce(stages: dict[str, lock.Stage], names: list[str]) -> bool:
    """Run stages in a clone and print the table; return whether none is different."""
    obstacle = arithmetic.why_not_portable()
    if obstacle is not None:
        print(f"{obstacle}: identical results are not to be expected")
    if reproduction.is_dirty(ROOT):
        print("uncommitted changes are left out: the clone is of the last commit")
    with reproduction.clone(ROOT.resolve()) as folder:
        reproduction.run(folder, names)
        rows = reproduction.compare(stages, folder, ROOT, names)
    print(reproduction.table(rows))
    counts = {v: sum(row.verdict == v for row in rows) for v in ("identical", "within tolerance")}
    n_different = len(rows) - sum(counts.values())
    print(
        f"{len(rows)} stages: {counts['identical']} identical, "
        f"{counts['within tolerance']} within tolerance, {n_different} different"
    )
    return n_different == 0


if __name__ == "__main__":
    errors.run(main)
