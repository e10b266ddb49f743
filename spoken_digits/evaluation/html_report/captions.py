"""What stands under every figure, or in its place."""

from __future__ import annotations

from spoken_digits.evaluation.html_report.markup import Html, element, inline, paragraph
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.report.markdown import code


def captioned(record: Record, drawn: object, caption: str) -> Html:
    """A figure whose caption names the corpus, so that what is synthetic says so."""
    return element(
        "figure", drawn, element("figcaption", inline(caption), " ", f"{corpus_of(record)}.")
    )


def absent(what: str, command: str) -> Html:
    """In the place of what cannot be shown: why, and the way on."""
    return paragraph(f"{what} {code(command)} brings it.", "absent")


def corpus_of(record: Record) -> str:
    """The corpus of the figures; what is synthetic says so."""
    names = record.results.corpora()
    return names[0] if len(names) == 1 else f"Different corpora: {', '.join(names)}"
