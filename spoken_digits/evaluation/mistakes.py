"""Draw the worst mistakes: the word said, the word recognised, and the spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import librosa
import matplotlib
import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.audio.offset import remove_offset

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_WINDOW_S, _HOP_S = 0.032, 0.008
_TOP_DB = 80.0


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A clip recognised as another word."""

    row: int
    """Index of the clip."""
    actual: int
    predicted: int
    confidence: float
    """Probability given to the wrong word."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The recording of a mistake."""

    utterance: str
    waveform: Waveform
    """(n_samples,), all of it."""
    sample_rate: int
    """Hz."""
    heard_s: tuple[float, float]
    """Where the part that the model uses begins and ends, seconds; the rest is shaded."""


def worst(probabilities: NDArray[np.float64], actual: NDArray[np.int64], n: int) -> list[Mistake]:
    """At most `n` wrongly recognised clips, the most confident first.

    Parameters
    ----------
    probabilities
        (n_clips, n_classes).
    actual
        (n_clips,) class numbers.
    n
        How many.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != actual)
    confidence = probabilities[wrong, predicted[wrong]]
    order = wrong[np.argsort(-confidence, kind="stable")][:n]
    return [
        Mistake(
            row=int(row),
            actual=int(actual[row]),
            predicted=int(predicted[row]),
            confidence=float(probabilities[row, predicted[row]]),
        )
        for row in order
    ]


def draw(
    path: Path,
    title: str,
    mistakes: Sequence[Mistake],
    clips: Sequence[Clip],
    labels: Sequence[str],
) -> None:
    """Write a PNG with one panel a mistake.

    Parameters
    ----------
    path
        Output file; the same content gives the same bytes.
    title
        Above all panels.
    mistakes
        Mistakes to show; if there are none, the picture says so.
    clips
        The recording of each mistake.
    labels
        The words.
    """
    columns = min(3, max(1, len(mistakes)))
    rows = max(1, -(-len(mistakes) // columns))
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.9 * columns, 2.7 * rows + 0.5),
        squeeze=False,
        layout="constrained",
    )
    figure.suptitle(title)
    for axis in axes.flat:
        axis.set_axis_off()
    if not mistakes:
        axes[0, 0].text(0.5, 0.5, "no mistakes on the test clips", ha="center", va="center")
    for axis, mistake, clip in zip(axes.flat, mistakes, clips, strict=False):
        axis.set_axis_on()
        _draw_spectrogram(axis, clip)
        axis.set_title(
            f"“{labels[mistake.actual]}” heard as “{labels[mistake.predicted]}” "
            f"({mistake.confidence:.0%})\n{clip.utterance}",
            fontsize=9,
        )
        axis.set_xlabel("time / s", fontsize=8)
        axis.set_ylabel("frequency / kHz", fontsize=8)
        axis.tick_params(labelsize=7)
    # No software version in the file: the bytes must depend on the picture alone.
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)


def _draw_spectrogram(axis: Axes, clip: Clip) -> None:
    duration_s = clip.waveform.size / clip.sample_rate
    axis.imshow(
        _decibels(clip),
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=(0.0, duration_s, 0.0, clip.sample_rate / 2000),
        vmin=-_TOP_DB,
        vmax=0.0,
    )
    first, last = clip.heard_s
    for start, end, edge in ((0.0, first, first), (last, duration_s, last)):
        if end <= start:
            continue
        axis.axvspan(start, end, facecolor="white", alpha=0.6)
        axis.axvline(edge, color="white", linestyle="--", linewidth=1)
        axis.text(
            (start + end) / 2,
            0.95,
            "not heard",
            transform=axis.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=7,
        )


def _decibels(clip: Clip) -> NDArray[np.float64]:
    """(n_bins, n_frames) in decibels below the clip's maximum, down to -80."""
    n_fft = max(2, int(_WINDOW_S * clip.sample_rate) // 2 * 2)
    samples = np.pad(remove_offset(clip.waveform), n_fft // 2)
    spectrum = librosa.stft(
        librosa.util.fix_length(samples, size=max(samples.size, n_fft)),
        n_fft=n_fft,
        hop_length=max(1, int(_HOP_S * clip.sample_rate)),
        center=False,
        dtype=np.complex128,
    )
    return np.asarray(librosa.amplitude_to_db(np.abs(spectrum), ref=np.max, top_db=_TOP_DB))
