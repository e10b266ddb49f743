"""Detect the same recording under two words: one of the labels is wrong."""

from __future__ import annotations

from spoken_digits.corpora.listing import shorten
from spoken_digits.errors import UserError


class Repeats:
    """Collects recordings that occur under more than one word."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, str]] = {}
        self._found: list[str] = []

    def add(self, digest: str, label: str, name: str) -> None:
        """Add a recording: the digest of its samples or file, and its name in errors."""
        word, first = self._first.setdefault(digest, (label, name))
        if word != label:
            self._found.append(f"{first} and {name}")

    def check(self) -> None:
        """Raise a `UserError` that names all pairs, if there are any."""
        if self._found:
            raise UserError(
                f"the same recording stands under two words: {shorten(self._found, 5)}: "
                "remove the wrong one of each pair"
            )
