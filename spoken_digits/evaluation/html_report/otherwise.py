"""The sections on what is none of the words: rejection of single clips, hours of sound.

They appear where stages `reject` and `detect` have recorded something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import pandas as pd

from spoken_digits.evaluation.html_report import svg
from spoken_digits.evaluation.html_report.captions import captioned
from spoken_digits.evaluation.html_report.markup import (
    Html,
    details,
    element,
    inline,
    paragraph,
    table,
)
from spoken_digits.evaluation.html_report.palette import N_SERIES
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.html_report.svg import Scale, line, mark, picture, text
from spoken_digits.evaluation.rejection import NO_THRESHOLD, RATES, point
from spoken_digits.evaluation.report.markdown import code, percent, values

_TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
_LOWEST, _HIGHEST = 0.0008, 0.6
"""Rates beyond these are drawn at the edge of a figure."""
_AIMS = {NO_THRESHOLD: "none", **{point(rate): f"{100 * rate:g} %" for rate in RATES}}
"""What was allowed on validation clips, by name of the operating point."""
_SPOKEN_OF = 0.05
"""The rate of which the verdict speaks, one of `RATES`."""


def rejection_section(record: Record) -> Iterator[Html]:
    """What models make of noise and of other words, one clip at a time."""
    yield paragraph(
        "A threshold on the confidence turns an answer into none. Those here were chosen on "
        "validation clips, for a share of other words that may pass; the figures are of test clips."
    )
    yield table(
        inline(
            "*Words right*: of its own words, answered and right; then the share of each kind of "
            "other sound that is answered, in per cent. *Aim*: the share that was allowed on "
            "validation clips."
        ),
        ["model", ">aim", ">threshold", ">words right", *(f">{kind}" for kind in _kinds(record))],
        list(_rows(record)),
    )
    rows = record.rejection_curves
    if rows is None:
        return
    models = list(dict.fromkeys(rows["model"]))
    drawn = [_det(str(group), own, models) for group, own in rows.groupby("group", sort=False)]
    yield captioned(
        record,
        [svg.legend(models), element("div", drawn, class_="small")],
        "Detection error trade-off: words missed against other sounds answered, both in per cent "
        "on a scale of normal deviates; lower left is better. A line is a model, from a threshold "
        "that answers everything to one that answers nothing.",
    )


def _kinds(record: Record) -> list[str]:
    all_points = (at for figures in record.rejection.values() for at in _points(figures).values())
    return list(dict.fromkeys(kind for at in all_points for kind in at["false_accepts"]))


def _points(figures: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The operating points that were measured, by their aim in words."""
    return {aim: figures[name] for name, aim in _AIMS.items() if name in figures}


def _rows(record: Record) -> Iterator[list[str]]:
    for name, figures in record.rejection.items():
        for aim, at in _points(figures).items():
            rates = at["false_accepts"]
            shown = (f"{100 * rates[k]['rate']:.1f}" if k in rates else "" for k in _kinds(record))
            yield [
                code(name),
                aim,
                f"{at['threshold']:.3f}",
                f"{100 * at['accuracy']:.2f}",
                *shown,
            ]


def _det(group: str, rows: pd.DataFrame, models: Sequence[str]) -> Html:
    width, height, left, bottom = 220, 212, 30, 172
    x = Scale(low=_deviate(_LOWEST), high=_deviate(_HIGHEST), start=left, stop=width - 6)
    y = Scale(low=_deviate(_LOWEST), high=_deviate(_HIGHEST), start=bottom, stop=22)
    made = [text(left, 11, group, class_="title")]
    for tick in _TICKS:
        at = _deviate(tick)
        made += [line([(left, y(at)), (width - 6, y(at))], "grid")]
        made += [line([(x(at), 22), (x(at), bottom)], "grid")]
        made += [text(left - 4, y(at) + 3.5, f"{100 * tick:g}", "end", "quiet")]
        made += [text(x(at), bottom + 13, f"{100 * tick:g}", "middle", "quiet")]
    made += [text(width - 6, bottom + 28, "answered / %", "end", "quiet")]
    for model, own in rows.groupby("model", sort=False):
        series = models.index(str(model))
        points = [
            (x(_deviate(a)), y(_deviate(b)))
            for a, b in zip(own["false_accepts"], own["misses"], strict=True)
        ]
        made += [line(points, f"series k{series % N_SERIES}")]
        # The mark of the legend, in the middle of the line.
        made += [mark(series, *points[len(points) // 2], str(model))]
    label = f"{group}: words missed against sounds answered, {len(models)} models"
    return picture(width, height, label, made)


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(float(rate), _LOWEST), _HIGHEST))


def listening_section(record: Record) -> Iterator[Html]:
    """Hours of sound through a detector."""
    yield paragraph(
        "A detector finds words in endless sound and keeps quiet about the rest, at a threshold "
        "chosen on validation streams. The streams are made up from test clips, noise and speech."
    )
    unseen = record.results.detectors_unseen
    if unseen:
        yield paragraph(
            "The models in these tables were trained on the people who speak the words. *Voices "
            "never heard*: the same with models that were trained without them, one person after "
            "the other."
        )
    for name, figures in record.results.detectors.items():
        found = {
            title.replace("_", " "): part
            for title, part in figures.items()
            if isinstance(part, Mapping)
        }
        never_heard = {
            title.replace("_", " "): part for title, part in unseen.get(name, {}).items()
        }
        words = [
            [
                *(title, f"{part['n']:,}", percent(part["hit_rate"]), percent(part["wrong_rate"])),
                *_never_heard(never_heard.get(title), is_studied=bool(never_heard)),
            ]
            for title, part in found.items()
            if "hit_rate" in part
        ]
        quiet = [
            [
                title,
                f"{part['hours']:.1f}",
                f"{part['n']:,}",
                *_per_hour(part),
            ]
            for title, part in found.items()
            if "per_hour" in part
        ]
        said = f"{code(name)}: threshold {figures['threshold']:.3f}"
        if "latency_ms" in figures:
            said += f", answers {figures['latency_ms']:.0f} ms after a word (median)"
        yield paragraph(f"{said}.")
        columns = ["stream", ">words", ">found and right", ">wrong"]
        columns += [">voices never heard", "worst"] if never_heard else []
        parts = [table("Words in the stream", columns, words)]
        others = [
            [title, f"{part['n']:,}", f"{part['minutes']:.1f}", f"{part['false_accepts']:,}"]
            for title, part in found.items()
            if "minutes" in part
        ]
        columns = ["speech", ">pieces", ">minutes", ">false accepts"]
        parts += [table("Speech that is none of the words", columns, others)]
        columns = ["stream", ">hours", ">false accepts", ">an hour", ">95 % interval"]
        parts += [table("Streams without words", columns, quiet)]
        yield details(inline(f"{code(name)} in figures"), parts, is_open=True)


def _never_heard(part: Mapping[str, Any] | None, *, is_studied: bool) -> tuple[str, ...]:
    if not is_studied:
        return ()
    if part is None:
        return "", ""
    return percent(part["hit_rate"]), f"{percent(part['worst'])} {part['worst_speakers']}"


def _per_hour(part: Mapping[str, Any]) -> tuple[str, str]:
    interval = f"{part['per_hour_ci_low']:.2f} to {part['per_hour_ci_high']:.2f}"
    return f"{part['per_hour']:.2f}", interval


def anything_else(record: Record) -> str:
    """What happens to a sound that is no word, in `inline` Markdown."""
    n_words = record.results.corpus["n_words"]
    aim = _AIMS[point(_SPOKEN_OF)]
    found = [
        (float(points[aim]["accuracy"]), name)
        for name, figures in record.rejection.items()
        if "." not in name and aim in (points := _points(figures))
    ]
    if not found:
        return (
            "**Anything else**: these recognisers answer every clip with one of their "
            f"{n_words} words, a cough and a closing door included."
        )
    accuracy, name = max(found)
    rates = _points(record.rejection[name])[aim]["false_accepts"]
    passed = ", ".join(
        f"{value} % of {kind}"
        for kind, value in zip(rates, values(one["rate"] for one in rates.values()), strict=True)
    )
    return (
        f"**Anything else**: without a threshold the models above answer every clip with one of "
        f"their {n_words} words. At its threshold for {aim}, {code(name)} keeps "
        f"{percent(accuracy)} of its own words and answers {passed}."
    )
