"""Stage `report`: committed metrics -> README table, docs/results.md and its picture.

Reads   metrics/, benchmarks/*.json
Writes  README.md between its markers, docs/results.md, docs/size_accuracy.png
Run     python stages/report.py

Not part of `dvc repro`: `make results` runs it. Every figure in the texts comes from here.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path
from typing import Any

import matplotlib

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.io import files
from spoken_digits.models.params import names

matplotlib.use("Agg")  # before pyplot: no display in a pipeline
from matplotlib import pyplot as plt

METRICS = Path("metrics")
README = Path("README.md")
RESULTS = Path("docs/results.md")
PICTURE = Path("docs/size_accuracy.png")
BENCHMARKS = Path("benchmarks/results.json")
GPU_BENCHMARKS = Path("benchmarks/results_gpu.json")
QUANTIZERS = Path("benchmarks/quantizers.json")
AUDIOMNIST = (Path("benchmarks/audiomnist.json"), Path("benchmarks/audiomnist_gpu.json"))
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"

# What the two published systems report: single runs, their own corpora and splits.
REFERENCE = {
    ("lstm", "float32"): "99.17 %",
    ("lstm_36kb", "float32"): "93.67 %",
    ("lstm_36kb", "int8_dynamic"): "93.50 %",
    ("cnn", "float32"): "98.96 % (AudioMNIST)",
    ("cnn_lstm", "float32"): "99.00 % (AudioMNIST)",
}


def main() -> None:
    config = read_config(Path("params.yaml"))
    rows = collect(names(config))
    seeds = read_optional(METRICS / "seeds.json")
    speakers = read_optional(METRICS / "speakers.json")
    table = results_table(rows, seeds, speakers)
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    files.write_bytes(README, f"{before}{BEGIN}\n{table}\n{END}{after}".encode())
    benchmarks = read_optional(BENCHMARKS)
    files.write_bytes(RESULTS, results_page(rows, seeds, speakers, benchmarks).encode())
    with files.replacing(PICTURE) as temporary:
        draw(temporary, rows)
    print(f"README.md, {RESULTS} and {PICTURE} are made from {len(rows)} metrics files")


def collect(models: list[str]) -> list[dict[str, Any]]:
    """One row a metrics file: model, scheme and what the file holds."""
    rows = []
    for model in models:
        for path in sorted(METRICS.glob(f"{model}.json")) + sorted(METRICS.glob(f"{model}.*.json")):
            scheme = path.name.removeprefix(f"{model}.").removesuffix("json").strip(".")
            metrics = files.read_json(path, "dvc repro")
            rows.append({"model": model, "scheme": scheme or "float32", **metrics})
    if not rows:
        raise errors.UserError("metrics/ is empty: make it with `dvc repro`")
    return rows


def read_optional(path: Path) -> dict[str, Any]:
    return files.read_json(path, "make results") if path.exists() else {}


def size(kib: float) -> str:
    return f"{kib / 1024:,.1f} MiB" if kib >= 1024 else f"{kib:.2f} KiB"


def interval(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy_ci_low']:.2f} to {100 * row['accuracy_ci_high']:.2f}"


def seed_key(row: dict[str, Any]) -> str:
    return row["model"] if row["scheme"] == "float32" else f"{row['model']}.{row['scheme']}"


def spread(study: dict[str, Any] | None) -> str:
    return f"{100 * study['mean']:.2f} ± {100 * study['std']:.2f} %" if study else ""


def results_table(
    rows: list[dict[str, Any]], seeds: dict[str, Any], speakers: dict[str, Any]
) -> str:
    lines = [
        "| model | weights | parameters | size | test accuracy | 95 % interval | five seeds "
        "| unseen speakers | reference |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lines.append(
            f"| `{row['model']}` | {row['scheme']} | {row['parameters']:,} "
            f"| {size(row['size_kib'])} | {100 * row['accuracy']:.2f} % | {interval(row)} "
            f"| {spread(seeds.get(seed_key(row)))} | {spread(speakers.get(seed_key(row)))} "
            f"| {REFERENCE.get((row['model'], row['scheme']), '')} |"
        )
    return "\n".join(lines)


def results_page(
    rows: list[dict[str, Any]],
    seeds: dict[str, Any],
    speakers: dict[str, Any],
    benchmarks: dict[str, Any],
) -> str:
    parts = [
        "# Results",
        "Made by `make results` from the committed `metrics/`; not edited by hand. Free Spoken "
        "Digit Dataset v1.0.10, real recordings, random split stratified by word (2,100 train, "
        "300 validation, 600 test), best validation epoch. A random split has every speaker on "
        "both sides; *unseen speakers* is what the same recipe hears of people it was not trained "
        "on. The reference figures are single runs of the two published systems, on their own "
        "random splits and, for the CNNs, on AudioMNIST.",
        results_table(rows, seeds, speakers),
        "![size against accuracy](size_accuracy.png)",
        "## Seeds",
        "Each seed draws its own split, initial weights, order and augmentation.",
        seeds_table(seeds),
    ]
    if speakers:
        parts += [
            "## Unseen speakers",
            "`python stages/speakers.py`: the folds of `split.scheme: speaker`. Each of the six "
            "speakers is tested on once, by models that have heard four of the others; the fifth "
            "chooses the epoch. The recipe is that of the random split, chosen there on "
            "validation; nothing was tuned on these folds. The deviation is over speakers.",
            speakers_table(speakers),
        ]
    quantized = [row for row in rows if row["scheme"] != "float32"]
    parts += ["## What quantizing costs", quantized_table(quantized)]
    trained_on = read_optional(QUANTIZERS)
    if trained_on:
        parts += [
            f"After training and with training on (`python benchmarks/quantizers.py`, "
            f"`{trained_on['model']}`, one seed):",
            quantizers_table(trained_on["rows"]),
        ]
    measured = [row for row in rows if "instructions_m0" in row]
    if measured:
        parts += [
            "## What the integer networks cost on a Cortex-M",
            "From int16 PCM to word without floating point; NumPy, gcc, clang and the emulated "
            "Cortex-M0 and M3 agree in every bit on all test clips (*mismatches*). Instructions "
            "are those executed by QEMU, not cycles, at -O2: a clip of 36 frames through the "
            "network, a frame through the front-end. Flash and RAM are the network's, all in (the "
            "front-end's after the plus); parameters are weights, biases, shifts and tables.",
            cost_table(measured),
        ]
    parts += audiomnist_sections()
    if benchmarks:
        parts += speed_section("## Speed", benchmarks)
    on_gpu = read_optional(GPU_BENCHMARKS)
    if on_gpu:
        parts += speed_section("## Speed with a GPU", on_gpu)
    return "\n\n".join(parts) + "\n"


def seeds_table(seeds: dict[str, Any]) -> str:
    lines = [
        "| model | mean | deviation | test accuracy by seed | lost to float | agreement |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for name, study in seeds.items():
        values = ", ".join(f"{100 * value:.2f}" for value in study["values"])
        integer = "accuracy_drop" in study
        lost = f"{100 * study['accuracy_drop']:+.2f} points" if integer else ""
        agreement = f"{100 * study['agreement']:.2f} %" if integer else ""
        lines.append(
            f"| `{name}` | {100 * study['mean']:.2f} % | {100 * study['std']:.2f} | {values} "
            f"| {lost} | {agreement} |"
        )
    return "\n".join(lines)


def speakers_table(studies: dict[str, Any]) -> str:
    speakers = next(iter(studies.values()))["speakers"]
    lines = [
        f"| model | mean | deviation | {' | '.join(speakers)} |",
        f"|---|--:|--:|{'--:|' * len(speakers)}",
    ]
    for name, study in studies.items():
        values = " | ".join(f"{100 * value:.2f}" for value in study["values"])
        lines.append(
            f"| `{name}` | {100 * study['mean']:.2f} % | {100 * study['std']:.2f} | {values} |"
        )
    return "\n".join(lines)


def quantized_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| model | scheme | accuracy lost | agreement | size |", "|---|---|--:|--:|--:|"]
    lines += [
        f"| `{row['model']}` | {row['scheme']} | {100 * row['accuracy_drop']:+.2f} points "
        f"| {100 * row['agreement']:.2f} % | {size(row['size_kib'])} |"
        for row in rows
    ]
    return "\n".join(lines)


def quantizers_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| scheme | epochs trained on | validation accuracy | test accuracy | agreement |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['scheme']} | {row['epochs'] or 'none (post-training)'} "
        f"| {100 * row['val_accuracy']:.2f} % | {100 * row['accuracy']:.2f} % "
        f"| {100 * row['agreement']:.2f} % |"
        for row in rows
    ]
    return "\n".join(lines)


def cost_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| model | scheme | parameters / B | flash / B | RAM / B | stack / B "
        "| M0 clip | M3 clip | M0 frame | M3 frame | mismatches |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{row['model']}` | {row['scheme']} | {row['parameter_bytes']:,} "
        f"| {row['flash_bytes']:,} + {row['frontend_flash_bytes']:,} "
        f"| {row['ram_bytes']:,} + {row['frontend_ram_bytes']:,} | {row['stack_bytes']:,} "
        f"| {row['instructions_m0']:,} | {row['instructions_m3']:,} "
        f"| {row['frontend_instructions_m0']:,} | {row['frontend_instructions_m3']:,} "
        f"| {row['mismatches']} |"
        for row in rows
    ]
    return "\n".join(lines)


def audiomnist_sections() -> list[str]:
    """The runs at AudioMNIST's full size, which are on synthetic speech."""
    runs = [run for run in map(read_optional, AUDIOMNIST) if run]
    if not runs:
        return []
    split = ", ".join(f"{n:,} {subset}" for subset, n in runs[0]["split"].items())
    parts = [
        "## AudioMNIST at full size, on synthetic speech",
        f"**Synthetic**: every figure here is of {runs[0]['n_clips']:,} clips that eSpeak NG spoke "
        "in AudioMNIST's layout (60 voices, 48 kHz), not of AudioMNIST: it shows that the path "
        "works at full size and what it costs; how well it would hear people, it does not say. "
        f"`make audiomnist`; the reference's 70/20/10 split ({split}). `cnn` is trained by the "
        "reference's recipe, `cnn_lstm` by ours: by the reference's (Adam at a constant 0.001, "
        "features as they are) it hardly learns here.",
    ]
    for run in runs:
        parts += audiomnist_run(run)
    return parts


def audiomnist_run(run: dict[str, Any]) -> list[str]:
    """What one machine measured."""
    epochs = f"{run['epochs']} epochs each" if run["epochs"] else "epochs as in params.yaml"
    folds = run.get("speaker_folds")
    unseen = []
    if folds:
        values = ", ".join(f"{100 * value:.2f}" for value in folds["values"])
        unseen = [
            f"Voices never heard, the five published speaker folds, `{folds['model']}`: mean "
            f"{100 * folds['mean']:.2f} % (by fold {values}), synthetic."
        ]
    return [
        f"### On {run['machine']}: {epochs}",
        audiomnist_models(run["models"]),
        *unseen,
        "What each stage took, DVC's own hashing and caching included, and the most memory of all "
        "its processes together (memory-mapped files count as far as they were read)"
        + (f"; {run['remark']}" if run["remark"] else "")
        + ":",
        audiomnist_stages(run["stages"]),
    ]


def audiomnist_models(models: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| model | parameters | size | test accuracy (synthetic) | 95 % interval | best epoch |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{name}` | {row['parameters']:,} | {size(row['size_kib'])} "
        f"| {100 * row['accuracy']:.2f} % | {interval(row)} | {row.get('best_epoch', '')} |"
        for name, row in models.items()
    ]
    return "\n".join(lines)


def audiomnist_stages(stages: dict[str, dict[str, float]]) -> str:
    lines = ["| stage | time | peak memory |", "|---|--:|--:|"]
    lines += [
        f"| `{name}` | {taken['seconds']:,.0f} s | {taken['peak_rss_mib']:,.0f} MiB |"
        for name, taken in stages.items()
    ]
    return "\n".join(lines)


def speed_section(title: str, benchmarks: dict[str, Any]) -> list[str]:
    parts = [
        title,
        f"`python benchmarks/run.py`, on {benchmarks['machine']}; ratios against the reference's "
        "way of doing the same in the same run.",
        speed_table(benchmarks["rows"]),
    ]
    growing = [row for row in benchmarks["rows"] if "growth" in row]
    if growing:
        parts += [
            "Feature extraction with more and more clips (synthetic), the whole stage as a "
            "command; memory is that of all its processes together:",
            growth_table(growing),
        ]
    return parts


def speed_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| what | ours | reference | ratio | peak memory | how |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        reference = f"{row['reference_s']:g} s" if row["reference_s"] else ""
        ratio = f"{row['ratio']:.1f} x" if row["ratio"] else ""
        memory = f"{row['peak_rss_mib']:,.0f} MiB" if "peak_rss_mib" in row else ""
        lines.append(
            f"| `{row['name']}` | {row['ours_s']:g} s | {reference} | {ratio} | {memory} "
            f"| {row['note']} |"
        )
    return "\n".join(lines)


def growth_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| what | clips | time | peak memory |", "|---|--:|--:|--:|"]
    lines += [
        f"| `{row['name']}` | {point['clips']:,} | {point['seconds']:.1f} s "
        f"| {point['peak_rss_mib']:,.0f} MiB |"
        for row in rows
        for point in row["growth"]
    ]
    return "\n".join(lines)


def draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """Test accuracy against size, a point a metrics file."""
    figure, axis = plt.subplots(figsize=(8.5, 4.2), layout="constrained")
    models = list(dict.fromkeys(row["model"] for row in rows))
    schemes = list(dict.fromkeys(row["scheme"] for row in rows))
    markers = "osD^v"
    for row in rows:
        colour = f"C{models.index(row['model'])}"
        accuracy = 100 * row["accuracy"]
        errors_ = [
            [accuracy - 100 * row["accuracy_ci_low"]],
            [100 * row["accuracy_ci_high"] - accuracy],
        ]
        axis.errorbar(
            row["size_kib"],
            accuracy,
            yerr=errors_,
            fmt=markers[schemes.index(row["scheme"])],
            color=colour,
            capsize=2,
            markersize=6,
            elinewidth=0.8,
        )
    handles = [
        plt.Line2D([], [], color=f"C{i}", marker="", linewidth=4, label=model)
        for i, model in enumerate(models)
    ] + [
        plt.Line2D([], [], color="0.4", marker=markers[i], linestyle="", label=scheme)
        for i, scheme in enumerate(schemes)
    ]
    axis.set_xscale("log")
    axis.set_xlabel("size of the stored parameters / KiB")
    axis.set_ylabel("test accuracy / %")
    axis.axvline(36, color="0.6", linestyle=":", linewidth=1)
    axis.annotate(
        "36 KiB",
        (36, axis.get_ylim()[0]),
        fontsize=8,
        color="0.4",
        xytext=(3, 4),
        textcoords="offset points",
    )
    axis.grid(alpha=0.25)
    axis.legend(handles=handles, fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    axis.set_title("Free Spoken Digit Dataset, random split, bars are 95 % intervals", fontsize=10)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    errors.run(main)
