"""English words in the phonemes of Kokoro, spelled by eSpeak NG in a process of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from spoken_digits.corpora import espeak_worker
from spoken_digits.corpora.synthetic import working_folder
from spoken_digits.errors import UserError

ENGLISH = ("en-us", "en-gb-x-rp")
"""American and British."""

_FROM_ESPEAK = (
    ("e^ɪ", "A"),
    ("a^ɪ", "I"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("a^ʊ", "W"),
    ("ɔ^ɪ", "Y"),
    ("t^ʃ", "ʧ"),
    ("d^ʒ", "ʤ"),
    ("ə^l", "ᵊl"),
    ("ɚ", "əɹ"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("x", "k"),
    ("o", "ɔ"),
    ("e", "ɛ"),
    ("^", ""),
)
"""eSpeak NG's symbols (`^` joins two to one sound) -> Kokoro's, in this order; after
hexgrad/misaki, which Kokoro was trained with."""
_AMERICAN = "en-us"


def spell(words: Sequence[str], english: str, alphabet: frozenset[str]) -> list[str]:
    """The phonemes of each word.

    Parameters
    ----------
    words
        Words, or phrases.
    english
        One of `ENGLISH`.
    alphabet
        Symbols to use; others are left out.

    Raises
    ------
    UserError
        eSpeak NG fails, or a word is not written in Latin letters or figures.
    """
    for word in words:
        check_word(word)
    with working_folder() as folder:
        try:
            spelled = espeak_worker.spell(words, english, folder)
        except espeak_worker.EngineError as error:
            raise UserError(f"eSpeak NG failed ({error}): run again") from None
    return [_kokoro(phonemes, english, alphabet) for phonemes in spelled]


def _kokoro(phonemes: str, english: str, alphabet: frozenset[str]) -> str:
    for theirs, ours in _FROM_ESPEAK:
        phonemes = phonemes.replace(theirs, ours)
    if english == _AMERICAN:
        # Kokoro's Americans have no long vowels, and an r in "turn".
        phonemes = phonemes.replace("ɜː", "ɜɹ").replace("ː", "")
    if "ˈ" not in phonemes:  # a word that is weak in a sentence, such as "one", stands alone here
        phonemes = phonemes.replace("ˌ", "ˈ", 1)
    return "".join(symbol for symbol in phonemes if symbol in alphabet).strip()


def check_word(word: str) -> None:
    """Refuse what the engine would not pronounce, but describe: it says "Chinese letter".

    Raises
    ------
    UserError
        The word is not written in Latin letters or figures.
    """
    for character in word:
        latin = unicodedata.name(character, "").startswith("LATIN ")
        if not latin and character not in "0123456789 '-":
            raise UserError(
                f"the word {word!r} cannot be synthesised: {character!r} is not a letter of English"
            )
    if not any(character.isalnum() for character in word):
        raise UserError(f"the word {word!r} cannot be synthesised: nothing in it can be spoken")
