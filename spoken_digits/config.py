"""params.yaml as frozen dataclasses: the file is the only source of every value.

A section is read into a keyword-only dataclass without defaults. Unknown keys, missing keys
and values of the wrong type are refused by name, so a typo cannot silently do nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from spoken_digits.errors import UserError

T = TypeVar("T")


class Config(dict[str, Any]):
    """The whole of params.yaml; `section` and `value` read it by type."""

    def section(self, name: str, schema: type[T]) -> T:
        """The section `name` (dots go deeper: ``variants.cnn``) as an instance of `schema`."""
        return build(schema, self.subsection(name), name)

    def value(self, name: str, kind: type[T]) -> T:
        """The single value `name`, such as ``seed`` or ``train.threads``, as `kind`."""
        above, _, key = name.rpartition(".")
        node = self.subsection(above) if above else self
        if key not in node:
            raise UserError(f"params.yaml: `{name}` is missing{_suggest(key, node, above)}")
        return typing.cast(T, _convert(node[key], kind, name))

    def subsection(self, name: str) -> Mapping[str, Any]:
        """The section `name` as it stands in the file, for keys that are checked later."""
        node: Any = self
        for depth, key in enumerate(name.split(".")):
            if not isinstance(node, Mapping) or key not in node:
                above = ".".join(name.split(".")[:depth]) or "params.yaml"
                raise UserError(f"params.yaml: `{name}` is missing{_suggest(key, node, above)}")
            node = node[key]
        if not isinstance(node, Mapping):
            raise UserError(f"params.yaml: `{name}` must be a section with keys, not {node!r}")
        return node


def read_config(path: Path) -> Config:
    """Read params.yaml.

    Raises
    ------
    UserError
        The file is missing or is not a YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the top folder of the repository") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold sections such as `corpus:` and `train:`")
    return Config(content)


def build(schema: type[T], values: Any, name: str) -> T:
    """`values` as an instance of the dataclass `schema`; `name` is where they stand, for errors."""
    if not isinstance(values, Mapping):
        raise UserError(f"params.yaml: `{name}` must be a section with keys, not {values!r}")
    hints = typing.get_type_hints(schema)
    fields = [field.name for field in dataclasses.fields(schema)]  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise UserError(
                f"params.yaml: unknown key `{name}.{key}`{_suggest(str(key), fields, name)}"
            )
    for key in fields:
        if key not in values:
            raise UserError(
                f"params.yaml: `{name}.{key}` is missing: add it (see docs/parameters.md)"
            )
    converted = {key: _convert(values[key], hints[key], f"{name}.{key}") for key in fields}
    try:
        return schema(**converted)
    except ValueError as error:
        raise UserError(f"params.yaml: `{name}.{error}`") from None


def _suggest(key: str, known: Any, where: str) -> str:
    names = [str(k) for k in known] if isinstance(known, (Mapping, list)) else []
    close = difflib.get_close_matches(key, names, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; `{where}` has: {', '.join(names)}" if names else ""


def _convert(value: Any, hint: Any, name: str) -> Any:
    """`value` as the declared type.

    YAML reads ``1e-05``, which is what DVC writes for ``-S train.learning_rate=0.00001``, as a
    string: the declared type decides, not YAML's guess.
    """
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        (hint,) = [option for option in options if option is not type(None)]
        return _convert(value, hint, name)
    if origin is typing.Literal:
        options = typing.get_args(hint)
        if value not in options:
            close = difflib.get_close_matches(str(value), [str(o) for o in options], n=1)
            hint_text = f"; did you mean `{close[0]}`?" if close else ""
            raise UserError(
                f"params.yaml: `{name}` is {value!r}, must be one of "
                f"{', '.join(map(str, options))}{hint_text}"
            )
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise UserError(f"params.yaml: `{name}` must be a list, not {value!r}")
        (item, _) = typing.get_args(hint)
        return tuple(_convert(v, item, f"{name}[{i}]") for i, v in enumerate(value))
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, name)
    if origin is dict or hint is dict:
        if not isinstance(value, Mapping):
            raise UserError(f"params.yaml: `{name}` must be a section with keys, not {value!r}")
        return dict(value)
    return _convert_scalar(value, hint, name)


def _convert_scalar(value: Any, hint: Any, name: str) -> Any:
    wrong = UserError(f"params.yaml: `{name}` is {value!r}, must be {_TYPE_NAMES.get(hint, hint)}")
    if hint is bool or isinstance(value, bool):
        if hint is bool and isinstance(value, bool):
            return value
        raise wrong
    if hint is str:
        if isinstance(value, str):
            return value
        raise wrong
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise wrong from None
    if hint is float:
        return number
    if hint is int and number.is_integer():
        return int(value) if not isinstance(value, str) else int(number)
    raise wrong


_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
