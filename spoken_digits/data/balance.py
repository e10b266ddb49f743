"""How many clips of each word a split has, and which words have too few."""

from __future__ import annotations

import math

import pandas as pd

from spoken_digits.data.manifest import labels
from spoken_digits.data.splits import SplitParams
from spoken_digits.data.subsets import SUBSETS

_FEW = 3  # figures of fewer clips of a word are chance
_UNBALANCED = 4  # the most frequent word has so many times the clips of the rarest
_MAX_ROWS = 40
_MAX_NAMED = 5


def count(manifest: pd.DataFrame, subsets: pd.Series) -> pd.DataFrame:
    """Clips by word (rows, in the order of classes) and subset (columns)."""
    counts = pd.crosstab(manifest["label"], subsets)
    return counts.reindex(index=labels(manifest), columns=list(SUBSETS), fill_value=0)


def table(counts: pd.DataFrame) -> str:
    """The counts as aligned text, a total below; of very many words those with fewest clips."""
    shown = counts
    if len(counts) > _MAX_ROWS:
        rarest = counts.sum(axis=1).sort_values(kind="stable").index[:_MAX_ROWS]
        shown = counts.loc[counts.index.isin(rarest)]
    rows: list[tuple[str, ...]] = [("word", *SUBSETS)]
    rows += [
        (_shown(word), *map(str, row))
        for word, row in zip(shown.index, shown.to_numpy(), strict=True)
    ]
    if len(shown) < len(counts):
        rows.append((f"({len(counts) - len(shown)} more)", *["..."] * len(SUBSETS)))
    rows.append(("all", *(str(counts[subset].sum()) for subset in SUBSETS)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}"
        + "".join(f"{cell:>{width + 2}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def warnings(counts: pd.DataFrame, params: SplitParams, published: bool = False) -> list[str]:
    """What the counts do not allow to say, each in one line with what to do.

    Without validation clips only the test clips are judged by.

    Parameters
    ----------
    counts
        From `count`.
    params
        Section `split`.
    published
        Whether the corpus's authors chose all subsets, so that no fraction counts.
    """
    found = []
    judges = {"test": "test", "val": "validation"}
    if params.validation == "none":
        del judges["val"]
    few = counts[(counts[list(judges)] < _FEW).any(axis=1)]
    if len(few):
        named = [
            f"{_shown(word)}: "
            + " and ".join(f"{row[subset]} {name}" for subset, name in judges.items())
            + " clips"
            for word, row in few.iloc[:_MAX_NAMED].iterrows()
        ]
        more = f"; and {len(few) - len(named)} more words" if len(few) > len(named) else ""
        found.append(
            f"too few clips to judge {'; '.join(named)}{more}. {_advice(params, published)}"
        )
    totals = counts.sum(axis=1)
    if totals.max() >= _UNBALANCED * totals.min():
        most, least = totals.idxmax(), totals.idxmin()
        found.append(
            f"the words are unbalanced: {totals.max()} clips of {_shown(most)}, {totals.min()} of "
            f"{_shown(least)}; accuracy tells most of the frequent words: record as many of each"
        )
    return found


def _advice(params: SplitParams, published: bool) -> str:
    if params.scheme == "speaker":
        before = "" if params.validation == "none" else ", those of the fold before validation"
        return (
            f"The speakers of fold {params.fold} are test{before}: "
            "record these words by them, or choose another `split.fold`"
        )
    if params.scheme == "official" and params.validation == "none":
        return "The corpus's authors set these test takes aside: record more"
    if params.scheme == "official" and published:
        return "The corpus's own lists decide: raise `corpus.limit`, or use another `split.scheme`"
    if params.scheme == "official":
        share, keys = params.val_fraction, f"`split.val_fraction` {params.val_fraction:g}"
    elif params.validation == "none":
        share, keys = params.test_fraction, f"`split.test_fraction` {params.test_fraction:g}"
    else:
        share = min(params.test_fraction, params.val_fraction)
        keys = (
            f"`split.test_fraction` {params.test_fraction:g} and "
            f"`split.val_fraction` {params.val_fraction:g}"
        )
    return (
        f"At {keys} a word needs {takes_needed(share, 1)} takes for 1 clip in each subset and "
        f"{takes_needed(share, _FEW)} for {_FEW}: record more, or raise the fraction"
    )


def takes_needed(share: float, n_clips: int) -> int:
    """Takes of a word of which `share` are at least `n_clips`."""
    return math.ceil(round(n_clips / share, 6))


def _shown(word: object) -> str:
    """A word without the characters that would break a line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(word))
