"""docs/size_accuracy.png."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from spoken_digits.evaluation.report import corpora
from spoken_digits.evaluation.report.collecting import Figures, Results

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

_MARKERS = "osD^v"
_BUDGET_KIB = 36  # the budget of the models named after it


def draw(path: Path, results: Results) -> None:
    """Plot test accuracy against size as PNG, one point per metrics file."""
    figure, axis = plt.subplots(figsize=(8.5, 4.2), layout="constrained")
    models = list(dict.fromkeys(row["model"] for row in results.rows))
    schemes = list(dict.fromkeys(row["scheme"] for row in results.rows))
    markers = {scheme: _MARKERS[i % len(_MARKERS)] for i, scheme in enumerate(schemes)}
    for row in results.rows:
        _point(axis, row, f"C{models.index(row['model'])}", markers[row["scheme"]])
    handles = [
        Line2D([], [], color=f"C{i}", marker="", linewidth=4, label=model)
        for i, model in enumerate(models)
    ] + [
        Line2D([], [], color="0.4", marker=marker, linestyle="", label=scheme)
        for scheme, marker in markers.items()
    ]
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda kib, _: f"{kib:,g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("size of the stored parameters / KiB")
    axis.set_ylabel("test accuracy / %")
    _mark_budget(axis)
    axis.grid(alpha=0.25)
    axis.legend(handles=handles, fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    axis.set_title(title(results), fontsize=10)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def title(results: Results) -> str:
    """Corpus and split of the points, or a warning if they are of different corpora."""
    if results.is_mixed():
        return f"DIFFERENT CORPORA: {', '.join(results.corpora())}"
    split = corpora.split_name(results.corpus)
    return f"{corpora.title(results.corpus)}, {split}, bars are 95 % intervals"


def _point(axis: Axes, row: Figures, colour: str, marker: str) -> None:
    accuracy = 100 * row["accuracy"]
    below = accuracy - 100 * row["accuracy_ci_low"]
    above = 100 * row["accuracy_ci_high"] - accuracy
    axis.errorbar(
        row["size_kib"],
        accuracy,
        yerr=[[below], [above]],
        fmt=marker,
        color=colour,
        capsize=2,
        markersize=6,
        elinewidth=0.8,
    )


def _mark_budget(axis: Axes) -> None:
    axis.axvline(_BUDGET_KIB, color="0.6", linestyle=":", linewidth=1)
    axis.annotate(
        f"{_BUDGET_KIB} KiB",
        (_BUDGET_KIB, axis.get_ylim()[0]),
        fontsize=8,
        color="0.4",
        xytext=(3, 4),
        textcoords="offset points",
    )
