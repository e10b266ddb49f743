"""provenance.json: where the recordings come from, and a fingerprint of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from spoken_digits.errors import UserError
from spoken_digits.io.files import read_json, sha256
from spoken_digits.validation import parse

_AGAIN = "dvc repro --force download"


@dataclass(frozen=True, kw_only=True)
class _Provenance:
    """The keys that later stages read; the file may hold others."""

    corpus: Annotated[str, Field(min_length=1)]
    version: str
    source: str
    licence: str
    synthetic: bool
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    speaker_folds: list[list[str]] | None
    official_test_takes: list[int] | None


def read_provenance(path: Path, manifest: pd.DataFrame) -> dict[str, Any]:
    """Read provenance.json.

    Raises
    ------
    UserError
        The file is missing or damaged, or is of other recordings than the manifest.
    """
    content = read_json(path, "dvc repro download")
    try:
        parse(_Provenance, content, extra="ignore")
    except UserError as error:
        raise UserError(f"{path} is damaged ({error}): make it again with `{_AGAIN}`") from None
    if content["fingerprint"] != fingerprint(manifest):
        raise UserError(
            f"{path} is of other recordings than manifest.csv beside it: "
            f"make both again with `{_AGAIN}`"
        )
    return content


def fingerprint(manifest: pd.DataFrame) -> str:
    """Digest of names and contents of all clips, whatever their order and folder."""
    lines = sorted(
        f"{PurePosixPath(path).name} {digest}\n"
        for path, digest in zip(manifest["path"], manifest["sha256"], strict=True)
    )
    return sha256("".join(lines).encode())
