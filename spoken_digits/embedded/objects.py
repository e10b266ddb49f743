"""Objects of C files that many programs link, each compiled once.

Most of the time to build a program went into compiling the library again, the same each time. A
file that includes nothing but what lies beside it is compiled once by the same compiler with the
same flags. Others, which include what was generated for one model, are left to the caller.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = "SPOKEN_DIGITS_OBJECTS"
"""Environment: a folder of objects that processes share. Without it each process has its own."""

_FOR_THE_LINKER = (
    *("-Wl,", "-shared", "-nostartfiles", "--specs=", "-static", "-nostdlib", "-l", "-fuse-ld="),
    *("-I", "-o"),  # nothing that is compiled here is looked for elsewhere
)
"""Beginnings of flags on which no object depends."""


def compiled(compiler: str, flags: Sequence[str], sources: Sequence[Path]) -> list[Path]:
    """`sources` with an object in the place of each one that can be shared.

    Parameters
    ----------
    compiler
        Its program.
    flags
        As for the whole program; those for its linker do not count.
    sources
        C files, and objects, which stay.

    Returns
    -------
    list of Path
        In the order of `sources`. One that does not compile stays, so that the caller's own command
        says why. The object of ``a.c`` is named ``a.o``; what else the compiler writes lies beside.
    """
    relevant = tuple(flag for flag in flags if not flag.startswith(_FOR_THE_LINKER))
    return [_object(compiler, relevant, source) or source for source in sources]


def _object(compiler: str, flags: tuple[str, ...], source: Path) -> Path | None:
    """The object of a source, which is made if there is none; None if it cannot be shared."""
    included = _included(source.resolve()) if source.suffix == ".c" else None
    if included is None:
        return None
    program = shutil.which(compiler)
    if program is None:
        return None
    version = str(Path(program).resolve()), str(Path(program).stat().st_mtime_ns)
    digest = hashlib.sha256("\0".join([*version, *flags]).encode())
    for path in sorted(included):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    place = _folder() / digest.hexdigest()[:24]
    made = place / f"{source.stem}.o"
    if not made.exists():
        own = Path(tempfile.mkdtemp(dir=_folder()))
        try:
            done = subprocess.run(
                [compiler, *flags, "-c", str(source.resolve()), "-o", str(own / made.name)],
                capture_output=True,
                check=False,
            )
            if done.returncode != 0:
                return None
            own.replace(place)
        except OSError:  # another process was quicker
            pass
        finally:
            shutil.rmtree(own, ignore_errors=True)
    return made if made.exists() else None


def _included(source: Path) -> set[Path] | None:
    """A source and all files beside it that it includes; None if it includes others."""
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if not path.is_file():
            return None
        if path not in found:
            found.add(path)
            text = path.read_text(encoding="utf-8", errors="replace")
            names = re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)
            waiting += [source.parent / name for name in names]
    return found


@functools.cache
def _folder() -> Path:
    if given := os.environ.get(FOLDER):
        Path(given).mkdir(parents=True, exist_ok=True)
        return Path(given)
    own = Path(tempfile.mkdtemp(prefix="objects-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
