"""plots/rejection/*.png: false accepts against misses, a panel for each group of clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_TICKS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_LIMITS = (0.0015, 0.9)
_Line = Callable[[Axes, pd.DataFrame, str, str], None]
"""Draws the curve of one model in a colour, with a label."""


def draw_roc(path: Path, rows: pd.DataFrame, title: str) -> None:
    """Right words over false accepts, linear axes. `rows`: a curve with a column `model`."""
    _draw(path, rows, title, "words accepted and right", _roc)


def draw_det(path: Path, rows: pd.DataFrame, title: str) -> None:
    """Misses over false accepts, both axes stretched as normal deviates: Martin et al., "The DET
    curve in assessment of detection task performance", 1997. `rows`: as of `draw_roc`.
    """
    _draw(path, rows, title, "words rejected or confused", _det)


def _draw(path: Path, rows: pd.DataFrame, title: str, y_label: str, line: _Line) -> None:
    groups = list(dict.fromkeys(rows["group"]))
    figure, axes = plt.subplots(
        1, len(groups), figsize=(3.4 * len(groups), 3.9), layout="constrained", squeeze=False
    )
    models = list(dict.fromkeys(rows["model"]))
    for axis, group in zip(axes[0], groups, strict=True):
        for colour, model in zip(_COLOURS, models, strict=False):
            own = rows[(rows["group"] == group) & (rows["model"] == model)]
            line(axis, own, colour, model)
        axis.set_title(group, fontsize=10)
        axis.set_xlabel("false accepts")
        axis.grid(True, color="#dddddd", linewidth=0.6)
    axes[0][0].set_ylabel(y_label)
    axes[0][0].legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)


def _roc(axis: Axes, rows: pd.DataFrame, colour: str, label: str) -> None:
    right = 1 - rows["misses"]
    axis.plot(rows["false_accepts"], right, color=colour, label=label, linewidth=1.5)
    axis.fill_between(
        rows["false_accepts"],
        1 - rows["misses_high"],
        1 - rows["misses_low"],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1.01)


def _det(axis: Axes, rows: pd.DataFrame, colour: str, label: str) -> None:
    x, y = (_deviate(rows[name]) for name in ("false_accepts", "misses"))
    axis.plot(x, y, color=colour, label=label, linewidth=1.5)
    low, high = _deviate(rows["misses_low"]), _deviate(rows["misses_high"])
    axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    names = [f"{100 * tick:g} %" for tick in _TICKS]
    axis.set_xticks(_deviate(_TICKS), names, rotation=90, fontsize=7)
    axis.set_yticks(_deviate(_TICKS), names, fontsize=7)
    low_limit, high_limit = _deviate(_LIMITS)
    axis.set_xlim(low_limit, high_limit)
    axis.set_ylim(low_limit, high_limit)


def _deviate(shares: object) -> np.ndarray:
    """The normal distribution's quantile of shares, 0 and 1 moved to the edge of the picture."""
    from scipy.special import ndtri

    values = np.clip(np.asarray(shares, np.float64), _LIMITS[0] / 2, 1 - _LIMITS[0] / 2)
    return np.asarray(ndtri(values))
