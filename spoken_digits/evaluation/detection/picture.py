"""plots/detector: what a lower threshold costs, as curves of misses against false accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

from spoken_digits.evaluation.detection import trial
from spoken_digits.evaluation.detection.examination import Report
from spoken_digits.io import files

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt

Curve = Sequence[tuple[float, float]]
"""(share of false accepts, share of words not hit) at each threshold."""

# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
_LOWEST = 0.002
_NAMES = {
    trial.OTHER_WORDS: "real words",
    trial.PHRASES: "real phrases",
    trial.SYNTHETIC: "synthetic words and sentences",
}


def write(folder: Path, stem: str, report: Report, corpus: str, whose: str) -> None:
    """The curve as ``<stem>.csv``, with that of a sliding window, and ``<stem>.png``.

    Parameters
    ----------
    folder
        Where they go.
    stem
        The model.
    report
        Of its examination.
    corpus
        Whose words.
    whose
        The voices of the test, as `voices` names them.
    """
    rows = report.curve
    columns = list(rows[0])
    tables = {stem: rows, f"{stem}.sliding": report.sliding.curve if report.sliding else []}
    values = [
        (name, *(round(row[column], 6) for column in columns))
        for name, curve in tables.items()
        for row in curve
    ]
    files.write_csv(folder / f"{stem}.csv", ("model", *columns), values)
    curves = {
        name: [(row[f"{kind}_accepted"], 1 - row[f"{trial.WORDS}_hit_rate"]) for row in rows]
        for kind, name in _NAMES.items()
        if f"{kind}_accepted" in rows[0]
    }
    chosen = min(range(len(rows)), key=lambda i: abs(rows[i]["threshold"] - report.threshold))
    with files.replacing(folder / f"{stem}.png") as temporary:
        draw(temporary, curves, chosen, f"{stem} on {whose}, {corpus}")


def voices(n_speakers: int, n_unheard: int | None) -> str:
    """Whether a model was trained on the voices of the test.

    Parameters
    ----------
    n_speakers
        In the test.
    n_unheard
        Of these, whom the model never heard; None if that is not known.
    """
    if n_unheard is None:
        return "voices it may have heard"
    if n_unheard == 0:
        return "voices it has heard"
    if n_unheard == n_speakers:
        return "voices it never heard"
    return f"{n_speakers} voices, {n_unheard} of which it never heard"


def draw(path: Path, curves: Mapping[str, Curve], chosen: int, title: str) -> None:
    """A detection error tradeoff picture (Martin et al., 1997) as PNG, on logarithmic axes.

    Parameters
    ----------
    path
        The PNG file.
    curves
        Under the name of the other speech.
    chosen
        Position of the chosen threshold in every curve.
    title
        The model, and whose voices.
    """
    figure, axis = plt.subplots(figsize=(6.4, 5.2), layout="constrained")
    for colour, (name, curve) in zip(_COLOURS, curves.items(), strict=False):
        x = [max(_LOWEST, false) for false, _ in curve]
        y = [max(_LOWEST, missed) for _, missed in curve]
        axis.plot(x, y, color=colour, label=name, linewidth=1.8)
        axis.plot(x[chosen], y[chosen], "o", color=colour, markersize=8)
    axis.set(xscale="log", yscale="log", xlim=(_LOWEST, 1), ylim=(_LOWEST, 1))
    ticks = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    for one in (axis.xaxis, axis.yaxis):
        one.set_ticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        one.set_ticks([], minor=True)
    axis.set_xlabel("Other words taken for one of the words, %")
    axis.set_ylabel("Words missed or mistaken, %")
    axis.set_title(title, fontsize=10, loc="left")
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.legend(title="dot: the chosen threshold", frameon=False, loc="lower left")
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)
