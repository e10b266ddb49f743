"""Speech that is none of the words, made of clips of the words.

Samples are float64, (n,), full scale 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spoken_digits.rejection.noises import Samples

_PIECES = (4, 6)
_SHORTEST_PIECE_S = 0.05
_JOIN_S = 0.004
_OVERLAP_DB = 4.0
"""Largest difference of level between two words at once."""
_BABBLE_VOICES = (3, 6)
_BABBLE_S = (0.5, 1.0)


def reversed_(word: Samples) -> Samples:
    """The word backwards."""
    return word[::-1].copy()


def scrambled(word: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
    """The word cut into four to six pieces, none of which is where it was or follows its own.

    A word too short for four pieces comes backwards.
    """
    most = min(_PIECES[1], int(len(word) / (_SHORTEST_PIECE_S * sample_rate)))
    if most < _PIECES[0]:
        return reversed_(word)
    n_pieces = int(rng.integers(_PIECES[0], most + 1))
    # Cuts near an even spacing, so that no piece is too short to be heard.
    even = np.arange(1, n_pieces) + rng.uniform(-0.25, 0.25, n_pieces - 1)
    cuts = np.round(even * len(word) / n_pieces).astype(int)
    pieces = np.split(word, cuts)
    return _joined([pieces[i] for i in _disorder(n_pieces, rng)], round(_JOIN_S * sample_rate))


def overlapped(first: Samples, second: Samples, rng: np.random.Generator) -> Samples:
    """Two words at once, nearly as loud as each other, one of them beginning later."""
    level_db = rng.uniform(-_OVERLAP_DB, _OVERLAP_DB)
    parts = [_unit(first), _unit(second) * 10 ** (level_db / 20)]
    offset = int(rng.uniform(0.0, 0.4) * min(len(first), len(second)))
    total = np.zeros(max(len(first), offset + len(second)))
    total[: len(first)] += parts[0]
    total[offset : offset + len(second)] += parts[1]
    return _at_peak(total, max(np.abs(first).max(), np.abs(second).max()))


def babble(clips: Sequence[Samples], sample_rate: int, rng: np.random.Generator) -> Samples:
    """Several people who talk at once, with neither beginning nor end."""
    n = int(rng.uniform(*_BABBLE_S) * sample_rate)
    total = np.zeros(n)
    for clip in clips:
        total += np.resize(np.roll(_unit(clip), rng.integers(len(clip))), n)
    return _at_peak(total, 10 ** (rng.uniform(-30.0, -3.0) / 20))


def n_voices(rng: np.random.Generator) -> int:
    """How many clips a babble is made of."""
    return int(rng.integers(_BABBLE_VOICES[0], _BABBLE_VOICES[1] + 1))


def _disorder(n: int, rng: np.random.Generator) -> list[int]:
    """An order of n pieces with no piece in its place and none after the one it followed."""
    while True:
        order = rng.permutation(n)
        stays = (order == np.arange(n)).any()
        follows = (np.diff(order) == 1).any()
        if not stays and not follows:
            return [int(i) for i in order]


def _joined(pieces: Sequence[Samples], n_fade: int) -> Samples:
    """Pieces end to end, each faded in and out over `n_fade` samples."""
    ramp = (np.arange(n_fade) + 0.5) / n_fade
    faded = []
    for piece in pieces:
        copy = piece.copy()
        copy[:n_fade] *= ramp
        copy[-n_fade:] *= ramp[::-1]
        faded.append(copy)
    return np.concatenate(faded)


def _unit(samples: Samples) -> Samples:
    """Of root mean square 1."""
    return samples / max(1e-9, float(np.sqrt(np.mean(samples**2))))


def _at_peak(samples: Samples, peak: float) -> Samples:
    return np.asarray(samples * (peak / max(1e-9, float(np.abs(samples).max()))))
