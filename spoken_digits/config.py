"""params.yaml: the file is the only source of every value.

Its sections are read into frozen dataclasses without defaults, as `spoken_digits.validation` says.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from spoken_digits import validation
from spoken_digits.bounds import Bounds
from spoken_digits.errors import UserError, shown, suggest
from spoken_digits.io import strict_yaml

T = TypeVar("T")
_SOURCE = "params.yaml"
_SINGLE_VALUES = {"seed": Annotated[int, Bounds(0, 2**31 - 1, example=42)]}

SECTIONS = (
    *_SINGLE_VALUES,
    "corpus",
    "features",
    "split",
    "train",
    "model",
    "variants",
    "quantize",
    "measure",
    "detector",
    "detect",
    "robustness",
    "spoken_voices",
    "studies",
)
"""Every name at the top of params.yaml; a section may be left out until a stage asks for it."""


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
        return typing.cast(T, validation.convert(node[key], hint, name, _SOURCE))

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
        The file is missing, is not plain YAML (see `strict_yaml`), is no mapping, or has a section
        that nothing reads.
    """
    content = strict_yaml.read(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold sections such as `corpus:` and `train:`")
    for name in content:
        if name not in SECTIONS:
            written = shown(name).strip("'")
            raise UserError(
                f"{path.name}: unknown section `{written}`{suggest(name, SECTIONS, path.name)}"
            )
    return Config(content)


def build(schema: type[T], values: Any, name: str) -> T:
    """`validation.build` of values that stand in params.yaml."""
    return validation.build(schema, values, name, _SOURCE)


def convert_part(
    schema: type, values: Any, name: str, without: Iterable[str] = ()
) -> dict[str, Any]:
    """`validation.convert_part` of values that stand in params.yaml."""
    return validation.convert_part(schema, values, name, _SOURCE, without)
