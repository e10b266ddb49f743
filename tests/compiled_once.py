"""Compile each C file of firmware/ once for all tests, not for every network and export.

Half of the time of such tests went into compiling the same files again. A command that compiles
several sources becomes one that links: those of firmware/ that include nothing that is generated
are taken as objects, made by the same compiler with the same flags, from a folder that the
processes of a test run share. All else is as it was, and so are programs that fail to compile.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from recordings import REPOSITORY

from spoken_digits.embedded import boards, commands, host_build, targets

FIRMWARE = REPOSITORY / "firmware"
LINKS = ("-Wl,", "-shared", "-nostartfiles", "--specs=", "-static", "-nostdlib", "-l", "-fuse-ld=")
"""Beginnings of flags that are for the linker alone."""


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let commands of the package use objects in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    as_before = commands.call

    def call(*command: str, **options: Any) -> bytes:
        return as_before(*with_objects(command, folder), **options)

    for module in (commands, host_build, targets):
        monkeypatch.setattr(module, "call", call)
    assert boards.commands is commands


def with_objects(command: tuple[str, ...], folder: Path) -> list[str]:
    """The command with objects in place of sources of firmware/."""
    sources = [word for word in command if is_shared(word)]
    if len(sources) < 2 or "-c" in command:
        return list(command)
    flags = [word for word in command[1:] if is_flag(word)]
    return [
        object_of(word, command[0], flags, folder) if is_shared(word) else word for word in command
    ]


def is_shared(word: str) -> bool:
    """Whether a word names a C file of the library."""
    path = Path(word)
    return path.suffix == ".c" and path.parent == FIRMWARE


def is_flag(word: str) -> bool:
    """Whether a word is a flag that an object depends on."""
    return word.startswith("-") and not word.startswith((*LINKS, "-I", "-o"))


def object_of(source: str, compiler: str, flags: list[str], folder: Path) -> str:
    """The object of a source; the source itself if it does not compile alone."""
    key = hashlib.sha256("\0".join([compiler, *flags, source]).encode()).hexdigest()[:24]
    made = folder / f"{Path(source).stem}-{key}.o"
    if not made.exists():
        own = made.with_suffix(f".{os.getpid()}.o")
        done = subprocess.run(
            [compiler, *flags, f"-I{FIRMWARE}", "-c", source, "-o", str(own)],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            return source
        own.replace(made)
    return str(made)
