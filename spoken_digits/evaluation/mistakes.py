"""The worst mistakes as a picture: what was said, what was heard, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt

_WINDOW_S, _HOP_S = 0.032, 0.008


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A clip that was taken for another word."""

    row: int
    """Position among the clips given."""
    actual: int
    predicted: int
    confidence: float
    """Probability given to the wrong word."""


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
    clips: Sequence[tuple[str, Waveform, int]],
    labels: Sequence[str],
) -> None:
    """Write a PNG with a panel a mistake.

    Parameters
    ----------
    path
        Where to; always the same bytes for the same content.
    title
        Above all panels.
    mistakes
        What to show; none gives a picture that says so.
    clips
        (utterance, waveform, sample rate in Hz) of each mistake.
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
    for axis, mistake, (utterance, waveform, sample_rate) in zip(
        axes.flat, mistakes, clips, strict=False
    ):
        axis.set_axis_on()
        picture = _picture(waveform, sample_rate)  # (n_frames, n_bins) in [0, 1]
        extent = (0.0, waveform.size / sample_rate, 0.0, sample_rate / 2000)
        axis.imshow(picture.T, origin="lower", aspect="auto", cmap="magma", extent=extent)
        axis.set_title(
            f"“{labels[mistake.actual]}” heard as “{labels[mistake.predicted]}” "
            f"({mistake.confidence:.0%})\n{utterance}",
            fontsize=9,
        )
        axis.set_xlabel("time / s", fontsize=8)
        axis.set_ylabel("frequency / kHz", fontsize=8)
        axis.tick_params(labelsize=7)
    # No software version in the file: the bytes must depend on nothing but the picture.
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)


def _picture(waveform: Waveform, sample_rate: int) -> NDArray[np.float16]:
    params = SpectrogramParams(
        sample_rate=sample_rate,
        n_samples=waveform.size,
        n_fft=int(_WINDOW_S * sample_rate) // 2 * 2,
        hop_length=int(_HOP_S * sample_rate),
    )
    features, _ = Spectrogram(params)([waveform])  # (1, n_frames, n_bins)
    picture: NDArray[np.float16] = features[0]
    return picture
