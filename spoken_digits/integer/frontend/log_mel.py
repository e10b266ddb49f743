"""Feature kind ``log_mel_int``: int16 samples to int8 log-mel bands relative to the word's level.

The NumPy twin of ``firmware/sd_word.c``, equal bit for bit. A frame goes through

1. DC: subtract the rounded mean of the window, so that a constant offset changes no bit;
2. level, window, FFT and power as in `frontend`, the window followed by zeros up to 256 samples;
3. triangular mel bands in Q8; log2 of each band's mean power in Q8 by table, 0 where it is
   inaudible, 2**-8 of a unit of power;
4. energy: the sum over the bands of 2**log, by table, in 64 bits.

Of a clip with more than `n_frames` frames the word is the `n_frames` consecutive ones with the most
energy, the first among equals. Of a shorter clip it is all frames, centred in silence: one more
frame of silence after it than before where their number is odd. Then

5. level: log2 of the mean energy of the word's bands, Q8;
6. floor: ``log2(2**(log - level) + 2**-floor)`` by a table of the softplus function;
7. gain, saturating rounding to int8: steps of `step_db`.

Against the same steps in real numbers a feature is off by its rounding, half a step, and at most
0.25 dB besides.

Frame t covers the samples [t hop, t hop + window_length). A clip shorter than one window is
extended with its last sample to one frame; otherwise samples after the last whole window are
dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import IntArray, bit_length, round_shift, saturate
from spoken_digits.integer.frontend import mel
from spoken_digits.integer.frontend.log_mel_specification import (
    GAIN_SHIFT,
    SOFTPLUS_OCTAVES,
    SOFTPLUS_STEP_BITS,
    LogMelSpec,
    LogMelTables,
    log_mel_tables,
    shared_log_mel_tables,
)
from spoken_digits.integer.frontend.specification import (
    LOG_BITS,
    LOG_FRACTION_BITS,
    LOG_TABLE_BITS,
    shared_tables,
)

Pcm = npt.NDArray[np.int16]

_FRACTION_BITS = LOG_BITS - LOG_TABLE_BITS  # of a log, between two entries of the exp table
_CLIPS_AT_ONCE = 64  # bounds the memory for frames of long clips


def extract(
    clips: Sequence[Pcm], spec: LogMelSpec
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Features of many clips.

    Parameters
    ----------
    clips
        Clips (n_samples,) int16, at ``spec.sample_rate``.

    Returns
    -------
    features
        (n_clips, n_frames, n_mels) int8, steps of ``spec.step_db``.
    n_frames
        (n_clips,) ``spec.n_frames`` each: the silence around a clip is part of what is heard.
    """
    words = np.zeros((len(clips), spec.n_frames, spec.n_mels), np.int32)
    energy = np.zeros(len(clips), np.uint64)
    n_valid = np.ones(len(clips), np.int64)
    for block in range(0, len(clips), _CLIPS_AT_ONCE):
        part = clips[block : block + _CLIPS_AT_ONCE]
        for i, logs in enumerate(_logs_of(part, spec), start=block):
            energies = frame_energy(logs)
            first = loudest_from(energies, spec.n_frames)
            word = slice(first, first + spec.n_frames)
            n_valid[i] = len(logs[word])
            start = (spec.n_frames - n_valid[i]) // 2
            words[i, start : start + n_valid[i]] = logs[word]
            energy[i] = energies[word].sum(dtype=np.uint64)
    level = _level(energy, n_valid * spec.n_mels)
    features = _relative(words, level, log_mel_tables(spec))
    return features, np.full(len(clips), spec.n_frames, np.int32)


def first_sample(clip: Pcm, spec: LogMelSpec) -> int:
    """The first sample of the word in a clip."""
    (logs,) = _logs_of([clip], spec)
    return loudest_from(frame_energy(logs), spec.n_frames) * spec.hop_length


def frame_energy(logs: IntArray) -> npt.NDArray[np.uint64]:
    """Sum of 2**log over the bands: (n, n_mels) logs in Q8, below 51 octaves -> (n,).

    A log of 0 is silence and counts nothing.
    """
    return np.asarray(exp2(logs.astype(np.int64)).sum(axis=1), np.uint64)


def loudest_from(energy: npt.NDArray[np.uint64], n_frames: int) -> int:
    """First of the `n_frames` consecutive frames with the most energy; 0 if there are no more."""
    if len(energy) <= n_frames:
        return 0
    until = np.concatenate([np.zeros(1, np.uint64), np.cumsum(energy, dtype=np.uint64)])
    return int(np.argmax(until[n_frames:] - until[:-n_frames]))  # exact, even if `until` wraps


def _logs_of(clips: Sequence[Pcm], spec: LogMelSpec) -> list[IntArray]:
    """Logs (frames of the clip, n_mels) of each clip."""
    for clip in clips:
        if clip.dtype != np.int16 or clip.ndim != 1:
            raise TypeError(f"a clip is one-dimensional int16, not {clip.ndim}-d {clip.dtype}")
    if len(clips) == 0:
        return []
    frames = [_frames(clip, spec) for clip in clips]
    logs = mel.mel_log(np.concatenate(frames), log_mel_tables(spec))
    return np.split(logs, np.cumsum([len(part) for part in frames])[:-1])


def _frames(clip: Pcm, spec: LogMelSpec) -> Pcm:
    """Cut a clip into frames (n, window_length), a short one extended with its last sample."""
    missing = spec.window_length - len(clip)
    if missing > 0:
        last = clip[-1:] if len(clip) else np.zeros(1, np.int16)
        clip = np.concatenate([clip, np.repeat(last, missing)])
    windows = np.lib.stride_tricks.sliding_window_view(clip, spec.window_length)
    return windows[:: spec.hop_length]


def exp2(logs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """2**(log / 256), rounded; 0 for 0."""
    table = shared_log_mel_tables().exp_fraction.astype(np.int64)
    octave, fraction = logs >> LOG_BITS, logs & ((1 << LOG_BITS) - 1)
    interval, step = fraction >> _FRACTION_BITS, fraction & ((1 << _FRACTION_BITS) - 1)
    below, above = table[interval], table[interval + 1]
    mantissa = (
        (1 << LOG_FRACTION_BITS) + below + round_shift((above - below) * step, _FRACTION_BITS)
    )
    left = np.maximum(octave - LOG_FRACTION_BITS, 0)
    right = np.maximum(LOG_FRACTION_BITS - octave, 0)
    return np.where(logs > 0, round_shift(mantissa, right) << left, 0)


def _level(energy: npt.NDArray[np.uint64], n_bands: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """log2 of the mean energy of a band, Q8: (n,) energies of words of (n,) bands each -> (n,)."""
    return log2_of(energy) - log2_of(n_bands.astype(np.uint64))


def log2_of(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """log2(x), Q8, from the top 32 bits of x; of 0, any number."""
    high = (x >> np.uint64(32)).astype(np.int64)
    low = (x & np.uint64(0xFFFFFFFF)).astype(np.int64)
    length = np.where(high > 0, 32 + bit_length(high), bit_length(low))
    right, left = np.maximum(length - 32, 0), np.maximum(32 - length, 0)
    mantissa = ((x >> right.astype(np.uint64)).astype(np.int64)) << left
    return mel.log2_q8(mantissa, length - 32, shared_tables().log_fraction)


def _relative(
    words: IntArray, level: npt.NDArray[np.int64], table: LogMelTables
) -> npt.NDArray[np.int8]:
    """Features of logs relative to the level: (n, n_frames, n_mels), (n,) -> the same shape."""
    above = words - level[:, None, None].astype(np.int32) + np.int32(table.floor_depth)
    octaves = np.maximum(above, 0) + _softplus(np.abs(above), table) - np.int32(table.floor_depth)
    steps = saturate(round_shift(octaves * np.int32(table.gain), GAIN_SHIFT), bits=8)
    return np.where(words > 0, steps, table.silence).astype(np.int8)


def _softplus(below: IntArray, table: LogMelTables) -> IntArray:
    """log2(1 + 2**-x), Q8, of x >= 0 in Q8."""
    inside = np.minimum(below, (SOFTPLUS_OCTAVES << LOG_BITS) - 1)
    interval = inside >> SOFTPLUS_STEP_BITS
    step = inside & ((1 << SOFTPLUS_STEP_BITS) - 1)
    here, next_one = table.softplus[interval], table.softplus[interval + 1]
    return np.asarray(here - round_shift((here - next_one) * step, SOFTPLUS_STEP_BITS))
