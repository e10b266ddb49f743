"""The tables of the models: accuracy, studies, quantization, cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spoken_digits.evaluation.report.collecting import Figures, Results
from spoken_digits.evaluation.report.markdown import (
    code,
    interval,
    mean_and_deviation,
    percent,
    size,
    table,
    values,
)


def results_table(results: Results) -> str:
    """Every model and scheme."""
    columns = ["model", "weights", ">parameters", ">size", ">test accuracy", ">95 % interval"]
    columns += [_seeds_column(results.seeds), ">unseen speakers", ">reference"]
    rows = [
        (
            row,
            [
                code(row["model"]),
                row["scheme"],
                f"{row['parameters']:,}",
                size(row["size_kib"]),
                percent(row["accuracy"]),
                interval(row),
                _study_cell(results.seeds, row),
                _study_cell(results.speakers, row),
                _published_cell(results.published, row, results.corpus["corpus"]),
            ],
        )
        for row in results.rows
    ]
    return _table(results, columns, rows)


def seeds_table(results: Results) -> str:
    columns = ["model", ">mean", ">deviation", "test accuracy by seed", ">lost to float"]
    columns += [">agreement"]
    rows = [
        (
            study,
            [
                code(name),
                percent(study["mean"]),
                f"{100 * study['std']:.2f}",
                ", ".join(values(study["values"])),
                _points(study["accuracy_drop"]) if "accuracy_drop" in study else "",
                percent(study["agreement"]) if "agreement" in study else "",
            ],
        )
        for name, study in results.seeds.items()
    ]
    return _table(results, columns, rows)


def speakers_table(results: Results) -> str:
    """A column for each fold, headed by its test speakers."""
    folds = next(iter(results.speakers.values()))["speakers"]
    columns = ["model", ">mean", ">deviation", *(f">{speakers}" for speakers in folds)]
    rows = [
        (
            study,
            [
                code(name),
                percent(study["mean"]),
                f"{100 * study['std']:.2f}",
                *values(study["values"]),
            ],
        )
        for name, study in results.speakers.items()
    ]
    return _table(results, columns, rows)


def quantized_table(results: Results) -> str:
    columns = ["model", "scheme", ">accuracy lost", ">agreement", ">size"]
    rows = [
        (
            row,
            [
                code(row["model"]),
                row["scheme"],
                _points(row["accuracy_drop"]),
                percent(row["agreement"]),
                size(row["size_kib"]),
            ],
        )
        for row in results.rows
        if row["scheme"] != "float32"
    ]
    return _table(results, columns, rows)


def quantizers_table(rows: Sequence[Figures]) -> str:
    """Post-training quantization against fine-tuning with quantization."""
    columns = ["scheme", ">epochs of fine-tuning", ">validation accuracy", ">test accuracy"]
    columns += [">agreement"]
    cells = (
        [
            row["scheme"],
            row["epochs"] or "none (post-training)",
            percent(row["val_accuracy"]),
            percent(row["accuracy"]),
            percent(row["agreement"]),
        ]
        for row in rows
    )
    return table(columns, cells)


def cost_table(results: Results) -> str:
    """Flash, RAM and instructions of every integer network that was measured."""
    columns = ["model", "scheme", ">parameters / B", ">flash / B", ">RAM / B", ">stack / B"]
    columns += [">M0 clip", ">M3 clip", ">M0 frame", ">M3 frame", ">mismatches"]
    rows = [
        (
            row,
            [
                code(row["model"]),
                row["scheme"],
                f"{row['parameter_bytes']:,}",
                f"{row['flash_bytes']:,} + {row['frontend_flash_bytes']:,}",
                f"{row['ram_bytes']:,} + {row['frontend_ram_bytes']:,}",
                f"{row['stack_bytes']:,}",
                f"{row['instructions_m0']:,}",
                f"{row['instructions_m3']:,}",
                f"{row['frontend_instructions_m0']:,}",
                f"{row['frontend_instructions_m3']:,}",
                row["mismatches"],
            ],
        )
        for row in results.costs
    ]
    return _table(results, columns, rows)


def _table(
    results: Results, columns: Sequence[str], rows: Iterable[tuple[Figures, Sequence[object]]]
) -> str:
    """A table from rows of figures and cells; if corpora are mixed, each row names its own."""
    if not results.is_mixed():
        return table(columns, (cells for _, cells in rows))
    return table([*columns, "corpus"], ([*cells, figures["corpus"]] for figures, cells in rows))


def _seeds_column(seeds: Figures) -> str:
    counts = {len(study["values"]) for study in seeds.values()}
    return f">{counts.pop()} seeds" if len(counts) == 1 else ">seeds"


def _study_cell(study: Figures, row: Figures) -> str:
    """Mean and deviation of a row's model; the corpus is named if it is another one."""
    name = row["model"] if row["scheme"] == "float32" else f"{row['model']}.{row['scheme']}"
    if name not in study:
        return ""
    corpus = study[name]["corpus"]
    text = mean_and_deviation(study[name])
    return text if corpus == row["corpus"] else f"{text} ({corpus})"


def _published_cell(published: Sequence[Figures], row: Figures, corpus: str) -> str:
    """Published accuracy of the same network; the corpus is named if it is another one."""
    for other in published:
        if (other["model"], other["scheme"]) == (row["model"], row["scheme"]):
            elsewhere = "" if other["corpus"] == corpus else f" ({other['title']})"
            return percent(other["accuracy"]) + elsewhere
    return ""


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f} points"
