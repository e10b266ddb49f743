"""Other words, spoken by eSpeak NG: see `corpora.synthetic` for voices and rooms."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from spoken_digits.corpora import espeak_worker, synthetic
from spoken_digits.errors import UserError
from spoken_digits.rejection.noises import Samples

_WORDS = """
about above again almost anchor answer apple arrow autumn banana basket because bicycle blanket
bottle bridge brother button camera candle carpet castle chicken children circle coffee colour
corner cotton dinner doctor dollar dragon eagle engine evening family farmer father feather finger
flower forest friday garden ginger glasses guitar hammer heaven history hunter island jacket
january jungle kitchen ladder lemon letter library lightning lunch machine market meadow message
minute mirror monday money morning mother mountain music nature needle number ocean office orange
paper parent parking pencil people pepper picture pillow planet please pocket potato purple
question rabbit radio river rocket saddle salad school season shadow sister spider spoon square
station stone story street summer sunday table teacher thunder ticket tiger today tomato travel
turtle uncle valley village violin volume water weather window winter yellow
"""
"""None sounds like a digit, and none is among the words of `other-speech-1`."""
_FIRST_VOICE = {"train": 1001, "val": 2001, "test": 3001}
"""Numbers of speakers, far from those of the corpus `synthetic`."""
_WORDS_A_VOICE = 10
_SUBSETS = tuple(_FIRST_VOICE)


def words_of(subset: str, labels: Sequence[str]) -> list[str]:
    """The words of a subset: every third of the list, less the corpus's own."""
    own = {label.casefold() for label in labels}
    return [
        word for word in _WORDS.split()[_SUBSETS.index(subset) :: len(_SUBSETS)] if word not in own
    ]


def spoken(
    subset: str, n: int, labels: Sequence[str], sample_rate: int, seed: int
) -> list[tuple[str, str, Samples]]:
    """Voice, word and samples of `n` clips.

    Raises
    ------
    UserError
        eSpeak NG is not installed, or fails.
    """
    if n and importlib.util.find_spec("espeakng_loader") is None:
        raise UserError(
            "params.yaml: `corpus.rejection.spoken` asks for eSpeak NG, which is not installed: "
            'run `uv pip install "spoken-digits[synthetic]"`, or set it to 0'
        )
    words = words_of(subset, labels)
    made: list[tuple[str, str, Samples]] = []
    while len(made) < n:
        number = _FIRST_VOICE[subset] + len(made) // _WORDS_A_VOICE
        said = [words[i % len(words)] for i in range(len(made), min(n, len(made) + _WORDS_A_VOICE))]
        made += _voice(number, said, sample_rate, seed)
    return made


def _voice(
    number: int, words: Sequence[str], sample_rate: int, seed: int
) -> list[tuple[str, str, Samples]]:
    speaker = synthetic.speaker_of(seed, number)
    rng = np.random.default_rng((seed, number))
    utterances = [synthetic.utter(speaker, word, rng) for word in words]
    with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
        try:
            replies = espeak_worker.say(utterances, Path(folder))
        except espeak_worker.EngineError as error:
            raise UserError(
                f"eSpeak NG failed ({error}): run again, or set `corpus.rejection.spoken` to 0"
            ) from None
    clips = []
    for word, reply in zip(words, replies, strict=True):
        speech = np.frombuffer(reply, "<i2").astype(np.float64)
        heard = synthetic.record(speech, speaker, rng)
        resampled = soxr.resample(heard, espeak_worker.SAMPLE_RATE, sample_rate, quality="VHQ")
        clips.append((f"espeak{number}", word, np.asarray(resampled)))
    return clips
