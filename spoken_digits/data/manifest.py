"""manifest.csv: one row a clip, in the order of audio.zip and of every feature tensor."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.io.files import replacing

COLUMNS = [
    "utterance",
    "path",
    "label",
    "speaker",
    "take",
    "sample_rate",
    "n_samples",
    "sha256",
]
UNKNOWN_SPEAKER = "unknown"
"""Column `speaker` of a clip that does not say who speaks."""
_AGAIN = "dvc repro --force download"
_TEXT = r"(?s).+"
_PATTERNS = {
    "utterance": _TEXT,
    "path": _TEXT,
    "label": _TEXT,
    "speaker": _TEXT,
    "take": r"-?[0-9]{1,15}",
    "sample_rate": r"[1-9][0-9]{0,6}",
    "n_samples": r"[1-9][0-9]{0,9}",
    "sha256": r"[0-9a-f]{64}",
}
"""What each column holds."""
_NUMBERS = ["take", "sample_rate", "n_samples"]
_UNIQUE = ["utterance", "path"]


def write_manifest(path: Path, manifest: pd.DataFrame) -> None:
    """Write the manifest as CSV, whole or not at all."""
    with replacing(path) as temporary:
        manifest.to_csv(temporary, index=False, lineterminator="\n")


def read_manifest(path: Path) -> pd.DataFrame:
    """The manifest with its columns' types.

    Raises
    ------
    UserError
        The file is missing or is not a manifest: a column is missing, a value is not what its
        column holds, or a clip is there twice.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows that are too long
            # Labels such as "null" or "07" are words, not numbers or missing values.
            manifest = pd.read_csv(
                path, dtype=dict.fromkeys(COLUMNS, str), keep_default_na=False, index_col=False
            )
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `dvc repro download`") from None
    except (ValueError, pd.errors.ParserWarning) as error:
        raise UserError(f"{path} is damaged ({error}): `{_AGAIN}`") from None
    if fault := _fault(manifest):
        raise UserError(f"{path} is damaged ({fault}): make it again with `{_AGAIN}`")
    return manifest.astype(dict.fromkeys(_NUMBERS, np.int64))


def _fault(manifest: pd.DataFrame) -> str:
    """What is wrong with a manifest whose columns are still text; empty if nothing."""
    missing = [column for column in COLUMNS if column not in manifest]
    if missing:
        return f"it lacks the columns {', '.join(missing)}"
    if manifest.empty:
        return "it lists no clips"
    for column, pattern in _PATTERNS.items():
        wrong = ~manifest[column].str.fullmatch(pattern)
        if wrong.any():
            row = int(wrong.argmax())
            return f"row {row + 1}: {column} is {manifest[column][row]!r}"
    for column in _UNIQUE:
        twice = manifest[column].duplicated()
        if twice.any():
            return f"{column} {manifest[column][twice.argmax()]!r} is listed twice"
    return ""


def labels(manifest: pd.DataFrame) -> list[str]:
    """The words of the corpus, sorted: class i is labels[i]. Numbers sort as numbers."""
    words = sorted(set(manifest["label"]))
    return sorted(words, key=int) if all(word.isdecimal() for word in words) else words
