"""Where things are: the checkout, its model files; and commands that run there."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from spoken_digits.errors import UserError, did_you_mean, printable

MODELS = Path("models")
LOCK = Path(".dvc/tmp/spoken-digits.lock")
"""Held while `spoken-digits run` is at work; DVC's own locks last no longer than one command."""
_SUFFIX = ".safetensors"


def model_file(text: str) -> Path:
    """A model file by its path, or by its name in models/, such as ``tiny.int8``.

    Raises
    ------
    UserError
        There is neither.
    """
    if not text:
        raise UserError("the name of the model is empty: give a file, or a name in models/")
    path = Path(text)
    named = MODELS / f"{text}{_SUFFIX}"
    if path.is_file() or path.suffix == _SUFFIX or not named.name.isprintable():
        return path
    if named.exists():
        return named
    if path.exists():
        return path
    there = sorted(file.name.removesuffix(_SUFFIX) for file in MODELS.glob(f"*{_SUFFIX}"))
    hint = did_you_mean(text, there) or (f"; there are {', '.join(there)}" if there else "")
    raise UserError(
        f"no model {printable(text)}: neither a file nor {named}{hint}; give the path of a "
        f"{_SUFFIX} file, or train one: `spoken-digits run --model {printable(text.split('.')[0])}`"
    )


def checkout() -> Path:
    """The top of the checkout, which must be the current folder.

    Raises
    ------
    UserError
        The current folder has no pipeline.
    """
    here = Path.cwd()
    if (here / "dvc.yaml").is_file() and (here / "stages").is_dir():
        return here
    top = next((p for p in here.parents if (p / "dvc.yaml").is_file()), None)
    way_on = (
        f"run `cd {shlex.quote(str(top))}` first"
        if top
        else "clone the repository and run this in its top folder"
    )
    raise UserError(f"{here} is not the top of a checkout with its dvc.yaml: {way_on}")


def alone() -> AbstractContextManager[None]:
    """Refuse a second run in this checkout while one lasts: it would change params.yaml below it.

    Raises
    ------
    UserError
        On entering: another run is at work.
    """
    from spoken_digits.io import locks

    return locks.alone(
        LOCK, "another `spoken-digits run` is at work in this checkout: wait for it, or stop it"
    )


def call(command: Sequence[str]) -> None:
    """Run a program in the checkout, its output to the terminal.

    Raises
    ------
    SystemExit
        It failed, and has said why: with its exit status, 1 for those that a shell cannot tell.
    """
    sys.stdout.flush()
    status = subprocess.run(command, check=False, env=environment()).returncode
    if status:
        sys.exit(status_of(status))


def environment() -> dict[str, str]:
    """The environment in which stages find this interpreter, be it activated or not."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": paths}


def status_of(status: int) -> int:
    """The exit status of a program as ours: 1 for those that a shell cannot tell."""
    return status if 0 < status < 128 else 1


def stage(name: str, *arguments: str) -> None:
    """Run a stage's script by this interpreter."""
    call([sys.executable, f"stages/{name}.py", *arguments])


def dvc(*arguments: str) -> None:
    """Run DVC by this interpreter."""
    call([sys.executable, "-m", "dvc", *arguments])
