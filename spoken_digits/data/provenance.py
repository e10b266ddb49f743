"""provenance.json: where the recordings come from, and a fingerprint of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from spoken_digits.errors import UserError, shown
from spoken_digits.io.files import read_json, sha256

_AGAIN = "dvc repro --force download"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "corpus": str,
    "version": str,
    "source": str,
    "licence": str,
    "synthetic": bool,
    "fingerprint": str,
    "speaker_folds": (list, type(None)),
    "official_test_takes": (list, type(None)),
}
"""The keys that later stages read; the file may hold others."""


def read_provenance(path: Path, manifest: pd.DataFrame) -> dict[str, Any]:
    """Read provenance.json.

    Raises
    ------
    UserError
        The file is missing or damaged, or is of other recordings than the manifest.
    """
    content = read_json(path, "dvc repro download")
    for key, kind in _TYPES.items():
        if not isinstance(content.get(key, ...), kind):
            fault = f"`{key}` is {shown(content[key])}" if key in content else f"it lacks `{key}`"
            raise UserError(f"{path} is damaged ({fault}): make it again with `{_AGAIN}`")
    if content["fingerprint"] != fingerprint(manifest):
        raise UserError(
            f"{path} is of other recordings than manifest.csv beside it: "
            f"make both again with `{_AGAIN}`"
        )
    return content


def fingerprint(manifest: pd.DataFrame) -> str:
    """Digest of names and contents of all clips, whatever their order and folder."""
    return fingerprint_of(zip(manifest["path"], manifest["sha256"], strict=True))


def fingerprint_of(clips: Iterable[tuple[str, str]]) -> str:
    """`fingerprint` of clips given by path and SHA-256."""
    lines = sorted(f"{PurePosixPath(path).name} {digest}\n" for path, digest in clips)
    return sha256("".join(lines).encode())
