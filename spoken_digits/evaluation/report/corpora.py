"""Describe the recordings behind the figures."""

from __future__ import annotations

from typing import Any

from spoken_digits.evaluation.report.collecting import Results
from spoken_digits.evaluation.report.markdown import code

_SCHEMES = {
    "random": "random split",
    "official": "test clips set aside by the corpus's authors",
    "speaker": "split by speaker, fold {fold}",
}


def title(corpus: dict[str, Any]) -> str:
    """Name and version of the corpus in metrics/corpus.json; synthetic speech says so."""
    name = f"{corpus['title']} {corpus['version']}".strip()
    return f"{name} (synthetic speech)" if corpus["synthetic"] else name


def split_name(corpus: dict[str, Any]) -> str:
    """How its clips were split, in a few words."""
    return _SCHEMES[corpus["split"]["scheme"]].format(fold=corpus["split"]["fold"])


def describe(corpus: dict[str, Any]) -> str:
    """One paragraph: the recordings, their split, and the test speakers."""
    split = corpus["split"]
    kind = "clips of synthetic speech" if corpus["synthetic"] else "recordings"
    scheme = split_name(corpus)
    return (
        f"{title(corpus)}: {corpus['n_clips']:,} {kind} of {corpus['n_words']} words by "
        f"{corpus['n_speakers']} speakers, licence: {corpus['licence']}. "
        f"{scheme[0].upper()}{scheme[1:]}: {split['train']:,} clips to train on, "
        f"{split['val']:,} for validation, {split['test']:,} to test on. {_heard(split)}"
    )


def _heard(split: dict[str, Any]) -> str:
    n, heard = split["test_speakers"], split["test_speakers_in_train"]
    speakers = "speaker" if n == 1 else "speakers"
    if heard == 0:
        return f"No training clip is by any of the {n} test {speakers}."
    if heard == n:
        return (
            f"All {n} test {speakers} are in the training clips too: *voices never heard* says "
            "how the same recipe does on people it was not trained on."
        )
    return f"{heard} of the {n} test speakers are in the training clips too."


def warning(results: Results) -> list[str]:
    """A warning to put above a table that mixes corpora; empty if there is only one corpus."""
    if not results.is_mixed():
        return []
    names = ", ".join(map(code, results.corpora()))
    return [
        f"**These rows are of different corpora: {names}.** Each row names its own; do not compare "
        "across them."
    ]
