"""Parameters of voices synthesised by Kokoro-82M."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from spoken_digits.bounds import Bounds


@dataclass(frozen=True, kw_only=True)
class SpokenVoicesParams:
    """Section `spoken_voices`: synthesised voices that say the words of the corpus."""

    blends: Annotated[int, Bounds(0, 9_000, example=162)]
    """Speakers between two of Kokoro's voices, besides its own 54."""
    seed: Annotated[int, Bounds(0, 2**31 - 1, example=0)]
    """Draws accents, speeds, order of the words and the blends."""
