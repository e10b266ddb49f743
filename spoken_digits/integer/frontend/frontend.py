"""Feature kind ``mfcc_int``: int16 samples to int8 cepstra, using integers only.

The NumPy twin of ``firmware/sd_frontend.c``, equal bit for bit. One frame goes through

1. DC: subtract the rounded mean of the 256 samples, so that a constant offset changes no bit;
2. level: shift the samples left until one fills 16 bits (a quiet talker is not starved);
3. window: periodic Hann in Q15;
4. block-floating FFT: a complex one of 128 points over pairs of samples (radix 4, 4, 4, 2),
   shifted right before each stage only as far as that stage needs, then split into the spectrum
   of 256 real samples;
5. power in each bin, triangular mel bands in Q8, summed in 48 bits;
6. log2 in Q8 by table, which undoes the shifts of steps 2 and 4, clamped at a noise floor;
7. DCT-II; the zeroth sum is relative to a level tracker, a running maximum with a slow decay,
   so that features do not depend on the clip's loudness;
8. gain, offset of the zeroth, saturating rounding to int8.

Frame t covers the samples [t hop, t hop + 256). A clip shorter than one window is extended with
its last sample to one frame (zeros would be a step where there is a DC offset); otherwise samples
after the last whole window are dropped, as are those beyond `n_frames` frames. Rows past the
last valid frame are 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spoken_digits.integer.fixed import IntArray, round_shift, saturate
from spoken_digits.integer.frontend import mel
from spoken_digits.integer.frontend.specification import (
    COEFFICIENT_SHIFT,
    LEVEL_OFFSET,
    LOG_BITS,
    MEL_BITS,
    WINDOW_SAMPLES,
    FrontendSpec,
    FrontendTables,
    tables,
)

Pcm = mel.Pcm


def n_valid_frames(n_samples: int, spec: FrontendSpec) -> int:
    """Frames of a clip of `n_samples`: ``1 + (n_samples - 256) // hop``, within 1..n_frames."""
    whole = 1 + (n_samples - WINDOW_SAMPLES) // spec.hop_length
    return min(max(whole, 1), spec.n_frames)


def extract(
    pcm: Pcm | Sequence[Pcm], spec: FrontendSpec
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Features of one clip or of many.

    Parameters
    ----------
    pcm
        One clip (n_samples,) or a sequence of clips, int16, at ``spec.sample_rate``.

    Returns
    -------
    features
        (n_clips, n_frames, n_mfcc) int8, rows past a clip's last valid frame 0.
    n_frames
        (n_clips,) valid frames of each clip, from 1 to ``spec.n_frames``.
    """
    clips = [pcm] if isinstance(pcm, np.ndarray) and pcm.ndim == 1 else list(pcm)
    logs, counts = _clip_logs(clips, spec)
    features = saturate(round_shift(_accumulate(logs, spec), COEFFICIENT_SHIFT), bits=8)
    return (features * _valid(counts, spec)[..., None]).astype(np.int8), counts


def mel_log(frames: Pcm, spec: FrontendSpec) -> IntArray:
    """log2 of the mel energies above the noise floor, Q8.

    Parameters
    ----------
    frames
        (n, 256) int16.

    Returns
    -------
    (n, n_mels) int32, 0 at the floor, below 2**14.
    """
    return mel.mel_log(frames, tables(spec))


def of_powers(
    power: npt.NDArray[np.float32], heard: npt.NDArray[np.bool_], spec: FrontendSpec
) -> npt.NDArray[np.float32]:
    """Features of band powers that were computed in float, for training on varied sound.

    Parameters
    ----------
    power
        (n_clips, n_frames, n_mels), of int16 samples and bands with a peak of 1.
    heard
        (n_clips, n_frames) valid frames.

    Returns
    -------
    (n_clips, n_frames, n_mfcc) whole numbers in the range of int8. They differ from those of
    `extract` by what the integers before the logarithm round.
    """
    floor = 2.0 ** (tables(spec).floor / (1 << LOG_BITS) - MEL_BITS + 2)
    octaves = np.log2(np.maximum(power / np.float32(floor), 1))
    logs = np.round(octaves * (1 << LOG_BITS)).astype(np.int32) * heard[..., None]
    features = saturate(round_shift(_accumulate(logs, spec), COEFFICIENT_SHIFT), bits=8)
    return (features * heard[..., None]).astype(np.float32)


def _valid(counts: npt.NDArray[np.int32], spec: FrontendSpec) -> npt.NDArray[np.bool_]:
    """Which rows hold a frame: (n_clips, n_frames)."""
    valid: npt.NDArray[np.bool_] = np.arange(spec.n_frames) < counts[:, None]
    return valid


def _clip_logs(clips: Sequence[Pcm], spec: FrontendSpec) -> tuple[IntArray, npt.NDArray[np.int32]]:
    """`mel_log` of every frame, (n_clips, n_frames, n_mels), 0 past the last; frame counts."""
    for clip in clips:
        if clip.dtype != np.int16 or clip.ndim != 1:
            raise TypeError(f"a clip is one-dimensional int16, not {clip.ndim}-d {clip.dtype}")
    counts = np.array([n_valid_frames(len(clip), spec) for clip in clips], dtype=np.int32)
    logs = np.zeros((len(clips), spec.n_frames, spec.n_mels), dtype=np.int32)
    if len(clips) > 0:
        frames = [_frames(clip, n, spec) for clip, n in zip(clips, counts, strict=True)]
        logs[_valid(counts, spec)] = mel_log(np.concatenate(frames), spec)
    return logs, counts


def _frames(clip: Pcm, n_frames: int, spec: FrontendSpec) -> Pcm:
    """Cut a clip into frames (n_frames, 256), a short one extended with its last sample."""
    if len(clip) < WINDOW_SAMPLES:
        last = clip[-1:] if len(clip) else np.zeros(1, np.int16)
        clip = np.concatenate([clip, np.repeat(last, WINDOW_SAMPLES - len(clip))])
    windows = np.lib.stride_tricks.sliding_window_view(clip, WINDOW_SAMPLES)
    return windows[:: spec.hop_length][:n_frames]


def _accumulate(logs: IntArray, spec: FrontendSpec) -> IntArray:
    """Scaled cepstra before rounding: (n, n_frames, n_mels) -> (n, n_frames, n_mfcc)."""
    table = tables(spec)
    half = spec.n_mels // 2
    low, high = logs[..., :half], logs[..., half:]
    even, odd = low + high[..., ::-1], high - low[..., ::-1]
    sums = np.zeros((*logs.shape[:2], spec.n_mfcc), dtype=np.int32)
    level = _relative_level(even.sum(axis=-1, dtype=np.int32), table)
    sums[..., 0] = table.level_gain * level + (LEVEL_OFFSET << COEFFICIENT_SHIFT)
    sums[..., 1::2] = odd @ table.cosine[0::2].T
    sums[..., 2::2] = even @ table.cosine[1::2].T
    return sums


def _relative_level(sums: IntArray, table: FrontendTables) -> IntArray:
    """Zeroth sums (n, n_frames) relative to the level tracker: at most 0, 0 in the first frame."""
    relative = np.empty_like(sums)
    level = np.zeros_like(sums[:, 0])
    for frame in range(sums.shape[1]):
        level = np.maximum(sums[:, frame], level - table.level_decay)
        relative[:, frame] = sums[:, frame] - level
    return relative
