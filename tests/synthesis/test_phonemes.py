"""Words in Kokoro's phonemes, and their accents."""

from __future__ import annotations

import random

import pytest

from spoken_digits.corpora.synthetic import WORDS
from spoken_digits.errors import UserError
from spoken_digits.synthesis import accents
from spoken_digits.synthesis.phonemes import ENGLISH, spell

ALPHABET = frozenset("AIOQWYʧʤəɹɜɾθðɪʊʌæɛɔɒɑiuabdfhjklmnpstvwzŋɡʃʒᵊˈˌː ")


def test_american_digits_are_spelled_as_kokoro_learned_them():
    assert spell(WORDS, "en-us", ALPHABET) == [
        *("zˈiəɹO", "wˈʌn", "tˈu", "θɹˈi", "fˈɔɹ", "fˈIv", "sˈɪks", "sˈɛvən", "ˈAt", "nˈIn")
    ]


def test_british_vowels_differ():
    assert spell(["four", "zero", "turn"], "en-gb-x-rp", ALPHABET) == [*("fˈɔː", "zˈiəɹQ", "tˈɜːn")]
    assert spell(["turn"], "en-us", ALPHABET) == ["tˈɜɹn"]


@pytest.mark.parametrize("english", ENGLISH)
def test_affricates_and_phrases(english):
    chicken, phrase = spell(["chicken", "turn left"], english, ALPHABET)
    assert chicken == "ʧˈɪkɪn"
    assert phrase.count(" ") == 1


@pytest.mark.parametrize("word", ["日本", "да", "♥", "---", "a/b", ""])
def test_what_is_no_english_word_is_refused_by_name(word):
    with pytest.raises(UserError, match="cannot be synthesised") as caught:
        spell([word], "en-us", ALPHABET)
    assert repr(word) in str(caught.value)


def test_an_accent_replaces_sounds_once():
    accent = (("ɹ", "ɾ"), ("θ", "s"), ("z", "s"), ("s", "z"))
    assert accents.pronounced("θɹˈi zˈu", accent) == "sɾˈi sˈu"
    assert accents.pronounced("θɹˈi", accents.NATIVE) == "θɹˈi"


def test_accents_are_drawn_from_usual_replacements():
    drawn = [accents.draw_accent(random.Random(seed)) for seed in range(200)]
    assert len(set(drawn)) > 150
    threes = {accents.pronounced("θɹˈi", accent) for accent in drawn}
    assert {"tɾˈi", "sʁˈi", "θɹˈi", "frˈi"} <= threes
    for accent in drawn:
        assert len(dict(accent)) == len(accent)  # no sound has two replacements
