"""Values read from files, held to declared types and bounds.

pydantic does the checking, strictly: no text is taken for a number and no unknown key is passed
over. Its errors become the short phrases that our one-line messages need.
"""

from __future__ import annotations

import functools
import json
import typing
from typing import Any, Literal, TypeVar

import pydantic

from spoken_digits.errors import UserError, printable

T = TypeVar("T")
Extra = Literal["forbid", "ignore"]


def parse(kind: type[T], value: Any, where: str = "", extra: Extra = "forbid") -> T:
    """JSON content `value` as an instance of `kind`: a dataclass, or any type with bounds.

    Parameters
    ----------
    kind
        What it must be; a dataclass's own ``__post_init__`` checks run too.
    value
        Nothing but what JSON holds.
    where
        Where it stands, for the error.
    extra
        Whether keys that a dataclass does not name are refused.

    Raises
    ------
    UserError
        Naming the first key that is missing, unknown, of the wrong type or out of bounds.
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        raise UserError(f"{where}: must hold finite numbers only") from None
    return parse_json(kind, text, where, extra)


def parse_json(kind: type[T], text: str, where: str = "", extra: Extra = "forbid") -> T:
    """As `parse`, from JSON text."""
    try:
        parsed: T = _adapter(typing.cast(Any, kind)).validate_json(text, strict=True, extra=extra)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        location = ".".join(str(part) for part in (where, *first["loc"]) if part != "")
        message = first["msg"].removeprefix("Value error, ").replace("`", "")
        raise UserError(printable(f"{location or 'JSON'}: {message}")) from None
    return parsed


@functools.cache
def _adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)
