"""Run the pipeline again in a clone with an empty cache, and compare stage by stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from spoken_digits.errors import UserError
from spoken_digits.verification.lock import Stage, meet, read_lock

Verdict = Literal["identical", "within tolerance", "different"]
METRIC = "accuracy"
SEEDS = "metrics/seeds.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A metric as recorded and as measured here."""

    recorded: float
    here: float
    low: float
    """Lowest value that counts as the same result."""
    high: float
    """Largest one."""
    source: str
    """Source of the bounds."""

    @property
    def within(self) -> bool:
        """Whether the value measured here is within the bounds."""
        return self.low <= self.here <= self.high


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table: one stage."""

    stage: str
    verdict: Verdict
    why: str = ""
    """What differs."""
    figure: Figure | None = None
    """The model's accuracy, if it has one and outputs differ."""


@contextmanager
def clone(root: Path) -> Iterator[Path]:
    """A clone of the checkout's last commit with an empty cache, removed at the end.

    It lies inside the checkout, so that corpora are found as from the checkout.
    """
    above = root / ".dvc" / "tmp"
    above.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="verify-", dir=above) as folder:
        target = Path(folder) / "clone"
        _call(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(target)], root)
        yield target


def is_dirty(root: Path) -> bool:
    """Whether tracked files have uncommitted changes, which the clone does not see."""
    return bool(_call(["git", "status", "--porcelain", "--untracked-files=no"], root).strip())


def run(folder: Path, names: Sequence[str]) -> bool:
    """Force every stage to run; return whether all succeeded.

    Parameters
    ----------
    folder
        From `clone`.
    names
        The stages and all their dependencies.
    """
    # The environment has the checkout installed: the clone's code must come first.
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    # The recorded result of a stage that fails must not count as its result here.
    (folder / "dvc.lock").unlink()
    command = ["dvc", "repro", "--force", "--keep-going", *names]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode == 0


def compare(
    recorded: Mapping[str, Stage], folder: Path, root: Path, names: Sequence[str]
) -> list[Row]:
    """One row for each stage in `names`: recorded in `root`, made again in `folder`."""
    lock = folder / "dvc.lock"
    made = read_lock(lock) if lock.exists() else {}
    judge = _Judge(recorded, made, folder, root)
    return [judge.row(name) for name in names]


class _Judge:
    """Compares stages as recorded with those made again.

    Parameters
    ----------
    recorded, made
        By name; of those made again, the ones that succeeded.
    folder, root
        Where they were made again, and recorded.
    """

    def __init__(
        self, recorded: Mapping[str, Stage], made: Mapping[str, Stage], folder: Path, root: Path
    ) -> None:
        self._recorded, self._made = recorded, made
        self._folder, self._root = folder, root
        self._seeds = _read(root / SEEDS)
        self._rows: dict[str, Row] = {}

    def row(self, name: str) -> Row:
        """The row of a stage."""
        if name not in self._rows:
            self._rows[name] = self._row(self._recorded[name])
        return self._rows[name]

    def _row(self, stage: Stage) -> Row:
        if stage.name not in self._made:
            return Row(stage=stage.name, verdict="different", why="failed, or was not run")
        differing = self._differing(stage)
        if not differing:
            return Row(stage=stage.name, verdict="identical")
        why, figure = ", ".join(differing), self._figure(stage)
        if figure is not None:
            within = figure.within
        else:
            causes = self._causes(stage)
            within = bool(causes) and all(
                self.row(cause).verdict == "within tolerance" for cause in causes
            )
            why += f" (made of what {', '.join(causes)} made)" if within else ""
        verdict: Verdict = "within tolerance" if within else "different"
        return Row(stage=stage.name, verdict=verdict, why=why, figure=figure)

    def _differing(self, stage: Stage) -> list[str]:
        """Outputs that are not as recorded."""
        here = {out.path: out.md5 for out in self._made[stage.name].outputs}
        return [out.path for out in stage.outputs if here.get(out.path) != out.md5]

    def _causes(self, stage: Stage) -> list[str]:
        """Stages made again whose outputs it depends on and that differ."""
        return [
            other.name
            for other in self._recorded.values()
            if other.name in self._made
            and any(
                meet(path, dependency)
                for path in self._differing(other)
                for dependency in stage.dependencies
            )
        ]

    def _figure(self, stage: Stage) -> Figure | None:
        """The accuracy of the model that a stage makes or measures, as measured here.

        None of what else is made of a model: its accuracy says nothing about that.
        """
        measured = self._measured_of(stage)
        for out in stage.outputs:
            key = PurePosixPath(out.path).name
            for suffix in (".json", ".csv", ".safetensors", ".png"):
                key = key.removesuffix(suffix)
            path = f"metrics/{key}.json"
            if path not in measured:
                continue
            recorded, here = (_read(top / path) for top in (self._root, self._folder))
            if METRIC in recorded and METRIC in here:
                low, high, source = _bounds(key, recorded, self._seeds)
                return Figure(
                    recorded=recorded[METRIC], here=here[METRIC], low=low, high=high, source=source
                )
        return None

    def _measured_of(self, stage: Stage) -> set[str]:
        """Outputs of the stage and of those made again that read what it makes."""
        own = {out.path for out in stage.outputs}
        readers = [made for made in self._made.values() if own.intersection(made.dependencies)]
        return own | {out.path for reader in readers for out in reader.outputs}


def _bounds(
    key: str, recorded: Mapping[str, Any], seeds: Mapping[str, Any]
) -> tuple[float, float, str]:
    """The spread of five seeds, the recorded value included; without seeds the 95 % interval."""
    values = seeds.get(key, {}).get("values")
    if values:
        values = [*values, recorded[METRIC]]
        return min(values), max(values), f"{len(values) - 1} seeds"
    low, high = (recorded.get(f"{METRIC}_ci_{end}", recorded[METRIC]) for end in ("low", "high"))
    return low, high, "95 % interval"


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    width = max(len(row.stage) for row in rows)
    lines = []
    for row in rows:
        line = f"{row.stage:<{width}}  {row.verdict:<16}"
        if row.figure is not None:
            figure = row.figure
            line += (
                f"  {METRIC} {figure.recorded:.4f} recorded, {figure.here:.4f} here, "
                f"{figure.low:.4f} to {figure.high:.4f} ({figure.source})"
            )
        lines.append(f"{line}  {row.why}".rstrip())
    return "\n".join(lines)


def smallest(root: Path, recorded: Mapping[str, Stage]) -> str:
    """The `evaluate` stage of the recorded float model with the fewest parameters.

    Metrics of models that have no such stage any more are passed over.
    """
    models = {
        path.stem: content["parameters"]
        for path in sorted((root / "metrics").glob("*.json"))
        if "parameters" in (content := _read(path)) and f"evaluate@{path.stem}" in recorded
    }
    if not models:
        raise UserError("metrics/ has no model yet: run `dvc repro` first")
    return f"evaluate@{min(models, key=lambda name: models[name])}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _call(command: Sequence[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"`{' '.join(command[:2])}` failed: {result.stderr.strip()}")
    return result.stdout
