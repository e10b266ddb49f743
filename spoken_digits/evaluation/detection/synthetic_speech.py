"""Speech of other words by eSpeak NG, for as long as wanted: label every figure synthetic.

Words and short sentences without a digit, nor what sounds like one (to, for, ate, won). The words
of validation and test are not the same, nor are the voices.
"""

from __future__ import annotations

import importlib.util
from typing import Literal

import numpy as np
import soxr

from spoken_digits.corpora import espeak_worker, synthetic
from spoken_digits.evaluation.distortion import Samples

_VALIDATION = """
after again always autumn basket because before better between bottle bread brother button
candle carpet ceiling cheese chicken coffee copper cotton country curtain danger daughter dinner
early engine evening father finger flower friday garden giant glass grammar green harbour island
jacket kitchen lantern leather letter lemon market
"""
_TEST = """
marble meadow memory middle minute mirror morning mountain music narrow needle never number
office orange parent people pepper pillow planet pocket potato prison quarter rabbit railway
ribbon river salt sandwich scissors shadow shoulder silver sister sugar summer sunday thunder
tiger tomorrow travel turtle umbrella valley village wagon water window winter wonder yesterday
stop start left right house open close light music volume answer thanks hello sorry maybe
"""
WORDS = {"validation": _VALIDATION.split(), "test": _TEST.split()}
FIRST_SPEAKER = {"validation": 500, "test": 700}
"""Numbers of voices that no profile of the corpus uses."""

_TEXTS_A_SPEAKER = 40
_LONGEST_SENTENCE = 7
_WORD_SHARE = 0.5
_PAUSE_S = 1.2  # what a gap adds to the length of a stream, on average

Role = Literal["validation", "test"]


def is_there() -> bool:
    """Whether eSpeak NG is installed."""
    return importlib.util.find_spec("espeakng_loader") is not None


def other_speech(minutes: float, role: Role, sample_rate: int, seed: int) -> list[Samples]:
    """Utterances that with pauses of a second or so fill some minutes.

    Parameters
    ----------
    minutes
        At least so many.
    role
        Which words, and whose voices.
    sample_rate
        Hz.
    seed
        Draws voices and texts.

    Raises
    ------
    UserError
        eSpeak NG fails.
    """
    made: list[Samples] = []
    length_s = 0.0
    with synthetic.working_folder() as folder:
        number = FIRST_SPEAKER[role]
        while length_s < 60 * minutes:
            rng = np.random.default_rng([seed, number])
            texts = [_text(role, rng) for _ in range(_TEXTS_A_SPEAKER)]
            speaker = synthetic.speaker_of(seed, number)
            for speech in synthetic.speak(
                speaker, str(number), texts, rng.spawn(len(texts)), folder
            ):
                heard = soxr.resample(speech, espeak_worker.SAMPLE_RATE, sample_rate, "VHQ")
                made.append(np.asarray(heard, np.float64))
                length_s += heard.size / sample_rate + _PAUSE_S
            number += 1
    return made


def _text(role: Role, rng: np.random.Generator) -> str:
    n = 1 if rng.random() < _WORD_SHARE else int(rng.integers(2, _LONGEST_SENTENCE + 1))
    return " ".join(str(word) for word in rng.choice(WORDS[role], n))
