"""Level, offset, clipping and place of the word in one recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform

FRAME_S = 0.01
_FLOOR_DB = -120.0
_RANGE_DB = 35.0
"""What lies further below the loudest frame is not speech, however silent the room."""
_ABOVE_NOISE_DB = 9.0
_PAUSE_S = 0.25
"""A shorter silence is inside a word, such as before the t of "eight"."""
_SHORTEST_S = 0.06
"""A click is shorter than any word."""
_MARGIN_S = 0.1
"""Kept on both sides of a word: quiet consonants lie below the threshold."""

_RUN = 3
_LOUD = 0.05
_QUIET_DBFS = -40.0
_OFFSET = 0.05
_LONG_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What is measured of a recording."""

    duration_s: float
    peak_dbfs: float
    """Largest absolute sample, 0 dB at full scale."""
    rms_dbfs: float
    """Root mean square without the offset."""
    offset: float
    """Mean, as a share of full scale."""
    n_clipped: int
    """Samples in runs of three or more that stand at the recording's own extreme."""
    words_s: tuple[tuple[float, float], ...]
    """Where something is said, seconds."""

    def problems(self) -> list[str]:
        """What would hurt a recogniser, each with what to do."""
        found = []
        if self.n_clipped:
            found.append(
                f"clipped: {self.n_clipped} samples stand at the limit: lower the microphone's "
                "gain or stand further away"
            )
        if self.peak_dbfs < _QUIET_DBFS:
            found.append(
                f"quiet: its peak is {self.peak_dbfs:.0f} dBFS: raise the gain or come closer"
            )
        if abs(self.offset) > _OFFSET:
            found.append(
                f"its mean is {100 * self.offset:+.0f} % of full scale: check the microphone"
            )
        if not self.words_s:
            found.append("nothing stands out of its noise: record it again in a quieter place")
        elif len(self.words_s) > 1:
            found.append(f"{len(self.words_s)} words or a pause inside: record one word at a time")
        spoken_s = self.words_s[-1][1] - self.words_s[0][0] if self.words_s else 0.0
        if spoken_s > _LONG_S:
            found.append(f"{spoken_s:.1f} s from first to last sound: longer than a word")
        return found


def measure(waveform: Waveform, sample_rate: int) -> Quality:
    """Measure a recording (n_samples,), at least one sample, at `sample_rate` Hz."""
    offset = float(waveform.mean(dtype=np.float64))
    centred = waveform - np.float32(offset)
    return Quality(
        duration_s=waveform.size / sample_rate,
        peak_dbfs=_decibels(float(np.abs(waveform).max())),
        rms_dbfs=_decibels(float(np.sqrt(np.mean(centred.astype(np.float64) ** 2)))),
        offset=offset,
        n_clipped=_count_clipped(waveform),
        words_s=tuple(
            (a / sample_rate, b / sample_rate) for a, b in find_words(centred, sample_rate)
        ),
    )


def find_words(waveform: Waveform, sample_rate: int) -> list[tuple[int, int]]:
    """Where words begin and end, in samples, with a margin of a tenth of a second.

    Frames of 10 ms are loud if they rise above the noise, which is the level of the quietest tenth
    of all frames, and are not far below the loudest. Pauses shorter than a quarter of a second
    belong to a word; sounds shorter than 60 ms are clicks.

    Parameters
    ----------
    waveform
        (n_samples,) without offset.
    sample_rate
        Hz.
    """
    level = levels(waveform, sample_rate)  # (n_frames,)
    hop = frame_samples(sample_rate)
    noise_db, top_db = np.quantile(level, 0.1), level.max()
    if top_db <= _FLOOR_DB:
        return []
    loud = level > max(top_db - _RANGE_DB, min(noise_db + _ABOVE_NOISE_DB, top_db - 6.0))
    runs = _runs(loud, longest_gap=round(_PAUSE_S / FRAME_S))
    margin = round(_MARGIN_S * sample_rate)
    return [
        (max(0, first * hop - margin), min(waveform.size, (last + 1) * hop + margin))
        for first, last in runs
        if (last + 1 - first) * FRAME_S >= _SHORTEST_S
    ]


def levels(waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """RMS of every frame of 10 ms, dBFS, (n_frames,); the last may be short."""
    hop = frame_samples(sample_rate)
    n_frames = -(-waveform.size // hop)
    padded = np.zeros(n_frames * hop)
    padded[: waveform.size] = waveform
    power = (padded.reshape(n_frames, hop) ** 2).mean(axis=1)
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (_FLOOR_DB / 10.0))))


def frame_samples(sample_rate: int) -> int:
    """Samples of 10 ms."""
    return max(1, round(FRAME_S * sample_rate))


def _runs(loud: NDArray[np.bool_], longest_gap: int) -> list[tuple[int, int]]:
    """First and last frame of each run of loud frames, gaps of up to `longest_gap` inside."""
    runs: list[tuple[int, int]] = []
    for frame in np.flatnonzero(loud).tolist():
        if runs and frame - runs[-1][1] <= longest_gap:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs


def _count_clipped(waveform: Waveform) -> int:
    """Samples in runs that stand at the extreme, which need not be full scale: a limiter, or a
    gain after the clipping, leaves a plateau too.
    """
    extreme = float(np.abs(waveform).max())
    if extreme < _LOUD:
        return 0
    at_limit = np.abs(waveform) >= extreme * 0.9995
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_limit.astype(np.int8), [0]])))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= _RUN].sum())


def _decibels(value: float) -> float:
    return 20.0 * float(np.log10(max(value, 10.0 ** (_FLOOR_DB / 20.0))))


def histogram(values: Sequence[float], n_bins: int) -> tuple[list[int], float, float]:
    """Counts in `n_bins` equal bins, and the ends of the range."""
    counts, edges = np.histogram(values, bins=n_bins)
    return counts.tolist(), float(edges[0]), float(edges[-1])
