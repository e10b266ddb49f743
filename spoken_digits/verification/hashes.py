"""Hash every output and every cached object; DVC itself trusts sizes and times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from spoken_digits.verification.lock import Stage

FOLDER = ".dir"


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A file whose content differs from its record."""

    path: str
    problem: str
    remedy: str
    """A command, or instructions in words."""


def md5(path: Path) -> str:
    """DVC's hash of a file, or of a folder (which ends in ``.dir``)."""
    if not path.is_dir():
        digest = hashlib.md5()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    files = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
    listing = [{"md5": md5(path / file), "relpath": file.as_posix()} for file in files]
    listing.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listing).encode()).hexdigest() + FOLDER


def check_outputs(root: Path, stages: Iterable[Stage]) -> tuple[list[Mismatch], int, int]:
    """Compare the outputs in the workspace with dvc.lock.

    Returns
    -------
    mismatches
        Outputs that differ from their record.
    n_checked, n_missing
        Number of outputs read, and of those not present, as in a fresh clone.
    """
    outputs = [(stage.name, out) for stage in stages for out in stage.outputs]
    mismatches, n_missing = [], 0
    for stage, out in tqdm(outputs, desc="outputs", unit="file", disable=None):
        path = root / out.path
        if not path.exists():
            n_missing += 1
        elif md5(path) != out.md5:
            mismatches.append(
                Mismatch(
                    path=out.path,
                    problem=f"is not what stage {stage} recorded in dvc.lock",
                    remedy=f"rm -r {out.path} && dvc checkout {out.path}, or if that fails "
                    f"dvc repro --force --single-item {stage}",
                )
            )
    return mismatches, len(outputs) - n_missing, n_missing


def check_cache(cache: Path, stages: Iterable[Stage]) -> tuple[list[Mismatch], int]:
    """Compare every object of DVC's cache with its name, which is the hash of its content.

    Parameters
    ----------
    cache
        The folder that `dvc cache dir` prints.
    stages
        From dvc.lock; they name the owner of each object.

    Returns
    -------
    mismatches
        Damaged objects.
    n_checked
        Number of objects read.
    """
    owners = {out.md5: (stage.name, out.path) for stage in stages for out in stage.outputs}
    objects = list(_objects(cache))
    for name, path in objects:  # files in a recorded folder belong to its stage too
        if name in owners and name.endswith(FOLDER):
            owners |= dict.fromkeys(_listed(path), owners[name])
    mismatches = []
    for name, path in tqdm(objects, desc="cache", unit="file", disable=None):
        if md5(path) != name.removesuffix(FOLDER):
            stage, output = owners.get(name, ("", ""))
            again = f"rm -rf {path} {output} && dvc repro --force --single-item {stage}"
            mismatches.append(
                Mismatch(
                    path=str(path),
                    problem="is damaged: its content has another hash than its name"
                    + (f" ({output} of stage {stage})" if stage else " (not of the recorded run)"),
                    remedy=again if stage else f"rm -f {path}",
                )
            )
    return mismatches, len(objects)


def _objects(cache: Path) -> Iterator[tuple[str, Path]]:
    """(hash, file) of every object."""
    for path in sorted((cache / "files" / "md5").glob("??/*")):
        name = path.parent.name + path.name
        if len(name.removesuffix(FOLDER)) == 32 and path.is_file():
            yield name, path


def _listed(path: Path) -> list[str]:
    """Hashes of the files of a cached folder; empty if the listing is damaged."""
    try:
        return [entry["md5"] for entry in json.loads(path.read_bytes())]
    except (ValueError, TypeError, KeyError):
        return []
