"""Find published archives, locally or at their official address.

An archive is looked for in the folder named by SPOKEN_DIGITS_ARCHIVES, in ``data/archives/``,
in ``../shared/corpora/`` beside the checkout, and at its official address, in this order.
The source is not a parameter and leaves no trace in the outputs: only the content counts, and
the caller verifies it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from spoken_digits.corpora import fetch
from spoken_digits.errors import UserError, describe_os_error

ENVIRONMENT_VARIABLE = "SPOKEN_DIGITS_ARCHIVES"

T = TypeVar("T")


def folders(root: Path) -> list[Path]:
    """The folders searched, in order. `root` is the top of the checkout."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    first = [Path(named)] if named else []
    # A queued experiment runs in a copy under .dvc/tmp: its checkout's own folders count too.
    tops = [root, *(above for above in root.parents if (above / "dvc.yaml").is_file())]
    beside = [(top / "data" / "archives", top.parent / "shared" / "corpora") for top in tops]
    return [*first, *(folder for pair in beside for folder in pair)]


def candidates(names: Sequence[str], root: Path) -> Iterator[Path]:
    """Every file with one of `names` in the folders searched, in order."""
    for folder in folders(root):
        for name in names:
            if (folder / name).is_file():
                yield folder / name


def find(names: Sequence[str], root: Path) -> Path | None:
    """The first archive with one of `names` in the folders searched, if any."""
    return next(candidates(names, root), None)


def reachable(names: Sequence[str], url: str, root: Path) -> bool:
    """Whether the archive is in a folder searched, or its official address answers."""
    return find(names, root) is not None or fetch.answers(url)


def obtain(
    names: Sequence[str],
    url: str,
    root: Path,
    *,
    open_archive: Callable[[Path], T],
    verify: Callable[[T], object],
    max_bytes: int,
    patience: fetch.Patience = fetch.PATIENCE,
) -> T:
    """The first usable archive, fetched into ``data/archives/`` if there is none.

    A broken archive is named and does not hide a good one in a later folder.

    Parameters
    ----------
    names
        File names that the archive goes by; the first is given to a fetched one.
    url
        Its official address.
    root
        Top of the checkout.
    open_archive
        Opens an archive; raises UserError if it is damaged or the wrong one.
    verify
        Reads a fetched archive completely; raises UserError if it is damaged.
    max_bytes
        Largest archive to fetch.
    patience
        When to try again.

    Raises
    ------
    UserError
        No usable archive; the text names each place tried and how to proceed.
    OSError
        A fetched archive cannot be written.
    """
    archive, broken = _first_usable(names, root, open_archive)
    if archive is not None:
        return archive
    target = root / "data" / "archives" / names[0]
    try:
        fetch.fetch(url, target, lambda path: verify(open_archive(path)), max_bytes, patience)
    except UserError as error:
        raise _not_in_reach(names[0], url, root, broken, error) from None
    return open_archive(target)


def obtain_local(
    names: Sequence[str], root: Path, *, open_archive: Callable[[Path], T]
) -> T | None:
    """The first usable archive in the folders searched, of one that no address offers.

    Parameters are those of `obtain`.

    Returns
    -------
    T or None
        None if no folder holds such a file.

    Raises
    ------
    UserError
        There are such files, and each is damaged.
    """
    archive, broken = _first_usable(names, root, open_archive)
    if archive is None and broken:
        raise UserError("; ".join(broken))
    return archive


def _first_usable(
    names: Sequence[str], root: Path, open_archive: Callable[[Path], T]
) -> tuple[T | None, list[str]]:
    """The first archive that opens, and what is wrong with those before it."""
    broken: list[str] = []
    for path in candidates(names, root):
        try:
            archive = open_archive(path)
        except UserError as error:
            broken.append(str(error))
        except OSError as error:
            broken.append(describe_os_error(error))
        else:
            for problem in broken:
                print(f"warning: skipped: {problem}; using {path}", file=sys.stderr)
            return archive, broken
    return None, broken


def _not_in_reach(
    name: str, url: str, root: Path, broken: Sequence[str], error: UserError
) -> UserError:
    searched = ", ".join(str(folder) for folder in folders(root))
    found = f"; {'; '.join(broken)}" if broken else ""
    return UserError(
        f"no usable archive {name}: looked in {searched}{found}; and at {url} ({error}). "
        f"Put the archive into data/archives/ (or a folder named by {ENVIRONMENT_VARIABLE}), "
        "or run without it: `dvc exp run -S corpus.name=synthetic`"
    )
