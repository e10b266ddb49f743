"""The page: sections in order, style, and what a browser may load."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spoken_digits.data.manifest import labels
from spoken_digits.evaluation.html_report import (
    against,
    datamap,
    machine,
    otherwise,
    palette,
    people,
)
from spoken_digits.evaluation.html_report.markup import Html, element, inline, paragraph
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.report import corpora

_STYLE = Path(__file__).with_name("style.css")


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page."""

    name: str
    """Its id, for links."""
    title: str
    content: Callable[[Record], Iterable[Html]]
    is_there: Callable[[Record], bool] = lambda record: True
    """Whether there are figures to show; the last section lists what is left out."""


SECTIONS = (
    Section(name="verdict", title="For whom it works", content=people.verdict_section),
    Section(name="models", title="All models", content=people.models_section),
    Section(
        name="voices",
        title="Voices never heard",
        content=people.voices_section,
        is_there=lambda record: bool(record.results.crossval or record.results.strangers),
    ),
    Section(
        name="confusion",
        title="What is mistaken for what",
        content=people.confusion_section,
        is_there=lambda record: bool(record.answers or record.tested),
    ),
    Section(name="mistakes", title="The worst mistakes", content=people.mistakes_section),
    Section(
        name="robustness",
        title="Noise, rooms and telephones",
        content=machine.robustness_section,
        is_there=lambda record: bool(record.results.robustness),
    ),
    Section(
        name="rejection",
        title="What is none of the words",
        content=otherwise.rejection_section,
        is_there=lambda record: bool(record.rejection),
    ),
    Section(
        name="listening",
        title="Hours of sound",
        content=otherwise.listening_section,
        is_there=lambda record: bool(record.results.detectors),
    ),
    Section(name="size", title="Size and cost", content=machine.size_section),
    Section(
        name="training",
        title="Training",
        content=machine.curves_section,
        is_there=lambda record: bool(record.curves),
    ),
    Section(name="map", title="Map of the recordings", content=people.map_section),
    Section(name="cards", title="Model cards", content=machine.cards_section),
    Section(name="data", title="The recordings", content=machine.data_section),
    Section(name="making", title="How this was made", content=machine.making_section),
)


def page(record: Record, revision: str = "") -> str:
    """The whole page.

    Parameters
    ----------
    record
        What is recorded.
    revision
        Another revision or experiment to compare with; empty: none.

    Raises
    ------
    UserError
        No such revision.
    """
    style = _style(record)
    sections = [section for section in SECTIONS if section.is_there(record)]
    if revision:
        changed = Section(
            name="changes",
            title=f"Since {revision}",
            content=lambda record: against.changes(record, revision),
        )
        sections.insert(1, changed)
    corpus = record.results.corpus
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Spoken words: {corpora.title(corpus)}"),
        element("style", Html(style)),
    )
    body = element(
        "body",
        element("header", list(_header(record))),
        element("nav", _contents(sections), aria_label="Contents"),
        element("main", [_section(section, record) for section in sections]),
        element("footer", paragraph(_SOURCES)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


_SOURCES = (
    "Made from recorded files only: `metrics/`, `plots/`, `studies/predictions/`, `models/`, "
    "`data/` and `docs/record.json`. No script, nothing loaded from elsewhere."
)


def _header(record: Record) -> Iterator[Html]:
    corpus = record.results.corpus
    if record.synthetic:
        yield paragraph(
            "**Synthetic speech.** Every figure on this page is of clips spoken by a machine: they "
            "show that the pipeline works, not how well it recognises people.",
            "warning",
        )
    yield from (paragraph(text, "warning") for text in corpora.warning(record.results))
    yield element("h1", "How well spoken words are recognised, and whose")
    about = [
        corpora.title(corpus),
        f"{corpus['n_words']} words, {corpus['n_speakers']} speakers, {corpus['n_clips']:,} clips",
        f"recorded {record.machine['date']}" if "date" in record.machine else "",
        f"revision {record.revision}" if record.revision else "",
    ]
    yield element("p", " · ".join(part for part in about if part), class_="kicker")


def _contents(sections: Iterable[Section]) -> Html:
    links = [element("a", section.title, href=f"#{section.name}") for section in sections]
    return element("ol", [element("li", link) for link in links])


def _section(section: Section, record: Record) -> Html:
    heading = element("h2", inline(section.title), id=f"{section.name}-title")
    return element(
        "section",
        heading,
        list(section.content(record)),
        id=section.name,
        aria_labelledby=f"{section.name}-title",
    )


def _style(record: Record) -> str:
    light, dark = palette.variables(palette.LIGHT), palette.variables(palette.DARK)
    series = "".join(
        f".f{i}{{fill:var(--s{i});stroke:var(--paper);stroke-width:.8}}.k{i}{{stroke:var(--s{i})}}"
        for i in range(palette.N_SERIES)
    )
    manifest = record.manifest
    chosen = ""
    if manifest is not None:
        chosen = datamap.rules(len(labels(manifest)), manifest["speaker"].nunique())
    return (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"@media print{{:root{{{light}}}}}{series}{chosen}\n{_STYLE.read_text(encoding='utf-8')}"
    )


def _policy(style: str) -> str:
    """Nothing but this very style and sounds inside the page."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
