"""The sections made from benchmarks/: words that nobody recorded, full size, speed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from spoken_digits.evaluation.report.collecting import Figures
from spoken_digits.evaluation.report.markdown import (
    code,
    interval,
    mean_and_deviation,
    percent,
    size,
    table,
    values,
)


def said_section(said: Figures) -> list[str]:
    """What `benchmarks/said.py` found; empty if it has not been run."""
    if not said:
        return []
    words = " ".join(said["words"])
    rows = (
        [
            code(name),
            mean_and_deviation({"mean": row["accuracy"], "std": row["std"]}),
            interval(row),
            _worst(row["per_word"]),
            percent(row["synthesised_voices"]),
        ]
        for name, row in said["models"].items()
    )
    columns = ["model", ">people", ">95 % interval", ">worst word", ">synthesised voices"]
    return [
        "## Words that nobody recorded",
        f"`spoken-digits run --say {words}`: recognisers that have heard synthesised voices alone, "
        f"{said['n_synthesised_clips']:,} clips of them, tested on {said['n_clips']} "
        f"recordings of {said['n_speakers']} people, the strangers, who say these words. Mean and "
        f"standard deviation over {len(said['seeds'])} seeds; the interval is that of the people. "
        "*Synthesised voices*: those held out of training. Their last bits depend on the "
        "processor, so another one gives slightly different figures. Made by "
        "`python benchmarks/said.py --folder ../said`.",
        table(columns, rows),
    ]


def _worst(per_word: Mapping[str, float]) -> str:
    word = min(per_word, key=lambda word: per_word[word])
    return f"{percent(per_word[word])} ({word})"


def full_size_sections(runs: Sequence[Figures]) -> list[str]:
    """The runs of `make audiomnist`, which are on synthetic speech.

    Raises
    ------
    ValueError
        A run is not of synthetic speech, so the text would be wrong.
    """
    if not runs:
        return []
    if not all(run["synthetic"] for run in runs):
        raise ValueError("benchmarks/audiomnist*.json: the text is about synthetic speech")
    split = ", ".join(f"{n:,} {subset}" for subset, n in runs[0]["split"].items())
    parts = [
        "## AudioMNIST at full size, on synthetic speech",
        f"**Synthetic**: all figures here are of {runs[0]['n_clips']:,} clips that eSpeak NG spoke "
        "in AudioMNIST's layout (60 voices, 48 kHz), not of AudioMNIST. They show that the "
        "pipeline works at full size and what it costs, not how well it recognises people. "
        f"Made by `make audiomnist`, with the reference's 70/20/10 split ({split}). `cnn` is "
        "trained with the reference's recipe, `cnn_lstm` with ours: with the reference's (Adam at "
        "a constant 0.001, features not normalised) it hardly learns here.",
    ]
    for run in runs:
        parts += _full_size_run(run)
    return parts


def _full_size_run(run: Figures) -> list[str]:
    """The measurements of one machine."""
    epochs = f"{run['epochs']} epochs each" if run["epochs"] else "epochs as in params.yaml"
    folds = run.get("speaker_folds")
    unseen = []
    if folds:
        unseen = [
            f"Unseen voices, the five published speaker folds, `{folds['model']}`: mean "
            f"{percent(folds['mean'])} (by fold {', '.join(values(folds['values']))}), synthetic."
        ]
    return [
        f"### On {run['machine']}: {epochs}",
        _full_size_models(run["models"]),
        *unseen,
        "Time of each stage, including DVC's hashing and caching, and the largest memory of all "
        "its processes together (memory-mapped files count as far as they were read)"
        + (f"; {run['remark']}" if run["remark"] else "")
        + ":",
        _stages_table(run["stages"]),
    ]


def _full_size_models(models: Mapping[str, Figures]) -> str:
    columns = ["model", ">parameters", ">size", ">test accuracy (synthetic)", ">95 % interval"]
    columns += [">best epoch"]
    rows = (
        [
            code(name),
            f"{row['parameters']:,}",
            size(row["size_kib"]),
            percent(row["accuracy"]),
            interval(row),
            row.get("best_epoch", ""),
        ]
        for name, row in models.items()
    )
    return table(columns, rows)


def _stages_table(stages: Mapping[str, Mapping[str, float]]) -> str:
    rows = (
        [code(name), f"{taken['seconds']:,.0f} s", f"{taken['peak_rss_mib']:,.0f} MiB"]
        for name, taken in stages.items()
    )
    return table(["stage", ">time", ">peak memory"], rows)


def speed_section(title: str, benchmarks: Figures) -> list[str]:
    """A section on one machine's run of benchmarks/run.py; empty if there is none."""
    if not benchmarks:
        return []
    by_machine: dict[str, list[Figures]] = {}
    for row in benchmarks["rows"]:
        by_machine.setdefault(row.get("machine", benchmarks["machine"]), []).append(row)
    parts = [title]
    for machine, rows in by_machine.items():
        parts += [
            f"Made by `python benchmarks/run.py` on {machine}. Ratios compare with the "
            "reference's way of doing the same, in the same run.",
            _speed_table(rows),
        ]
    growing = [row for row in benchmarks["rows"] if "growth" in row]
    if growing:
        parts += [
            "Feature extraction of a growing number of clips (synthetic), the whole stage as a "
            "command; memory is that of all its processes together:",
            _growth_table(growing),
        ]
    return parts


def _speed_table(rows: Sequence[Figures]) -> str:
    columns = ["what", ">ours", ">reference", ">ratio", ">peak memory", "how"]
    cells = (
        [
            code(row["name"]),
            _time(row["ours_s"]),
            _time(row["reference_s"]) if row["reference_s"] else "",
            f"{row['ratio']:.1f} x" if row["ratio"] else "",
            f"{row['peak_rss_mib']:,.0f} MiB" if "peak_rss_mib" in row else "",
            row["note"],
        ]
        for row in rows
    )
    return table(columns, cells)


def _time(seconds: float) -> str:
    """Three significant digits, in a unit that suits them."""
    exponent = math.floor(math.log10(seconds))
    scale, unit = (0, "s") if exponent >= 0 else (3, "ms") if exponent >= -3 else (6, "µs")
    return f"{10**scale * seconds:,.{max(0, 2 - exponent - scale)}f} {unit}"


def _growth_table(rows: Sequence[Figures]) -> str:
    cells = (
        [
            code(row["name"]),
            f"{point['clips']:,}",
            f"{point['seconds']:.1f} s",
            f"{point['peak_rss_mib']:,.0f} MiB",
        ]
        for row in rows
        for point in row["growth"]
    )
    return table(["what", ">clips", ">time", ">peak memory"], cells)
