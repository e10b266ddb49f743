"""Values in files: accepted by type, or refused with a message that names them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from spoken_digits.bounds import Bounds, Digest, Length
from spoken_digits.errors import UserError
from spoken_digits.validation import build, convert, convert_all, describe


@dataclass(frozen=True, kw_only=True)
class Part:
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"`low` is {self.low}, must not exceed high ({self.high})")
        if self.low == self.high:
            raise ValueError("nothing lies between")


@dataclass(frozen=True, kw_only=True)
class Whole:
    part: Part
    words: Annotated[list[Annotated[str, Length(1, 5)]], Length(1, 3)]
    size: tuple[Annotated[int, Bounds(1, 9)], Annotated[int, Bounds(1, 9)]]
    share: float
    free: dict[str, Any]
    digest: Digest | None = None
    scheme: Annotated[str, Length(1, 5)] = "none"
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


VALUES = {
    "part": {"low": 1, "high": 2},
    "words": ["ja", "nein"],
    "size": [3, 4],
    "share": 1,
    "free": {"a": [1, {"b": None}]},
}


def test_each_value_gets_its_type_and_defaults_may_be_missing():
    whole = build(Whole, VALUES, "", "a.json", exact=True)
    assert whole == Whole(
        part=Part(low=1, high=2),
        words=["ja", "nein"],
        size=(3, 4),
        share=1.0,
        free={"a": [1, {"b": None}]},
    )
    assert isinstance(whole.share, float)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("words", "ja", "`words` is 'ja', must be a list of 1 to 3 items, each a text of 1 to 5"),
        ("words", [], "`words` is [], must be a list of 1 to 3 items"),
        ("words", ["a"] * 4, "`words` is ['a', 'a', 'a', 'a'], must be a list of 1 to 3 items"),
        ("words", ["ja", "\x1b[2J"], "`words[1]` is '\\x1b[2J', must be a text of 1 to 5"),
        ("size", [3], "`size` is [3], must be a list of 2 items, each a whole number from 1 to 9"),
        ("size", [3, 10], "`size[1]` is 10, must be a whole number from 1 to 9"),
        ("size", [3, 4.0], "`size[1]` is 4.0, must be a whole number from 1 to 9"),
        ("share", "1e-05", "`share` is '1e-05', must be a number"),
        ("share", True, "`share` is true, must be a number"),
        ("free", [], "`free` is [], must be a section with keys of its own"),
        ("digest", "A" * 64, f"`digest` is '{'A' * 56}..., must be a text of 64 hexadecimal dig"),
        ("scheme", None, "`scheme` is null, must be a text of 1 to 5 characters"),
        ("part", {"low": 1}, "`part.high` is missing, it must be a whole number"),
        ("part", {"low": 3, "high": 2}, "`part.low` is 3, must not exceed high (2)"),
        ("part", {"low": 2, "high": 2}, "`part`: nothing lies between"),
        ("prat", {}, "unknown key `prat`; did you mean `part`?"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(key, value, message):
    with pytest.raises(UserError) as caught:
        build(Whole, {**VALUES, key: value}, "", "a.json", exact=True)
    assert str(caught.value).startswith(f"a.json: {message}")
    assert str(caught.value).count("`") % 2 == 0


def test_only_where_asked_a_number_must_be_written_as_its_type():
    whole = build(Whole, {**VALUES, "size": [3, 4.0], "share": 1}, "", "a.yaml")
    assert whole.size == (3, 4)
    assert isinstance(whole.size[1], int)
    assert isinstance(whole.share, float)


def test_a_text_is_no_number_wherever_it_stands():
    """DVC compares it with the record as a text."""
    with pytest.raises(UserError, match=r"^a.yaml: `share` is '1e-05', must be a number"):
        build(Whole, {**VALUES, "share": "1e-05"}, "", "a.yaml")


def test_all_keys_of_a_mapping():
    hints = {"a": int, "b": Annotated[int, Bounds(0, 9, example=3)]}
    assert convert_all(hints, {"b": 1, "a": 2}, "x", "a.json") == {"a": 2, "b": 1}
    with pytest.raises(UserError, match=r"^a.json: `x.b` is missing, it must .*, such as 3$"):
        convert_all(hints, {"a": 2}, "x", "a.json")
    with pytest.raises(UserError, match=r"^a.json: unknown key `x.c`"):
        convert_all(hints, {"a": 2, "b": 1, "c": 0}, "x", "a.json")


def test_a_text_from_outside_may_hold_any_character():
    label = Annotated[str, Length(1, 5, printable=False)]
    assert convert("\x1b", label, "label", "a.json") == "\x1b"
    assert describe(label) == "a text of 1 to 5 characters"
