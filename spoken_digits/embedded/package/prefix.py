"""Give every identifier, macro and file of an exported folder another prefix than ``sd_``.

Other firmware may own that prefix: Nordic's SoftDevice does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DEFAULT = "sd_"

_TAKEN = ("golden_", "model_")
"""Prefixes of names that an exported folder has besides."""

_SHIELD = "\x01"
"""Divides a prefix in text that is no code; `string_literal` writes it as an octal escape."""


def check(prefix: str) -> None:
    """Refuse a prefix that cannot start the names of an exported folder.

    Raises
    ------
    ValueError
        It is no lower-case C identifier that ends in _, or such names exist already.
    """
    # Without _ it could make a name of the C library: a + tan of sd_tan.
    if re.fullmatch(r"[a-z][a-z0-9_]*_", prefix) is None:
        raise ValueError(f"{prefix!r} is no lower-case C identifier that ends in _, such as acme_")
    if prefix in _TAKEN:
        raise ValueError(f"{prefix!r} starts other names in the folder: use another one")


def shielded(text: str) -> str:
    """`text` as `renamed` leaves it: a label or a fact about the model, not code."""
    return re.sub(r"(?i)sd_", lambda found: f"{found[0][0]}{_SHIELD}{found[0][1:]}", text)


def renamed(texts: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Files by path, their paths and texts with `prefix` for ``sd_``, in capitals for ``SD_``."""
    return {with_prefix(path, prefix): with_prefix(text, prefix) for path, text in texts.items()}


def with_prefix(text: str, prefix: str) -> str:
    """One text with `prefix` for ``sd_``, in capitals for ``SD_``."""
    changed = text.replace("SD_", prefix.upper()).replace("sd_", prefix)
    return changed.replace("\\001", "").replace(_SHIELD, "")
