"""plots/crossval/speakers.png: accuracy on speakers never heard, every model a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from spoken_digits.evaluation.folds import Dot

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_GREY = "#777777"
_BAR = "#d9dde3"
_INK = "#222222"
_FAINT_INK = "#444444"
_ROW_INCHES = 0.62
_BAR_HEIGHT = 0.8  # of a row
_LANES = 0.62  # of a row: what its dots take
_DOT = 6.5  # points
_NAME_WIDTH = 0.07  # of the axis: room for a name left of the lowest dot


def draw(path: Path, figures: Mapping[str, Mapping[str, Any]], dots: Sequence[Dot]) -> None:
    """Plot a dot for each speaker and seed as PNG, the best model on top.

    Integer networks have no row of their own: they differ by a dot's width.

    Parameters
    ----------
    path
        The PNG file.
    figures
        metrics/crossval.json: means and intervals.
    dots
        Accuracy of every row, speaker and seed.
    """
    drawn = {name for name, *_ in dots}
    models = [name for name in figures if name in drawn and "." not in name]
    models.sort(key=lambda name: figures[name]["mean"])
    speakers = list(dict.fromkeys(speaker for _, speaker, *_ in dots))
    figure, axis = plt.subplots(
        figsize=(8.8, 1.5 + _ROW_INCHES * len(models)), layout="constrained"
    )
    for row, model in enumerate(models):
        own = [dot for dot in dots if dot[0] == model]
        _row(axis, row, figures[model], own, speakers)
    _axes(axis, models, figures)
    n_seeds = len({seed for _, _, seed, _ in dots})
    _legend(figure, speakers, n_seeds)
    corpora = ", ".join(sorted({str(figures[model]["corpus"]) for model in models}))
    _title(axis, corpora, len(speakers), n_seeds)
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)


def _row(
    axis: Axes, row: int, figures: Mapping[str, Any], dots: Sequence[Dot], speakers: Sequence[str]
) -> None:
    """Interval, mean and dots of one model; the worst speaker is named."""
    low, high = 100 * figures["accuracy_ci_low"], 100 * figures["accuracy_ci_high"]
    axis.barh(row, high - low, left=low, height=_BAR_HEIGHT, color=_BAR, zorder=1)
    mean = 100 * figures["mean"]
    axis.plot(
        [mean, mean],
        [row - _BAR_HEIGHT / 2, row + _BAR_HEIGHT / 2],
        color=_INK,
        linewidth=2,
        zorder=2,
    )
    for _, speaker, _, accuracy in dots:
        axis.plot(
            100 * accuracy,
            row + _lane(speaker, speakers),
            marker="o",
            markersize=_DOT,
            color=_colour(speaker, speakers),
            markeredgecolor="white",
            markeredgewidth=0.7,
            zorder=3,
        )
    worst = figures["worst_speaker"]
    lowest = min(accuracy for _, speaker, _, accuracy in dots if speaker == worst)
    axis.annotate(
        worst,
        (100 * lowest, row + _lane(worst, speakers)),
        xytext=(-7, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
        color=_colour(worst, speakers),
    )


def _lane(speaker: str, speakers: Sequence[str]) -> float:
    """Height of a speaker's dots within a row, so that equal accuracies do not hide each other."""
    if len(speakers) == 1:
        return 0.0
    return _LANES * (0.5 - speakers.index(speaker) / (len(speakers) - 1))


def _colour(speaker: str, speakers: Sequence[str]) -> str:
    return _COLOURS[speakers.index(speaker)] if len(speakers) <= len(_COLOURS) else _GREY


def _axes(axis: Axes, models: Sequence[str], figures: Mapping[str, Mapping[str, Any]]) -> None:
    rows = range(len(models))
    axis.set_yticks(rows, models, fontsize=10, family="monospace")
    means = axis.secondary_yaxis("right")
    means.set_yticks(rows, [f"{100 * figures[model]['mean']:.1f} %" for model in models])
    means.tick_params(length=0, labelsize=11)
    means.spines[:].set_visible(False)
    axis.set_ylim(-0.55, len(models) - 0.45)
    low, _ = axis.get_xlim()
    axis.set_xlim(low - _NAME_WIDTH * (101 - low), 101)
    axis.set_xlabel("accuracy on a speaker never heard in training / %", fontsize=10)
    axis.grid(axis="x", color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


def _legend(figure: Figure, speakers: Sequence[str], n_seeds: int) -> None:
    of_each = "each dot: one speaker" + (", one seed" if n_seeds > 1 else "")
    marks = [
        Line2D([], [], color=_INK, linewidth=2, label="mean"),
        Patch(color=_BAR, label="95 % interval of the mean"),
    ]
    if len(speakers) <= len(_COLOURS):
        marks += [_dot(_colour(speaker, speakers), speaker) for speaker in speakers]
    else:
        marks.append(_dot(_GREY, of_each))
    figure.legend(
        handles=marks,
        loc="outside lower center",
        ncols=len(marks),
        fontsize=9,
        frameon=False,
        columnspacing=1.2,
        handletextpad=0.4,
        handlelength=1.2,
    )


def _dot(colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", markersize=_DOT, linestyle="", label=label)


def _title(axis: Axes, corpora: str, n_speakers: int, n_seeds: int) -> None:
    dot = "one speaker and one seed" if n_seeds > 1 else "one speaker"
    axis.set_title("Voices never heard", fontsize=14, fontweight="bold", loc="left", pad=24)
    text = f"{corpora}: {n_speakers} speakers, each left out of training once; each dot is {dot}"
    for x, words in ((0, text), (1.008, "mean")):
        axis.annotate(
            words,
            (x, 1),
            xytext=(0, 6),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color=_FAINT_INK,
        )
