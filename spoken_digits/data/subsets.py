"""split.csv: the subset of every utterance.

Columns ``utterance,subset``. A split in which no clip validates says so itself, by a third column
``validation`` that is ``none`` in every row: otherwise a missing val subset is damage.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.errors import UserError
from spoken_digits.io.files import replacing

SUBSETS = ("train", "val", "test")


def write_split(path: Path, manifest: pd.DataFrame, subsets: pd.Series) -> None:
    """Write one row a clip in the manifest's order."""
    table = pd.DataFrame({"utterance": manifest["utterance"], "subset": subsets})
    if not (subsets == "val").any():
        table["validation"] = "none"
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_split(path: Path, manifest: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Row numbers of each subset; val is empty if the split says that no clip validates.

    Raises
    ------
    UserError
        The file is missing, damaged, or belongs to another manifest.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        problem = _problem(table, manifest["utterance"])
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `dvc repro split`") from None
    except ValueError as error:
        problem = f"is damaged ({' '.join(str(error).split())})"
    if problem:
        raise UserError(f"{path} {problem}: make it again with `dvc repro --force split`")
    return {subset: np.flatnonzero(table["subset"] == subset) for subset in SUBSETS}


def _problem(table: pd.DataFrame, utterances: pd.Series) -> str:
    """What is wrong with a split of these utterances; empty if nothing is."""
    missing = [column for column in ("utterance", "subset") if column not in table]
    if missing:
        return f"lacks the column {', '.join(missing)}"
    twice = table["utterance"][table["utterance"].duplicated()]
    if len(twice):
        return f"has the utterance {twice.iloc[0]!r} twice"
    strange = table[~table["subset"].isin(SUBSETS)]
    if len(strange):
        utterance, subset = strange[["utterance", "subset"]].iloc[0]
        return f"puts {utterance!r} into {subset!r}, which is none of {', '.join(SUBSETS)}"
    if table["utterance"].tolist() != utterances.tolist():
        odd = sorted(set(table["utterance"]) ^ set(utterances))
        where = f"{odd[0]!r} is only in one of them" if odd else "the order differs"
        return f"is of another corpus than the manifest ({where})"
    present = set(table["subset"])
    if "validation" in table:
        if set(table["validation"]) != {"none"} or "val" in present:
            return "has a column `validation`, but not none in every row and no clip in val"
        present.add("val")
    empty = [subset for subset in SUBSETS if subset not in present]
    return f"has no clip in {', '.join(empty)}" if empty else ""
