"""The clips of one subset that are none of the words.

Every clip is drawn from seed, kind, subset and number alone. The name of a clip tells its kind:
``{kind}-{subset}-{number}.wav``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.corpora.speech_commands.silence import PARTS
from spoken_digits.data.clips import Clip
from spoken_digits.rejection import non_words
from spoken_digits.rejection.labels import SILENCE, UNKNOWN
from spoken_digits.rejection.noises import NOISES, Samples, noise
from spoken_digits.rejection.params import RejectionParams
from spoken_digits.rejection.spoken import spoken

MACHINE = "noise"
"""Speaker of a clip in which nobody speaks."""
REAL = "real"
"""Kind of a real word, which is not made."""
RECORDED = "recorded"
"""Kind of noise that is cut from the recordings in `_noise_`."""
_SECONDS = (0.4, 1.0)


@dataclass(frozen=True, kw_only=True)
class Words:
    """The clips of the words in one subset."""

    waveforms: Sequence[Waveform]
    labels: NDArray[np.str_]
    """(n,)."""
    speakers: NDArray[np.str_]
    """(n,)."""
    sample_rate: int
    """Of the waveforms, Hz."""


def kind_of(utterance: str) -> str:
    """How a clip was made, from its name."""
    return utterance.partition("-")[0]


def clips(
    params: RejectionParams,
    subset: str,
    words: Words,
    noises: Sequence[Samples],
    every_label: Sequence[str],
    seed: int,
) -> Iterator[Clip]:
    """The clips of one subset, sorted by path.

    Parameters
    ----------
    params
        How many of each kind.
    subset
        train, val or test.
    words
        The clips of that subset, out of which non-words are made.
    noises
        Recordings of noise at the rate of `words`; each subset has its own part of each.
    every_label
        The words of the corpus, which eSpeak NG must not say.
    seed
        Draws everything.
    """
    made: dict[str, tuple[str, str, Samples]] = {}
    for kind, n in params.made().items():
        for number in range(n) if kind != "spoken" and len(words.waveforms) else ():
            speaker, samples = _non_word(kind, words, _rng(seed, kind, subset, number))
            made[_name(kind, subset, number)] = (UNKNOWN, speaker, samples)
    others = spoken(subset, params.spoken, every_label, words.sample_rate, seed)
    for number, (voice, _, samples) in enumerate(others):
        made[_name("spoken", subset, number)] = (UNKNOWN, voice, samples)
    kinds = [*NOISES, *([RECORDED] if noises else [])]
    for number in range(params.silence):
        kind = kinds[number % len(kinds)]
        rng = _rng(seed, kind, subset, number)
        n = round(rng.uniform(*_SECONDS) * words.sample_rate)
        samples = (
            _cut(noises[int(rng.integers(len(noises)))], n, subset, rng)
            if kind == RECORDED
            else noise(kind, n, words.sample_rate, rng)
        )
        made[_name(kind, subset, number)] = (SILENCE, MACHINE, samples)
    for take, name in enumerate(sorted(made)):
        label, speaker, samples = made[name]
        yield Clip(
            utterance=name,
            path=f"{name}.wav",
            label=label,
            speaker=speaker,
            take=take,
            wav=audio.to_wav(_in_16_bits(samples), words.sample_rate),
        )


def _non_word(kind: str, words: Words, rng: np.random.Generator) -> tuple[str, Samples]:
    """Who speaks, and the samples."""
    chosen = int(rng.integers(len(words.waveforms)))
    word, rate = _samples(words, chosen), words.sample_rate
    if kind == "reversed":
        return words.speakers[chosen], non_words.reversed_(word)
    if kind == "scrambled":
        return words.speakers[chosen], non_words.scrambled(word, rate, rng)
    if kind == "overlapped":
        others = np.flatnonzero(words.labels != words.labels[chosen])
        second = int(rng.choice(others)) if len(others) else chosen
        return words.speakers[chosen], non_words.overlapped(word, _samples(words, second), rng)
    drawn = rng.integers(0, len(words.waveforms), non_words.n_voices(rng))
    voices = [_samples(words, int(position)) for position in drawn]
    return words.speakers[chosen], non_words.babble(voices, rate, rng)


def _samples(words: Words, position: int) -> Samples:
    samples = words.waveforms[position].astype(np.float64)
    return np.asarray(samples - samples.mean())


def _cut(recording: Samples, n: int, subset: str, rng: np.random.Generator) -> Samples:
    """A stretch of the subset's part of a recording at a random volume; shorter if that is."""
    first, end = (int(share * len(recording)) for share in PARTS[subset])
    part = recording[first : max(end, first + 1)]
    start = int(rng.integers(0, max(1, len(part) - n + 1)))
    return np.asarray(part[start : start + n] * rng.uniform(0.05, 1.0))


def _in_16_bits(samples: Samples) -> Waveform:
    pcm = np.clip(np.rint(samples * 32768), -32768, 32767)
    if not pcm.any():  # digital silence has no features
        pcm[:: max(1, len(pcm) // 8)] = 1
    return np.asarray(pcm / 32768, np.float32)


def _name(kind: str, subset: str, number: int) -> str:
    return f"{kind}-{subset}-{number:05}"


def _rng(seed: int, kind: str, subset: str, number: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {kind} {subset} {number}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
