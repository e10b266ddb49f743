"""README's results and docs/results.md."""

from __future__ import annotations

from pathlib import Path

from spoken_digits.evaluation.report import corpora, distorted, listening, sections, tables, voices
from spoken_digits.evaluation.report.benchmarks import full_size_sections, speed_section
from spoken_digits.evaluation.report.collecting import Results


def readme(text: str, results: Results) -> str:
    """README.md with the part between its markers replaced.

    Raises
    ------
    UserError
        A marker is missing.
    """
    parts = [
        *corpora.warning(results),
        *voices.headline(results),
        voices.headline_table(results),
        *voices.headline_notes(results),
        corpora.describe(results.corpus),
    ]
    return sections.replaced(text, "results", _joined(parts), Path("README.md"))


def results_page(results: Results) -> str:
    """docs/results.md."""
    parts = [
        "# Results",
        "Made by `make results` from the committed `metrics/`; not edited by hand.",
        corpora.describe(results.corpus),
        "The epoch with the best validation accuracy is kept. The reference figures are single "
        "runs of the two published systems on their own random splits; where they are of another "
        "corpus, it is named. `spoken-digits compare` tells whether one model is better than "
        "another ([comparing.md](comparing.md)).",
        *corpora.warning(results),
        *voices.overview(results),
        *voices.voices_sections(results),
        "## Random split",
        tables.results_table(results),
        *_as_int8(results),
        "![size against accuracy](size_accuracy.png)",
        *_seeds(results),
        *_official(results),
        *distorted.sections(results),
        *listening.sections(results),
        *_quantization(results),
        *full_size_sections(results.full_size),
        *speed_section("## Speed", results.speed),
        *speed_section("## Speed with a GPU", results.speed_gpu),
    ]
    return _joined(parts) + "\n"


def _as_int8(results: Results) -> list[str]:
    if not any("int8_kib" in row for row in results.rows):
        return []
    return [
        "*As int8*: computed, with weights in 8 bits and biases in 32; the accuracy beside it is "
        "that of the float32 weights. Rows `int8` and `pow2` are networks that run in integers, "
        "measured as they are.",
    ]


def _seeds(results: Results) -> list[str]:
    if not results.seeds:
        return []
    return [
        "## Seeds",
        "`make crossval`. Each seed draws its own random split, initial weights, order and "
        "augmentation.",
        tables.seeds_table(results, results.seeds),
    ]


def _official(results: Results) -> list[str]:
    if not results.official:
        return []
    return [
        "## Official split",
        "`make crossval`. Test clips are those that the corpus's authors set aside; seeds draw the "
        "rest.",
        tables.seeds_table(results, results.official),
    ]


def _quantization(results: Results) -> list[str]:
    parts = ["## What quantizing costs", tables.quantized_table(results)]
    if results.quantizers:
        parts += [
            "Post-training quantization against fine-tuning (`python benchmarks/quantizers.py`, "
            f"`{results.quantizers['model']}`, one seed):",
            tables.quantizers_table(results.quantizers["rows"]),
        ]
    if results.costs:
        parts += [
            "## What the integer networks cost on a Cortex-M",
            "From int16 PCM to word without floating point. *Mismatches* counts the test clips on "
            "which NumPy, gcc, clang and the emulated boards are not equal bit for bit. "
            "Instructions are those that QEMU executes, not cycles, at -O2: a clip of full length "
            "through the network, a frame through the front-end. Flash, RAM and stack are those of "
            "the whole recogniser, code included; parameters are weights, biases, shifts and "
            "tables.",
            tables.cost_table(results),
        ]
    return parts


def _joined(parts: list[str]) -> str:
    return "\n\n".join(parts)
