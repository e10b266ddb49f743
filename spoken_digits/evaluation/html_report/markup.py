"""HTML and SVG as nested calls: text is escaped, elements are closed, attributes are quoted.

What comes out is well-formed XML as well, so that a test can parse it without a browser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from spoken_digits.evaluation.report.markdown import cells

_EMPTY = {"br", "hr", "input", "link", "meta"}
_SVG_EMPTY = {"circle", "line", "path", "rect"}


class Html(str):
    """Markup; any other text is escaped when it becomes part of an element."""

    __slots__ = ()


def element(tag: str, /, *children: object, **attributes: object) -> Html:
    """One element.

    Parameters
    ----------
    tag
        Its name.
    children
        Elements, text, None (left out), or lists of these.
    attributes
        ``class_`` is written ``class``, ``aria_label`` as ``aria-label``; None and False leave an
        attribute out, True gives it its own name as value.
    """
    written = "".join(
        f' {_attribute(key)}="{html.escape(_attribute(key) if value is True else str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inner = joined(children)
    if tag in _EMPTY or (tag in _SVG_EMPTY and not inner):
        return Html(f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{inner}</{tag}>")


def joined(children: Iterable[object]) -> Html:
    """Elements and text beside each other."""
    parts = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, (list, tuple)):
            parts.append(joined(child))
        else:
            parts.append(Html(html.escape(_printable(str(child)), quote=False)))
    return Html("".join(parts))


def inline(text: str) -> Html:
    """Markdown inside a line: ``code``, **strong**, *emphasis*; a link keeps its text alone.

    A number and its unit stay on one line.
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<=\d) (?=(?:%|KiB|MiB|dB|ms|s)(?!\w))", "\u00a0", text)
    pieces = re.split(r"(`[^`]+`|\*\*.+?\*\*|\*[^*\s][^*]*\*)", text)
    return joined([_span(piece) for piece in pieces])


def _span(piece: str) -> object:
    for mark, tag in (("`", "code"), ("**", "strong"), ("*", "em")):
        if len(piece) > 2 * len(mark) and piece.startswith(mark) and piece.endswith(mark):
            inner = piece[len(mark) : -len(mark)]
            return element(tag, inner if mark == "`" else inline(inner))
    return piece


def paragraph(text: str, class_: str | None = None) -> Html:
    """A paragraph of `inline` Markdown."""
    return element("p", inline(text), class_=class_)


def bullets(items: Iterable[object], class_: str | None = None) -> Html:
    """A list; text is `inline` Markdown."""
    return element("ul", [element("li", _cell(item)) for item in items], class_=class_)


def table(
    caption: object,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    class_: str | None = None,
) -> Html:
    """A table whose first column heads its rows, in a box that scrolls sideways by itself.

    Parameters
    ----------
    caption
        Says what the table shows.
    columns
        Heads; one that starts with ``>`` is of numbers, aligned to the right.
    rows
        Cells: elements, or text of `inline` Markdown.
    class_
        Of the table.
    """
    numeric = [column.startswith(">") for column in columns]
    heads = [
        element("th", inline(column.removeprefix(">")), scope="col", class_="n" if right else None)
        for column, right in zip(columns, numeric, strict=True)
    ]
    body = [
        element(
            "tr",
            [
                element("th", _cell(cell), scope="row")
                if i == 0
                else element("td", _cell(cell), class_="n" if numeric[i] else None)
                for i, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", heads)),
        element("tbody", body),
        class_=class_,
    )
    # Focusable, so that the arrow keys scroll it.
    return element("div", made, class_="scroll", tabindex=0)


def from_markdown(caption: object, text: str) -> Html:
    """A table that `markdown.table` wrote."""
    head, rule, *lines = map(cells, text.splitlines())
    columns = [
        (">" if mark.endswith(":") else "") + column
        for column, mark in zip(head, rule, strict=True)
    ]
    return table(caption, columns, lines)


def _cell(value: object) -> object:
    return inline(value) if isinstance(value, str) and not isinstance(value, Html) else value


def details(summary: object, *children: object, is_open: bool = False) -> Html:
    """Content that is folded away until it is asked for; print shows it where it is open."""
    return element("details", element("summary", summary), *children, open=is_open)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _printable(text: str) -> str:
    """Without the control characters that no XML may hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "\ufffd", text)
