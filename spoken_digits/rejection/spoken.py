"""Other words, spoken by eSpeak NG: see `corpora.synthetic` for voices and rooms."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
import soxr

from spoken_digits.corpora import espeak_worker, synthetic
from spoken_digits.errors import UserError
from spoken_digits.rejection.noises import Samples

_LONG = """
about above again almost anchor answer apple arrow autumn banana basket because bicycle blanket
bottle bridge brother button camera candle carpet castle chicken children circle coffee colour
corner cotton dinner doctor dollar dragon eagle engine evening family farmer father feather finger
flower forest friday garden ginger glasses guitar hammer heaven history hunter island jacket january
jungle kitchen ladder lemon letter library lightning lunch machine market meadow message minute
mirror monday money morning mother mountain music nature needle number ocean office orange paper
parent parking pencil people pepper picture pillow planet please pocket potato purple question
rabbit radio river rocket saddle salad school season shadow sister spider spoon square station stone
story street summer sunday table teacher thunder ticket tiger today tomato travel turtle uncle
valley village violin volume water weather window winter yellow
"""
_SHORT = """
air bag ball band bank bath bean bell belt birth blue boat bone book box branch bread brown brush
burn bus cake call cap car card cave chain chair chalk cheese chest child church clay clean clock
cloth cloud club coal coast coin cold cook corn cow cream crowd crown cup dance dark day deep desk
dish door draw dream dress drink drum duck dust ear earth east edge egg face fall farm fast fence
field film fish flag flame flash fleet flood floor foot fork fox frame friend frog fruit full game
gate girl glass globe glove goat gold good grape grass grey ground group guest gun hair hall hand
harp hat head heart heat hill hole home hook hope horn horse ice ink jam jar job juice jump key king
kiss knee knife lake lamp land law leaf leg lid life limb lip lock log long loud luck mail man map
march mask meat milk moon month mouse mouth mud myth nail neck nest net night noise north nose nurse
oak oil owl page paint palm park path pear pen phone pig pin pipe place plan plate play plum pole
pond pool port pot price proof queen quick race rain ramp red rest rice ring road roof room root
rope rose rule run salt sand scarf sea seat seed sheep shelf shell ship shirt shoe shop shore sing
size skin sky sleep smile smoke snake snow soap sock song soul soup south space speed spring stage
stamp star steam step storm straw string sun swan sweet swim sword tail tape tax tea team test thing
thumb tie time toe tool tooth town toy train tray truck tube turn twig type valve van vase vest
voice walk wall watch wave way week wheel whip white wild wind wing wolf wood word work world yard
year young
"""
"""Of one syllable, as most digits are. None in either list sounds like a digit or is among the
words of `other-speech-1`."""
_FIRST_VOICE = {"train": 1001, "val": 2001, "test": 3001}
"""Numbers of speakers, far from those of the corpus `synthetic`."""
_WORDS_A_VOICE = 10
_SUBSETS = tuple(_FIRST_VOICE)


def words_of(subset: str, labels: Sequence[str]) -> list[str]:
    """The words of a subset: every third of the lists by turns, less the corpus's own."""
    own = {label.casefold() for label in labels}
    first = _SUBSETS.index(subset)
    long, short = (text.split()[first :: len(_SUBSETS)] for text in (_LONG, _SHORT))
    by_turns = [word for pair in zip_longest(short, long) for word in pair if word is not None]
    return [word for word in by_turns if word not in own]


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
