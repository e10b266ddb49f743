"""params.yaml as frozen dataclasses: the file is the only source of every value.

A section is read into a keyword-only dataclass without defaults. Unknown keys, missing keys,
values of the wrong type and values out of bounds are refused by name, so a typo cannot silently
do nothing. Bounds are part of a field's type::

    epochs: Annotated[int, Bounds(1, 10_000, example=40)]
    gradient_clip: Annotated[float, Bounds(above=0, high=1e6, example=1.0)] | None
    path: Annotated[str, Length(1, 1000, example="data/recordings")]

What ties several fields together is checked in the dataclass's ``__post_init__``, by a ValueError
whose text starts with the field's name and a backtick.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from spoken_digits.bounds import Bounds, Keys
from spoken_digits.errors import UserError, did_you_mean, shown, suggest
from spoken_digits.io import strict_yaml

T = TypeVar("T")


_SINGLE_VALUES = {"seed": Annotated[int, Bounds(0, 2**31 - 1, example=42)]}


class Config(dict[str, Any]):
    """The whole of params.yaml; `section` and `value` read it by type."""

    def section(self, name: str, schema: type[T]) -> T:
        """The section `name` (dots go deeper: ``variants.cnn``) as an instance of `schema`."""
        return build(schema, self.subsection(name), name)

    def value(self, name: str, kind: type[T], hint: Any = None) -> T:
        """The single value `name`, such as ``seed`` or ``train.threads``, as `kind`.

        `hint` is the full type, such as ``Annotated[int, Bounds(1, 9)]``, where `kind` allows more.
        """
        above, _, key = name.rpartition(".")
        node = self.subsection(above) if above else self
        if key not in node:
            raise UserError(f"params.yaml: `{name}` is missing{suggest(key, node, above)}")
        hint = hint or _SINGLE_VALUES.get(name, kind)
        return typing.cast(T, _Reader("params.yaml").convert(node[key], hint, name))

    def subsection(self, name: str) -> Mapping[str, Any]:
        """The section `name` as it stands in the file, for keys that are checked later."""
        node: Mapping[str, Any] = self
        above = "params.yaml"
        for key in name.split("."):
            if key not in node:
                raise UserError(f"params.yaml: `{name}` is missing{suggest(key, node, above)}")
            inner = node[key]
            above = key if node is self else f"{above}.{key}"
            if not isinstance(inner, Mapping):
                raise UserError(
                    f"params.yaml: `{above}` is {shown(inner)}, "
                    "must be a section with keys of its own"
                )
            node = inner
        return node


def read_config(path: Path) -> Config:
    """Read params.yaml.

    Raises
    ------
    UserError
        The file is missing, is not plain YAML (see `strict_yaml`), or is no mapping.
    """
    content = strict_yaml.read(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold sections such as `corpus:` and `train:`")
    return Config(content)


def build(schema: type[T], values: Any, name: str, source: str = "params.yaml") -> T:
    """`values` as an instance of the dataclass `schema`.

    Parameters
    ----------
    schema
        A dataclass; a field with the default None may be missing.
    values
        A mapping with a key for each field.
    name
        Where the values stand in `source`, for errors: ``variants.cnn``.
    source
        The file they come from, for errors.

    Raises
    ------
    UserError
        A key is unknown or missing, or a value is wrong; one line that names it.
    """
    return typing.cast(T, _Reader(source).build(schema, values, name))


def convert_part(
    schema: type, values: Any, name: str, source: str = "params.yaml", without: Iterable[str] = ()
) -> dict[str, Any]:
    """Some of the fields of `schema`, checked and converted, such as a model's own `train`.

    Parameters and errors are those of `build`; fields named in `without` are refused.
    """
    return _Reader(source).convert_part(schema, values, name, without)


@functools.cache
def field_hints(schema: type) -> dict[str, Any]:
    """The type of each field of a dataclass, bounds included."""
    hints = typing.get_type_hints(schema, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(schema)}


def describe(hint: Any) -> str:
    """What a field of this type accepts: ``a whole number from 1 to 10,000, or null``."""
    plain, rule = _unwrap(hint)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in (typing.Union, types.UnionType):
        return f"{describe(_without_none(plain))}, or null"
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}" if arguments[1:] else f"{arguments[0]}"
    if origin is tuple:
        items = f"a list of {rule.low} to {rule.high} items" if rule else "a list"
        return f"{items}, each {describe(arguments[0])}"
    if plain in _TYPE_NAMES:
        suffix = f" of {rule.low} to {rule.high:,} characters" if plain is str and rule else ""
        suffix = f" {rule}" if isinstance(rule, Bounds) else suffix
        return _TYPE_NAMES[plain] + suffix
    if isinstance(rule, Keys):
        return f"a section whose keys are among {', '.join(rule.names)}"
    return "a section with keys of its own"


_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", re.ASCII)


@dataclass(frozen=True)
class _Reader:
    """Converts values by declared type; `source` is the file they stand in."""

    source: str

    def build(self, schema: type, values: Any, name: str) -> Any:
        converted = self.convert_part(schema, values, name)
        for field in dataclasses.fields(schema):
            if field.name in converted:
                continue
            if field.default is not None:
                raise UserError(
                    f"{self.source}: `{_join(name, field.name)}` is missing: "
                    "add it (see docs/parameters.md)"
                )
            converted[field.name] = None
        try:
            return schema(**converted)
        except ValueError as error:
            raise UserError(f"{self.source}: `{_join(name, str(error))}") from None

    def convert_part(
        self, schema: type, values: Any, name: str, without: Iterable[str] = ()
    ) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            raise self._wrong(values, schema, name)
        hints = {key: hint for key, hint in field_hints(schema).items() if key not in without}
        for key in values:
            if key not in hints:
                raise self._unknown(key, hints, name)
        return {key: self.convert(v, hints[key], _join(name, key)) for key, v in values.items()}

    def convert(self, value: Any, hint: Any, name: str) -> Any:
        """`value` as the declared type."""
        if typing.get_origin(hint) in (typing.Union, types.UnionType):
            return None if value is None else self._convert(value, _without_none(hint), hint, name)
        return self._convert(value, hint, hint, name)

    def _convert(self, value: Any, hint: Any, declared: Any, name: str) -> Any:
        """`value` as `hint`; errors speak of `declared`, which may allow null as well."""
        plain, rule = _unwrap(hint)
        origin, arguments = typing.get_origin(plain), typing.get_args(plain)
        if dataclasses.is_dataclass(plain):
            return self.build(typing.cast(type, plain), value, name)
        if origin is Literal:
            # True == 1: the type counts too.
            if any(type(value) is type(option) and value == option for option in arguments):
                return value
        elif origin is tuple and isinstance(value, list | tuple):
            if rule is None or rule.low <= len(value) <= rule.high:
                items = enumerate(value)
                return tuple(self.convert(v, arguments[0], f"{name}[{i}]") for i, v in items)
        elif origin is dict and isinstance(value, Mapping):
            return self._convert_mapping(value, arguments[1], rule, name)
        elif plain is bool and isinstance(value, bool):
            return value
        elif plain is str and isinstance(value, str):
            if value.isprintable() and (rule is None or rule.low <= len(value) <= rule.high):
                return value
        elif plain in (int, float):
            number = _number(value, plain)
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

    def _unknown(self, key: Any, known: Iterable[str], name: str) -> UserError:
        where = _join(name, shown(key).strip("'"))
        return UserError(f"{self.source}: unknown key `{where}`{suggest(key, known, name)}")

    def _wrong(self, value: Any, hint: Any, name: str) -> UserError:
        plain, rule = _unwrap(hint)
        if typing.get_origin(plain) in (typing.Union, types.UnionType):
            plain, rule = _unwrap(_without_none(plain))
        advice = ""
        if rule is not None and rule.example is not None:
            advice = f", such as {rule.example}"
        elif typing.get_origin(plain) is Literal:
            advice = did_you_mean(value, typing.get_args(plain))
        return UserError(
            f"{self.source}: `{name}` is {shown(value)}, must be {describe(hint)}{advice}"
        )


def _unwrap(hint: Any) -> tuple[Any, Any]:
    """A type without its annotation, and the rule in the annotation."""
    if typing.get_origin(hint) is typing.Annotated:
        plain, rule, *_ = typing.get_args(hint)
        return plain, rule
    return hint, None


def _without_none(union: Any) -> Any:
    (option,) = [option for option in typing.get_args(union) if option is not type(None)]
    return option


def _number(value: Any, kind: type) -> float | None:
    """`value` as `kind`, or None.

    YAML reads ``1e-05``, which is what DVC writes for ``-S train.learning_rate=0.00001``, as a
    string: the declared type decides, not YAML's guess.
    """
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if kind is int and not number.is_integer():
        return None
    return int(value) if kind is int else number


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
