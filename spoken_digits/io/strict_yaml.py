"""YAML without surprises: plain mappings, lists and values, within bounds.

What params.yaml never needs is refused with its line: keys given twice, anchors and aliases (a
few lines of them can stand for gigabytes), tags, merge keys, keys that are not text, deep nesting,
and what YAML 1.1 and 1.2 read as different values, since DVC reads 1.2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from spoken_digits.errors import UserError

MAX_BYTES = 64 * 1024  # twelve times what the file needs; read in a second or two
MAX_DEPTH = 16
_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
# DVC reads and writes YAML 1.2. There yes, no, on and off are words, without quotes, and a number
# needs neither point nor sign to have an exponent: 1e-05 is what DVC writes.
_OF_YAML_1_2 = {
    "tag:yaml.org,2002:bool": re.compile("^(?:true|True|TRUE|false|False|FALSE)$"),
    "tag:yaml.org,2002:float": re.compile(
        r"^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
        r"|[-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
}
# What still differs: 010 is 8 or 10, 08 and 0o10 a text or 8, 1:30 90 or a text, +_1 a text or 1.
_AMBIGUOUS = re.compile(
    r"^[-+]?(?:0o?[0-9_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$|^(?:[-+]\.?|\.)_[0-9_]*$"
)


def read(path: Path) -> Any:
    """The content of a YAML file: None, a mapping with text keys, a list, or a single value.

    Raises
    ------
    UserError
        The file is missing, too large, not UTF-8, not YAML, or more than plain YAML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the top folder of the repository") from None
    if len(content) > MAX_BYTES:
        raise UserError(f"{path} is larger than {MAX_BYTES // 1024} KiB: cut it down")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}, is not UTF-8: save the file as UTF-8") from None
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except _NotPlainError as error:
        raise UserError(f"{path}, {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


class _NotPlainError(Exception):
    """Valid YAML that params.yaml has no use for."""

    def __init__(self, mark: yaml.Mark, complaint: str) -> None:
        super().__init__(f"line {mark.line + 1}: {complaint}")


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader without anchors, tags, dates and duplicate keys, and of bounded depth."""

    # A date would be neither text nor a number: `2024-01-01` is a fine name of a folder.
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, _OF_YAML_1_2.get(tag, pattern)) for tag, pattern in resolvers if tag != _TIMESTAMP
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _NotPlainError(
                event.start_mark, "anchors (&) and aliases (*) are not allowed: write values out"
            )
        if event.tag is not None:
            raise _NotPlainError(
                event.start_mark, f"tag {event.tag!r:.60} is not allowed: leave it out"
            )
        is_plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
        if is_plain and _AMBIGUOUS.match(event.value):
            raise _NotPlainError(
                event.start_mark,
                f"{event.value:.60} is different numbers or a text to different programs: write a "
                "number without a leading zero or colon, or put it in quotes",
            )
        if self._depth == MAX_DEPTH:
            raise _NotPlainError(event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                hint = "write keys out" if key.tag == _MERGE else "put it in quotes"
                raise _NotPlainError(key.start_mark, f"key {key.value!r:.60} is not a text: {hint}")
            if key.value in lines:
                raise _NotPlainError(
                    key.start_mark,
                    f"key {key.value!r:.60} is given twice, first in line {lines[key.value]}: "
                    "remove one",
                )
            lines[key.value] = key.start_mark.line + 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError:  # a whole number of thousands of digits
            raise _NotPlainError(node.start_mark, "a number that is too long to be read") from None
