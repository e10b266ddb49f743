"""What figures are drawn with: scales, marks, axes. Sizes are in units of the figure's width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spoken_digits.evaluation.html_report.markup import Html, element
from spoken_digits.evaluation.html_report.palette import N_SERIES

_SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M-3.6-3.6h7.2v7.2h-7.2z",
    "M0-5L5 0 0 5-5 0z",
    "M0-4.8L4.8 3.8H-4.8z",
    "M0 4.8L4.8-3.8H-4.8z",
    "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
    "M-4.5-2.5h9v5h-9z",
    "M-2.5-4.5h5v9h-5z",
)
_WIDTH_OF_LETTER = 5.7


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From values to positions."""

    low: float
    high: float
    start: float
    """Position of `low`."""
    stop: float
    """Position of `high`."""
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Position of a value, to a tenth."""
        low, high = self._inner(self.low), self._inner(self.high)
        share = (self._inner(value) - low) / (high - low)
        return round(self.start + share * (self.stop - self.start), 1) + 0.0

    def _inner(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def picture(width: float, height: float, label: str, *children: object) -> Html:
    """An image for readers who see it, `label` for those who hear it."""
    return element(
        "svg", *children, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=label
    )


def text(
    x: float, y: float, content: object, anchor: str = "start", class_: str | None = None
) -> Html:
    """A line of text that starts, ends or is centred at x."""
    where = None if anchor == "start" else anchor
    return element("text", content, x=f"{x:g}", y=f"{y:g}", text_anchor=where, class_=class_)


def line(points: Iterable[tuple[float, float]], class_: str) -> Html:
    """A line through points."""
    return element("path", d="M" + "L".join(f"{x:g} {y:g}" for x, y in points), class_=class_)


def mark(series: int, x: float, y: float, title: str = "") -> Html:
    """The mark of a series: colour and shape."""
    return element(
        "path",
        element("title", title) if title else None,
        d=_SHAPES[(series + series // N_SERIES) % len(_SHAPES)],
        transform=f"translate({x:g} {y:g})",
        class_=f"f{series % N_SERIES}",
    )


def legend(names: Sequence[str]) -> Html:
    """Marks and what they stand for."""
    items = [
        element(
            "li",
            element("svg", mark(i, 8, 8), viewBox="0 0 16 16", aria_hidden="true"),
            name,
        )
        for i, name in enumerate(names)
    ]
    return element("ul", items, class_="legend")


def shares_axis(scale: Scale, top: float, bottom: float, step: float) -> list[Html]:
    """Grid and labels of a horizontal axis of accuracies, in per cent."""
    made = []
    first = math.ceil(scale.low / step - 1e-9)
    for i in range(first, math.floor(scale.high / step + 1e-9) + 1):
        x = scale(i * step)
        made += [line([(x, top), (x, bottom)], "grid")]
        made += [text(x, bottom + 13, f"{100 * i * step:.0f}", "middle", "quiet")]
    return made


def shares_axis_up(scale: Scale, left: float, right: float, step: float) -> list[Html]:
    """Grid and labels of a vertical axis of accuracies, in per cent."""
    made = []
    first = math.ceil(scale.low / step - 1e-9)
    for i in range(first, math.floor(scale.high / step + 1e-9) + 1):
        y = scale(i * step)
        made += [line([(left, y), (right, y)], "grid")]
        made += [text(left - 5, y + 3.5, f"{100 * i * step:.0f}", "end", "quiet")]
    return made


def floor_of(values: Iterable[float], step: float) -> float:
    """The largest multiple of `step` below all values."""
    return max(0.0, math.floor(min(values) / step - 1e-9) * step)


_Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Labels:
    """Places names beside points so that none covers another; those without room are left out."""

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width, height
        self._taken: list[_Box] = []
        self._intervals: list[_Box] = []

    def block(self, x: float, y: float, low: float, high: float) -> None:
        """Keep clear of a point and, where possible, of its interval."""
        self._taken.append((x - 5, y - 5, x + 5, y + 5))
        self._intervals.append((x - 1, high, x + 1, low))

    def place(self, x: float, y: float, name: str) -> Html | None:
        """The name beside the point at x, y, where there is room."""
        for avoided in ([*self._taken, *self._intervals], self._taken):
            for anchor, dx, dy in _PLACES:
                box = _box(x + dx, y + dy, name, anchor)
                if self._is_inside(box) and not any(_overlap(box, other) for other in avoided):
                    self._taken.append(box)
                    return text(x + dx, y + dy, name, anchor, "quiet")
        return None

    def _is_inside(self, box: _Box) -> bool:
        return box[0] >= 0 and box[1] >= 0 and box[2] <= self._width and box[3] <= self._height


_PLACES = tuple(
    (anchor, dx, dy)
    for dy in (3.5, -8.0, 15.0, -19.0, 26.0)
    for anchor, dx in (("start", 8.0), ("end", -8.0))
)


def _box(x: float, y: float, name: str, anchor: str) -> _Box:
    width = _WIDTH_OF_LETTER * len(name)
    left = x if anchor == "start" else x - width
    return left, y - 9, left + width, y + 2


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
