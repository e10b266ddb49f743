"""dvc.lock: the stages as recorded, with the hash of every output."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from spoken_digits.errors import UserError
from spoken_digits.io import fast_yaml


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of a stage: a file or a folder."""

    path: str
    """Relative to the top folder."""
    md5: str
    """Hash of its content; ends in ``.dir`` for a folder."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of the recorded run."""

    name: str
    dependencies: tuple[str, ...]
    """Paths relative to the top folder."""
    outputs: tuple[Output, ...]
    lines: tuple[int, int]
    """First and last line of its entry in the file, from 1."""


def read_lock(path: Path) -> dict[str, Stage]:
    """The recorded stages by name, in the order of the file.

    Raises
    ------
    UserError
        The file is missing, or is not a dvc.lock.
    """
    try:
        text = path.read_bytes()
        lines = _lines(yaml.compose(text, fast_yaml.LOADER))
        stages = fast_yaml.load(text)["stages"]
        return {name: _stage(name, entry, lines[name]) for name, entry in stages.items()}
    except FileNotFoundError:
        raise UserError(f"{path} is missing: `dvc repro` makes it") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError):
        raise UserError(f"{path} is damaged: `git checkout {path.name}` brings it back") from None


def _lines(document: Any) -> dict[str, tuple[int, int]]:
    """First and last line of each stage's entry in the parsed file."""
    stages = {key.value: value for key, value in document.value}["stages"]
    return {
        key.value: (key.start_mark.line + 1, entry.end_mark.line) for key, entry in stages.value
    }


def defined(root: Path) -> set[str]:
    """Names of the stages that dvc.yaml defines.

    Raises
    ------
    UserError
        DVC cannot read dvc.yaml.
    """
    command = ["dvc", "stage", "list", "--name-only"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
    return set(result.stdout.splitlines())


def _stage(name: str, entry: dict[str, Any], lines: tuple[int, int]) -> Stage:
    outputs = [Output(path=out["path"], md5=out["md5"]) for out in entry.get("outs", ())]
    dependencies = [dependency["path"] for dependency in entry.get("deps", ())]
    return Stage(name=name, dependencies=tuple(dependencies), outputs=tuple(outputs), lines=lines)


def with_upstream(stages: dict[str, Stage], names: Iterable[str]) -> list[str]:
    """The named stages and all their dependencies, in the order of `stages`.

    Parameters
    ----------
    stages
        From `read_lock`.
    names
        Stages, or groups of them: ``train`` stands for every ``train@...``.

    Raises
    ------
    UserError
        No stage has such a name.
    """
    wanted: list[str] = []
    for name in names:
        found = [stage for stage in stages if name in (stage, stage.partition("@")[0])]
        if not found:
            raise UserError(f"dvc.lock has no stage {name}; it has {', '.join(stages)}")
        wanted += found
    makers = {out.path: stage.name for stage in stages.values() for out in stage.outputs}
    needed: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in needed:
            needed.add(name)
            wanted += [
                maker
                for out, maker in makers.items()
                if any(meet(out, path) for path in stages[name].dependencies)
            ]
    return [name for name in stages if name in needed]


def meet(a: str, b: str) -> bool:
    """Whether the paths are equal or one contains the other."""
    return PurePosixPath(a).is_relative_to(b) or PurePosixPath(b).is_relative_to(a)
