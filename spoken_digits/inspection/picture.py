"""A recording as a picture: waveform, spectrum, and what the model hears of it."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.io.files import replacing


def draw(
    path: Path,
    title: str,
    waveform: Waveform,
    sample_rate: int,
    *,
    heard_s: tuple[float, float] | None,
    features: NDArray[np.generic] | None,
) -> None:
    """Write a PNG.

    Parameters
    ----------
    path
        Output file; the same content gives the same bytes.
    title
        Above the picture.
    waveform
        (n_samples,).
    sample_rate
        Hz.
    heard_s
        Begin and end of the part that the model hears, seconds.
    features
        What it hears, (n_frames, n_coefficients).
    """
    rows = 2 if features is None else 3
    figure, axes = plt.subplots(rows, 1, figsize=(8, 2.4 * rows), layout="constrained")
    figure.suptitle(title.replace("$", r"\$"))
    times = np.arange(waveform.size) / sample_rate
    axes[0].plot(times, waveform, linewidth=0.5)
    axes[0].set(ylabel="waveform", xlim=(0, waveform.size / sample_rate), xlabel="time / s")
    n_fft = max(2, min(waveform.size, round(0.032 * sample_rate)))
    axes[1].specgram(
        waveform + 1e-9, NFFT=n_fft, Fs=sample_rate / 1000, noverlap=n_fft // 2, cmap="magma"
    )
    axes[1].set(ylabel="frequency / kHz", xlabel="time / ms")
    if heard_s is not None:
        start, end = heard_s
        axes[0].axvspan(start, end, alpha=0.15, label="heard by the model")
        axes[0].legend(loc="upper right", fontsize=8)
    if features is not None:
        axes[2].imshow(
            np.asarray(features, np.float32).T, origin="lower", aspect="auto", cmap="magma"
        )
        axes[2].set(ylabel="coefficient", xlabel="frame, as the model hears it")
    with replacing(path) as temporary:
        # No software version in the file: the bytes must depend on the picture alone.
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
