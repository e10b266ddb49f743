"""Values from files, held to the types that frozen dataclasses declare.

Files are read into keyword-only dataclasses. Unknown keys, missing keys, values of the wrong type
and values out of bounds are refused by name, so a typo cannot silently do nothing. Bounds are part
of a field's type::

    epochs: Annotated[int, Bounds(1, 10_000, example=40)]
    gradient_clip: Annotated[float, Bounds(above=0, high=1e6, example=1.0)] | None
    path: Annotated[str, Length(1, 1000, example="data/recordings")]

A field with a default may be missing. What ties several fields together is checked in the
dataclass's ``__post_init__``, by a ValueError whose text starts with the field's name in backticks.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from spoken_digits.bounds import Bounds, Form, Keys, Length
from spoken_digits.errors import UserError, did_you_mean, shown, suggest

T = TypeVar("T")


def build(schema: type[T], values: Any, name: str, source: str, *, exact: bool = False) -> T:
    """`values` as an instance of the dataclass `schema`.

    Parameters
    ----------
    schema
        A dataclass; a field with a default may be missing.
    values
        A mapping with a key for each field.
    name
        Where the values stand in `source`, for errors: ``variants.cnn``; empty at the top.
    source
        The file they come from, for errors.
    exact
        Whether a number must be written as its type: otherwise 3.0 is a whole number too.

    Raises
    ------
    UserError
        A key is unknown or missing, or a value is wrong; one line that names it.
    """
    return typing.cast(T, _Reader(source, exact).build(schema, values, name))


def convert_part(
    schema: type, values: Any, name: str, source: str, without: Iterable[str] = ()
) -> dict[str, Any]:
    """Some of the fields of `schema`, checked and converted, such as a model's own `train`.

    Parameters and errors are those of `build`; fields named in `without` are refused.
    """
    hints = {key: hint for key, hint in field_hints(schema).items() if key not in without}
    return _Reader(source).convert_keys(hints, values, name)


def convert_all(
    hints: Mapping[str, Any], values: Any, name: str, source: str, *, exact: bool = False
) -> dict[str, Any]:
    """A mapping that has all the keys of `hints` and no other, each of its type.

    Parameters and errors are those of `build`.
    """
    reader = _Reader(source, exact)
    converted = reader.convert_keys(hints, values, name)
    for key, hint in hints.items():
        if key not in converted:
            raise reader.missing(hint, _join(name, key))
    return converted


def convert(value: Any, hint: Any, name: str, source: str) -> Any:
    """A single value as the type `hint`; parameters and errors are those of `build`."""
    return _Reader(source).convert(value, hint, name)


@functools.cache
def field_hints(schema: type) -> dict[str, Any]:
    """The type of each field of a dataclass, bounds included."""
    hints = typing.get_type_hints(schema, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(schema)}


def describe(hint: Any) -> str:
    """What a field of this type accepts: ``a whole number from 1 to 10,000, or null``."""
    plain, rule = _unwrap(hint)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in _UNIONS:
        return f"{describe(_without_none(plain))}, or null"
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}" if arguments[1:] else f"{arguments[0]}"
    if origin in (list, tuple):
        length = _length(plain, rule)
        items = "a list"
        if length is not None:
            low, high = length.low, length.high
            items += f" of {low} items" if low == high else f" of {low} to {high:,} items"
        return f"{items}, each {describe(arguments[0])}"
    if plain in _TYPE_NAMES:
        if isinstance(rule, Length):
            return f"{_TYPE_NAMES[plain]} of {rule.low} to {rule.high:,} characters"
        return f"{_TYPE_NAMES[plain]} {rule}" if rule else _TYPE_NAMES[plain]
    if isinstance(rule, Keys):
        return f"a section whose keys are among {', '.join(rule.names)}"
    return "a section with keys of its own"


_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
_UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True)
class _Reader:
    """Converts values by declared type."""

    source: str
    """The file they stand in."""
    exact: bool = False

    def build(self, schema: type, values: Any, name: str) -> Any:
        converted = self.convert_keys(field_hints(schema), values, name)
        for field in dataclasses.fields(schema):
            if field.name not in converted and not _has_default(field):
                raise self.missing(field_hints(schema)[field.name], _join(name, field.name))
        try:
            return schema(**converted)
        except ValueError as error:
            raise UserError(f"{self.source}: {_placed(str(error), name)}") from None

    def convert_keys(self, hints: Mapping[str, Any], values: Any, name: str) -> dict[str, Any]:
        """The values that are there, each as the type of its key."""
        if not isinstance(values, Mapping):
            raise self._wrong(values, dict, name)
        for key in values:
            if key not in hints:
                raise self._unknown(key, hints, name)
        return {key: self.convert(v, hints[key], _join(name, key)) for key, v in values.items()}

    def convert(self, value: Any, hint: Any, name: str) -> Any:
        """`value` as the declared type."""
        if typing.get_origin(hint) in _UNIONS:
            return None if value is None else self._convert(value, _without_none(hint), hint, name)
        return self._convert(value, hint, hint, name)

    def _convert(self, value: Any, hint: Any, declared: Any, name: str) -> Any:
        """`value` as `hint`; errors speak of `declared`, which may allow null as well."""
        plain, rule = _unwrap(hint)
        origin, arguments = typing.get_origin(plain), typing.get_args(plain)
        if plain is Any:
            return value
        if dataclasses.is_dataclass(plain):
            return self.build(typing.cast(type, plain), value, name)
        if origin is Literal:
            # True == 1: the type counts too.
            if any(type(value) is type(option) and value == option for option in arguments):
                return value
        elif origin in (list, tuple) and isinstance(value, list | tuple):
            length = _length(plain, rule)
            if length is None or length.low <= len(value) <= length.high:
                items = enumerate(value)
                return origin(self.convert(v, arguments[0], f"{name}[{i}]") for i, v in items)
        elif origin is dict and isinstance(value, Mapping):
            return self._convert_mapping(value, arguments[1], rule, name)
        elif plain is bool and isinstance(value, bool):
            return value
        elif plain is str and isinstance(value, str):
            if _is_text(value, rule):
                return value
        elif plain in (int, float):
            number = _number(value, plain, self.exact)
            if number is not None and (rule or Bounds()).hold(number):
                return number
        raise self._wrong(value, declared, name)

    def _convert_mapping(
        self, values: Mapping[Any, Any], hint: Any, rule: Keys | None, name: str
    ) -> dict[Any, Any]:
        for key in values:
            if rule is not None and key not in rule.names:
                raise self._unknown(key, rule.names, name)
        if hint is Any:
            return dict(values)
        return {key: self.convert(v, hint, _join(name, str(key))) for key, v in values.items()}

    def missing(self, hint: Any, name: str) -> UserError:
        """The error about a key that is not there."""
        return UserError(
            f"{self.source}: `{name}` is missing, it must be {describe(hint)}{_advice(hint, None)}"
        )

    def _unknown(self, key: Any, known: Iterable[str], name: str) -> UserError:
        where = _join(name, shown(key).strip("'"))
        return UserError(f"{self.source}: unknown key `{where}`{suggest(key, known, name)}")

    def _wrong(self, value: Any, hint: Any, name: str) -> UserError:
        return UserError(
            f"{self.source}: `{name}` is {shown(value)}, "
            f"must be {describe(hint)}{_advice(hint, value)}"
        )


def _advice(hint: Any, value: Any) -> str:
    """An example of the type, or the option nearest to `value`, for the end of a message."""
    plain, rule = _unwrap(hint)
    if typing.get_origin(plain) in _UNIONS:
        plain, rule = _unwrap(_without_none(plain))
    if rule is not None and rule.example is not None:
        return f", such as {rule.example}"
    if typing.get_origin(plain) is Literal and value is not None:
        return did_you_mean(value, typing.get_args(plain))
    return ""


def _unwrap(hint: Any) -> tuple[Any, Any]:
    """A type without its annotation, and the rule in the annotation."""
    if typing.get_origin(hint) is typing.Annotated:
        plain, rule, *_ = typing.get_args(hint)
        return plain, rule
    return hint, None


def _without_none(union: Any) -> Any:
    (option,) = [option for option in typing.get_args(union) if option is not type(None)]
    return option


def _has_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _length(plain: Any, rule: Length | None) -> Length | None:
    """How long a list may be: a tuple of so many types has one length only."""
    arguments = typing.get_args(plain)
    if typing.get_origin(plain) is tuple and Ellipsis not in arguments:
        return Length(len(arguments), len(arguments))
    return rule


def _is_text(value: str, rule: Length | Form | None) -> bool:
    if isinstance(rule, Form):
        return re.fullmatch(rule.pattern, value) is not None
    if rule is None:
        return value.isprintable()
    return rule.low <= len(value) <= rule.high and (value.isprintable() or not rule.printable)


def _number(value: Any, kind: type, exact: bool) -> float | None:
    """`value` as `kind`, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if kind is int and (not number.is_integer() or (exact and isinstance(value, float))):
        return None
    return int(value) if kind is int else number


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _placed(message: str, name: str) -> str:
    """A message of a ``__post_init__`` with the section before the key that it starts with."""
    if message.startswith("`"):
        return f"`{_join(name, message[1:])}"
    return f"`{name}`: {message}" if name else message
