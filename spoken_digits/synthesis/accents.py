"""Accents: how speakers of other languages pronounce English.

An accent replaces sounds in a word's phonemes. Which replacements are usual is described in
Swan and Smith, "Learner English" (Cambridge, 2001): a tapped, trilled or uvular r, th as s, t or f,
one length for the vowels of *ship* and *sheep*, simple vowels for diphthongs, and so on.
"""

from __future__ import annotations

import random

Accent = tuple[tuple[str, str], ...]
"""Replacements, in order; none: as the dictionary says."""

NATIVE: Accent = ()

_CHOICES: tuple[tuple[tuple[tuple[str, str], ...], ...], ...] = (
    ((("ɹ", "ɾ"),), (("ɹ", "r"),), (("ɹ", "ʁ"),), ()),
    ((("θ", "s"), ("ð", "z")), (("θ", "t"), ("ð", "d")), (("θ", "f"), ("ð", "v")), ()),
    ((("ɪ", "i"), ("ʊ", "u")), ()),
    ((("ʌ", "a"), ("æ", "a")), ()),
    ((("ᵊ", "ɛ"), ("ə", "ɛ")), (), ()),
    ((("A", "ej"),), (("A", "e"),), ()),
    ((("O", "o"), ("Q", "o")), ()),
    ((("I", "aj"), ("W", "aw")), ()),
    ((("v", "ʋ"),), (("w", "v"),), (), (), ()),
    ((("z", "s"),), (), (), ()),
)
"""Sound by sound, what speakers of some language say; one of each row is drawn."""


def draw_accent(rng: random.Random) -> Accent:
    """An accent: for each row of sounds one choice, which may be to leave them."""
    return tuple(pair for row in _CHOICES for pair in rng.choice(row))


def pronounced(phonemes: str, accent: Accent) -> str:
    """The phonemes as they sound in an accent; no sound is replaced twice."""
    table = dict(accent)
    return "".join(table.get(symbol, symbol) for symbol in phonemes)
