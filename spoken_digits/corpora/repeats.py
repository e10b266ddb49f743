"""The same recording under two words: one of the labels is wrong."""

from __future__ import annotations

from spoken_digits.corpora.listing import shorten
from spoken_digits.errors import UserError


class Repeats:
    """Watches recordings pass by and remembers those heard before under another word."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, str]] = {}
        self._found: list[str] = []

    def add(self, digest: str, label: str, name: str) -> None:
        """`digest` is of the samples or the file, `name` is how errors call the recording."""
        word, first = self._first.setdefault(digest, (label, name))
        if word != label:
            self._found.append(f"{first} and {name}")

    def check(self) -> None:
        """Raise `UserError` that names all pairs, if there are any."""
        if self._found:
            raise UserError(
                f"the same recording stands under two words: {shorten(self._found, 5)}: "
                "remove the wrong one of each pair"
            )
