"""The YAML at the head of a card, in the keys that model hubs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_LICENCES = {
    "CC BY 4.0": "cc-by-4.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "MIT": "mit",
}
"""Licence in data/raw/provenance.json -> identifier; any other one is `other`, with its name."""


def front_matter(content: Mapping[str, Any]) -> str:
    """`content` between its two lines of dashes."""
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{text}---"


def licence(corpus: Mapping[str, Any]) -> dict[str, str]:
    """The keys on the licence of a corpus, and so of what is made from it."""
    known = _LICENCES.get(corpus["licence"])
    if known:
        return {"license": known}
    return {"license": "other", "license_name": str(corpus["licence"])}
