"""The tables of the models: accuracy, seeds, quantization, cost."""

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
    as_int8 = any("int8_kib" in row for row in results.rows)
    columns = ["model", "weights", ">parameters", ">size", *([">as int8"] if as_int8 else [])]
    columns += [">test accuracy", ">95 % interval"]
    columns += [seeds_column(results.seeds), ">reference"]
    rows = [
        (
            row,
            [
                code(row["model"]),
                row["scheme"],
                f"{row['parameters']:,}",
                size(row["size_kib"]),
                *([_as_int8(row)] if as_int8 else []),
                percent(row["accuracy"]),
                interval(row),
                seeds_cell(results.seeds, row),
                published_cell(results.published, row, results.corpus["corpus"]),
            ],
        )
        for row in results.rows
    ]
    return by_corpus(results, columns, rows)


def seeds_table(results: Results, studies: Figures) -> str:
    """Accuracy of each model under several seeds."""
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
        for name, study in studies.items()
    ]
    return by_corpus(results, columns, rows)


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
    return by_corpus(results, columns, rows)


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
    counts = {
        f"{board} {part}": f"{prefix}instructions_{board.lower()}"
        for part, prefix in (("clip", ""), ("frame", "frontend_"))
        for board in ("M0", "M3", "M4")
    }
    counts = {
        title: key for title, key in counts.items() if any(key in row for row in results.costs)
    }
    columns += [*(f">{title}" for title in counts), ">mismatches"]
    rows = [
        (
            row,
            [
                code(row["model"]),
                row["scheme"],
                f"{row['parameter_bytes']:,}",
                f"{row['recogniser_flash_bytes']:,}",
                f"{row['recogniser_ram_bytes']:,}",
                f"{row['stack_bytes']:,}",
                *(f"{row[key]:,}" if key in row else "" for key in counts.values()),
                row["mismatches"],
            ],
        )
        for row in results.costs
    ]
    return by_corpus(results, columns, rows)


def by_corpus(
    results: Results, columns: Sequence[str], rows: Iterable[tuple[Figures, Sequence[object]]]
) -> str:
    """A table from rows of figures and cells; if corpora are mixed, each row names its own."""
    if not results.is_mixed():
        return table(columns, (cells for _, cells in rows))
    return table([*columns, "corpus"], ([*cells, figures["corpus"]] for figures, cells in rows))


def seeds_column(seeds: Figures) -> str:
    counts = {len(study["values"]) for study in seeds.values()}
    return f">{counts.pop()} seeds" if len(counts) == 1 else ">seeds"


def seeds_cell(seeds: Figures, row: Figures) -> str:
    """Mean and deviation of a row's model; the corpus is named if it is another one."""
    study = seeds.get(study_name(row))
    return elsewhere(mean_and_deviation(study), study, row) if study else ""


def study_name(row: Figures) -> str:
    """The name in the studies of a row's model and scheme."""
    return row["model"] if row["scheme"] == "float32" else f"{row['model']}.{row['scheme']}"


def elsewhere(text: str, study: Figures, row: Figures) -> str:
    """The text, with the study's corpus if it is another one than the row's."""
    return text if study["corpus"] == row["corpus"] else f"{text} ({study['corpus']})"


def published_cell(published: Sequence[Figures], row: Figures, corpus: str) -> str:
    """Published accuracy of the same network; the corpus is named if it is another one."""
    for other in published:
        if (other["model"], other["scheme"]) == (row["model"], row["scheme"]):
            elsewhere = "" if other["corpus"] == corpus else f" ({other['title']})"
            return percent(other["accuracy"]) + elsewhere
    return ""


def _as_int8(row: Figures) -> str:
    """The computed size of a float network's weights in 8 bits."""
    return size(row["int8_kib"]) if row["scheme"] == "float32" and "int8_kib" in row else ""


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f} points"
