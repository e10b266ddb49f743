"""The data card: what the recorded corpus holds, how it was split, what it cannot tell."""

from __future__ import annotations

from typing import Any

from spoken_digits.evaluation.report import corpora
from spoken_digits.evaluation.report.front_matter import front_matter, licence
from spoken_digits.evaluation.report.markdown import code, table

_SIZES = ((10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def data_card(corpus: dict[str, Any]) -> str:
    """The card, in Markdown.

    Parameters
    ----------
    corpus
        metrics/corpus.json.
    """
    split = corpus["split"]
    head = {
        "pretty_name": corpora.title(corpus),
        **licence(corpus),
        "task_categories": ["audio-classification"],
        "size_categories": [_size(corpus["n_clips"])],
        "tags": ["keyword-spotting", "spoken-digits", *(["synthetic"] * corpus["synthetic"])],
    }
    rows = [
        ("name", code(corpus["corpus"])),
        ("version", corpus["version"]),
        ("licence", corpus["licence"]),
        ("clips", f"{corpus['n_clips']:,}"),
        ("words", corpus["n_words"]),
        ("speakers", corpus["n_speakers"]),
        ("clips to train on", f"{split['train']:,}"),
        ("clips for validation", f"{split['val']:,}"),
        ("clips to test on", f"{split['test']:,}"),
        ("test speakers", split["test_speakers"]),
        ("of those, in the train clips too", split["test_speakers_in_train"]),
    ]
    parts = [
        front_matter(head),
        f"# Data card: {corpora.title(corpus)}",
        "Made from `metrics/corpus.json`; not edited by hand.",
        corpora.describe(corpus),
        table(["what", ""], rows),
        "## Intended use",
        "To train and compare recognisers of single words. Where each recording comes from, how "
        "an archive is checked and what other corpora there are: `docs/corpora.md`; extra voices "
        "and strangers: `docs/voices.md`.",
        "## Limits",
        f"{_heard(split)} What is known of each corpus's speakers, rooms and faults: "
        "`docs/corpora.md`.",
    ]
    return "\n\n".join(parts) + "\n"


def _size(n_clips: int) -> str:
    if n_clips < 1000:
        return "n<1K"
    return next((name for most, name in _SIZES if n_clips < most), "n>1M")


def _heard(split: dict[str, Any]) -> str:
    if split["test_speakers_in_train"] == 0:
        return "Test speakers are not in the train clips: the test says how well strangers fare."
    return (
        "Test speakers are in the train clips too: accuracy on this split is higher than on "
        "people who were not recorded. The model cards give both."
    )
