"""The picture of stage `robustness`: one panel a condition, one line a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from spoken_digits.evaluation.conditions import KINDS

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

# Distinguishable for colour-blind people; those of .dvc/plots.
_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c564b",
    "#555555",
)
_MARKERS = "osD^vPX*"
_DASHES = ("-", "--", ":", "-.")
_N_COLUMNS = 4
_CLEAN, _SPEED = "clean", "speed"
_SPREAD = 0.5  # of the marks over a channel, where 1 is the distance of channels
_LONG_LEGEND = 9


def draw(path: Path, rows: pd.DataFrame) -> None:
    """Write a PNG.

    Parameters
    ----------
    path
        Output file; the same rows give the same bytes.
    rows
        Columns model, condition, level (text; empty where the condition has none), accuracy, n,
        corpus.
    """
    models = list(dict.fromkeys(rows["model"]))
    leveled = [name for name in dict.fromkeys(rows["condition"]) if KINDS[name].levels]
    plain = [name for name in dict.fromkeys(rows["condition"]) if not KINDS[name].levels]
    n_panels = len(leveled) + 1
    n_rows = -(-(n_panels + 1) // _N_COLUMNS)  # one more for the legend
    figure, axes = plt.subplots(
        n_rows,
        _N_COLUMNS,
        figsize=(3.1 * _N_COLUMNS, 2.45 * n_rows + 0.6),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    panels = list(axes.flat)
    for axis, name in zip(panels, leveled, strict=False):
        _draw_levels(axis, rows[rows["condition"].isin([name, _CLEAN])], name, models)
    _draw_plain(panels[len(leveled)], rows[rows["condition"].isin(plain)], plain, models)
    for axis in panels[n_panels:]:
        axis.set_axis_off()
    for axis in panels[:n_panels:_N_COLUMNS]:
        axis.set_ylabel("test accuracy / %", fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    legend = panels[n_panels].legend(
        handles,
        labels,
        loc="upper left",
        fontsize=8,
        title="model (test clips)",
        frameon=False,
        alignment="left",
        ncols=1 + len(models) // (_LONG_LEGEND + 1),
    )
    legend.set_in_layout(False)  # it may reach over empty panels, not push them apart
    figure.suptitle(_title(rows))
    # No software version in the file: the bytes must depend on the picture alone.
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def _title(rows: pd.DataFrame) -> str:
    corpora = list(dict.fromkeys(rows["corpus"]))
    if len(corpora) > 1:
        return f"DIFFERENT CORPORA: {', '.join(corpora)}"
    return f"Accuracy on distorted test clips of {corpora[0]}"


def _draw_levels(axis: Axes, rows: pd.DataFrame, name: str, models: Sequence[str]) -> None:
    """Accuracy over the level, beside that on the clips as recorded."""
    steps = _with_clean(name, list(dict.fromkeys(rows[rows["condition"] == name]["level"])))
    for model in models:
        own = rows[rows["model"] == model]
        by_step = dict(zip(own["level"], 100 * own["accuracy"], strict=True))
        axis.plot(
            range(len(steps)),
            [by_step.get(step, float("nan")) for step in steps],
            label=f"{model} ({own['n'].iloc[0]:,})",
            **_style(models, model),
        )
    clean = "1" if name == _SPEED else _CLEAN
    axis.set_xticks(range(len(steps)), [step or clean for step in steps])
    axis.set_title(KINDS[name].title, fontsize=9)
    axis.set_xlabel(KINDS[name].unit, fontsize=8)
    _finish(axis)


def _with_clean(name: str, levels: list[str]) -> list[str]:
    """The levels in order, with the empty one of the clips as recorded where it belongs."""
    if name == _SPEED:
        return sorted([*levels, ""], key=lambda level: float(level or 1))
    return ["", *levels]


def _draw_plain(
    axis: Axes, rows: pd.DataFrame, names: Sequence[str], models: Sequence[str]
) -> None:
    """One mark a model beside the next: no line, for channels have no order."""
    for i, model in enumerate(models):
        own = rows[rows["model"] == model].set_index("condition")["accuracy"]
        shift = _SPREAD * ((i + 0.5) / len(models) - 0.5)
        style = {**_style(models, model), "linestyle": ""}
        axis.plot([k + shift for k in range(len(names))], 100 * own.reindex(list(names)), **style)
    titles = [name if name == _CLEAN else KINDS[name].title for name in names]
    axis.set_xticks(range(len(names)), [title.replace(" ", "\n") for title in titles])
    axis.set_title("channel", fontsize=9)
    _finish(axis)


def _style(models: Sequence[str], model: str) -> dict[str, Any]:
    """Colour and mark by model, dash by scheme."""
    parents = list(dict.fromkeys(name.partition(".")[0] for name in models))
    parent = model.partition(".")[0]
    kin = [name for name in models if name.partition(".")[0] == parent]
    i = parents.index(parent)
    return {
        "color": _COLOURS[i % len(_COLOURS)],
        "marker": _MARKERS[i % len(_MARKERS)],
        "linestyle": _DASHES[kin.index(model) % len(_DASHES)],
        "markersize": 3.2,
        "linewidth": 1.2,
        "alpha": 0.85,
    }


def _finish(axis: Axes) -> None:
    axis.set_ylim(0, 103)
    axis.grid(axis="y", alpha=0.3)
    axis.tick_params(labelsize=7)
