"""The figures: dots of speakers, training curves, size and cost against accuracy, robustness."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from spoken_digits.evaluation.conditions import KINDS
from spoken_digits.evaluation.html_report import svg
from spoken_digits.evaluation.html_report.markup import Html, element
from spoken_digits.evaluation.html_report.svg import Scale, line, mark, picture, text
from spoken_digits.evaluation.report.collecting import Figures
from spoken_digits.evaluation.report.markdown import percent

_MOST_SHAPES = 8
"""So many speakers have marks of their own; of more, all marks are equal."""
_UNCOUNTED = 3
"""More people than this on one disc are counted on it."""


def dots(studies: Mapping[str, Figures], mean: str) -> Html:
    """One line a model, one mark a speaker, best model first.

    Parameters
    ----------
    studies
        Rows of crossval.json or strangers.json.
    mean
        The key of the mean: ``mean`` or ``accuracy``.
    """
    order = sorted(studies, key=lambda name: -float(studies[name][mean]))
    people = list(dict.fromkeys(who for study in studies.values() for who in study["per_speaker"]))
    lowest = [
        float(of["mean"]) for study in studies.values() for of in study["per_speaker"].values()
    ]
    width, row, top = 360, 30, 8
    bottom = top + row * len(order)
    x = Scale(low=svg.floor_of(lowest, 0.1), high=1.0, start=6, stop=width - 10)
    made = svg.shares_axis(x, top, bottom, 0.1 if 1 - x.low < 0.5 else 0.2)
    for i, name in enumerate(order):
        study, y = studies[name], top + row * i + 21
        low, high = x(study["accuracy_ci_low"]), x(study["accuracy_ci_high"])
        centre = x(study[mean])
        made += [text(0, y - 9, name, class_="title")]
        made += [text(width, y - 9, percent(study[mean]), "end")]
        made += [line([(low, y), (high, y)], "whisker")]
        if len(people) > _MOST_SHAPES:
            made += _crowd([float(of["mean"]) for of in study["per_speaker"].values()], x, y)
        else:
            for who, of in study["per_speaker"].items():
                title = f"{who}: {percent(of['mean'])}, {of['n']} clips"
                made += [mark(people.index(who), x(of["mean"]), y, title)]
        made += [line([(centre, y - 7), (centre, y + 7)], "mean")]
    label = "; ".join(
        f"{name}: {percent(studies[name][mean])}, from "
        f"{percent(min(float(of['mean']) for of in studies[name]['per_speaker'].values()))} to "
        f"{percent(max(float(of['mean']) for of in studies[name]['per_speaker'].values()))}"
        for name in order
    )
    drawn = picture(width, bottom + 18, label, made)
    names = svg.legend(people) if len(people) <= _MOST_SHAPES else None
    return element("div", names, drawn, class_="dots")


def _crowd(means: Sequence[float], x: Scale, y: float) -> Iterator[Html]:
    """One disc for all the people with the same accuracy, its area by their number."""
    for value, n in sorted(Counter(means).items()):
        people = "1 person" if n == 1 else f"{n} people"
        yield element(
            "circle",
            element("title", f"{people}: {percent(value)}"),
            cx=x(value),
            cy=y,
            r=f"{2.2 * math.sqrt(n + 1):.1f}",
            class_="f0",
        )
        if n > _UNCOUNTED:
            yield text(x(value), y + 3.2, n, "middle", "count")


def curves(name: str, table: pd.DataFrame, best_epoch: int | None) -> Html:
    """Accuracy over epochs on train and validation clips, the kept epoch marked."""
    width, height, left, bottom = 220, 136, 24, 112
    last = int(table["epoch"].max())
    x = Scale(low=0, high=max(1, last), start=left, stop=width - 6)
    y = Scale(low=0, high=1, start=bottom, stop=20)
    made = [text(left, 11, name, class_="title"), *svg.shares_axis_up(y, left, width - 6, 0.25)]
    made += [text(left, bottom + 13, "0", "middle", "quiet")]
    made += [text(width - 6, bottom + 13, f"{last} epochs", "end", "quiet")]
    for column, style in (("train_accuracy", "other"), ("val_accuracy", "main")):
        known = table[["epoch", column]].dropna()
        if len(known):
            made += [line([(x(e), y(v)) for e, v in known.itertuples(index=False)], style)]
    kept = table.loc[table["epoch"] == best_epoch, "val_accuracy"].dropna()
    said = f"{name}: {last} epochs"
    if best_epoch is not None and len(kept):
        value = float(kept.iloc[0])
        made += [element("circle", cx=x(best_epoch), cy=y(value), r=3.5, class_="spot")]
        said += f", epoch {best_epoch} kept, validation accuracy {percent(value)}"
    return picture(width, height, said, made)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network in a scatter plot."""

    name: str
    x: float
    accuracy: float
    low: float
    high: float
    series: int


def scatter(points: Sequence[Point], ticks: Mapping[float, str], axis: str, up: str) -> Html:
    """Accuracy against a cost, which is on a logarithmic scale.

    Parameters
    ----------
    points
        At least one.
    ticks
        Label by value of the horizontal axis; those beyond the points are left out.
    axis, up
        What the axes show.
    """
    width, height, left, bottom = 360, 290, 28, 252
    low = svg.floor_of([point.low for point in points], 0.1)
    span = [min(p.x for p in points) / 1.6, max(p.x for p in points) * 1.6]
    x = Scale(low=span[0], high=span[1], start=left, stop=width - 4, is_log=True)
    y = Scale(low=low, high=1.0, start=bottom, stop=24)
    made: list[Html | None] = [text(0, 11, f"{up} / %", class_="quiet")]
    made += svg.shares_axis_up(y, left, width - 4, 0.1 if 1 - low > 0.25 else 0.05)
    for value, label in ticks.items():
        if span[0] <= value <= span[1]:
            made += [line([(x(value), bottom), (x(value), bottom + 4)], "axis")]
            made += [text(x(value), bottom + 16, label, "middle", "quiet")]
    made += [text(width - 4, height - 4, axis, "end", "quiet")]
    places = svg.Labels(width, bottom)
    for point in points:
        places.block(x(point.x), y(point.accuracy), y(point.low), y(point.high))
        made += [line([(x(point.x), y(point.low)), (x(point.x), y(point.high))], "whisker")]
    for point in sorted(points, key=lambda point: -point.accuracy):
        title = f"{point.name}: {percent(point.accuracy)}"
        made += [mark(point.series, x(point.x), y(point.accuracy), title)]
        made += [places.place(x(point.x), y(point.accuracy), point.name)]
    best = max(points, key=lambda point: point.accuracy)
    label = f"{up} against {axis} of {len(points)} networks; best: {best.name}"
    return picture(width, height, label, made)


def robustness(rows: Sequence[Figures], best: str, second: str) -> Iterator[Html]:
    """One figure a condition with levels: accuracy by level, two models in colour."""
    names = [row["model"] for row in rows]
    order = [name for name in names if name not in (best, second)] + [second, best]
    by_name = {row["model"]: row["accuracy"] for row in rows}
    conditions = dict.fromkeys(condition for row in rows for condition, _ in row["accuracy"])
    for condition in conditions:
        levels = list(
            dict.fromkeys(
                level for row in rows for name, level in row["accuracy"] if name == condition
            )
        )
        if len(levels) > 1 and condition in KINDS:
            yield _levels(
                condition, levels, {n: by_name[n] for n in order if n in by_name}, best, second
            )


def _levels(
    condition: str,
    levels: Sequence[str],
    rows: Mapping[str, Mapping[tuple[str, str], float]],
    best: str,
    second: str,
) -> Html:
    width, height, left, bottom = 220, 146, 24, 112
    steps = _with_clean(condition, levels)
    x = Scale(low=0, high=len(steps) - 1, start=left + 6, stop=width - 12)
    y = Scale(low=0, high=1, start=bottom, stop=22)
    kind = KINDS[condition]
    made = [text(left, 11, kind.title, class_="title")]
    made += svg.shares_axis_up(y, left, width - 6, 0.25)
    made += [
        text(x(i), bottom + 13, label or "clean", "middle", "quiet")
        for i, label in enumerate(steps)
    ]
    made += [text(width - 6, bottom + 28, kind.unit, "end", "quiet")]
    for name, accuracy in rows.items():
        keys = [(condition, step) if step else ("clean", "") for step in steps]
        known = [(x(i), y(accuracy[key])) for i, key in enumerate(keys) if key in accuracy]
        style = "main" if name == best else "second" if name == second else "other"
        if len(known) > 1:
            made += [line(known, style)]
    spoken = ", ".join(
        f"{step} {percent(rows[best][(condition, step)])}"
        for step in levels
        if best in rows and (condition, step) in rows[best]
    )
    return picture(width, height, f"{kind.title}, {kind.unit}; {best}: {spoken}", made)


def _with_clean(condition: str, levels: Sequence[str]) -> list[str]:
    """The levels in order, with the empty one of the clips as recorded where it belongs."""
    if condition == "speed":
        return sorted([*levels, ""], key=lambda level: float(level or 1))
    return ["", *levels]
