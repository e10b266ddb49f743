"""plots/ablation.png: what accuracy loses without each step of the augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

from spoken_digits.evaluation.columns import WHOLE

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt

_COLOUR = "#0072B2"
_GREY = "#777777"
_FAINT_INK = "#444444"
_ROW_INCHES = 0.36


def draw(path: Path, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Plot the loss without each step as PNG, the largest on top.

    Parameters
    ----------
    path
        The PNG file.
    figures
        metrics/ablation.json: losses, their standard errors, model and corpus.
    """
    steps = sorted((s for s in figures if s != WHOLE), key=lambda step: figures[step]["loss"])
    whole = figures[WHOLE]
    figure, axis = plt.subplots(figsize=(8, 1.4 + _ROW_INCHES * len(steps)), layout="constrained")
    for row, step in enumerate(steps):
        loss, error = 100 * figures[step]["loss"], 200 * figures[step]["loss_error"]
        # What may be chance is grey.
        colour = _COLOUR if abs(loss) > error else _GREY
        axis.errorbar(loss, row, xerr=error, fmt="o", color=colour, capsize=3)
    axis.axvline(0, color=_FAINT_INK, linewidth=1)
    axis.set_yticks(range(len(steps)), [step.replace("_", " ") for step in steps])
    axis.set_ylim(-0.6, len(steps) - 0.4)
    axis.set_xlabel("points of accuracy lost without the step; bar: two standard errors")
    axis.grid(axis="x", color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.set_title(
        "What each step of the augmentation is worth", fontweight="bold", loc="left", pad=22
    )
    axis.annotate(
        f"{whole['model']} on inner folds of {whole['corpus']}: {100 * whole['mean']:.1f} % with "
        f"all steps, {whole['trainings']} trainings each",
        (0, 1),
        xytext=(0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        color=_FAINT_INK,
    )
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)
