"""What build systems and package managers read, and the examples: files of ``firmware/package``.

They lie there as they lie in an exported folder, with placeholders such as ``@@name@@``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spoken_digits.errors import UserError

FOLDER = "package"
"""Of the templates, inside ``firmware``."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What packages say of the software; of a `CITATION.cff`."""

    version: str
    """Major, minor, patch."""
    licence: str
    """SPDX identifier of the licence of the code."""
    authors: str
    """Names, with commas."""


def filled(firmware: Path, name: str, n_words: int, project: Project) -> dict[str, str]:
    """Every template by its path in the exported folder, its placeholders filled.

    Parameters
    ----------
    firmware
        Folder of the C sources.
    name
        Lower-case C identifier of the model: that of the packages, too.
    n_words
        How many words it knows.
    project
        Version, licence, authors.

    Raises
    ------
    UserError
        The templates are missing.
    """
    top = firmware / FOLDER
    paths = sorted(path for path in top.rglob("*") if path.is_file())
    if not paths:
        raise UserError(f"{top} is missing: take it from the repository again")
    values = {
        "name": name,
        "NAME": name.upper(),
        "sentence": f"Recogniser of {n_words} spoken words, one at a time or in a stream: "
        "C99, integers only",
        "version": project.version,
        "licence": project.licence,
        "authors": project.authors,
    }
    return {
        path.relative_to(top).as_posix(): _fill(path.read_text(encoding="utf-8"), values)
        for path in paths
    }


def _fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@@(\w+?)@@", lambda found: values[found[1]], text)
