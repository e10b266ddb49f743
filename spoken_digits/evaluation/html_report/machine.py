"""The sections about models and machines: training, distortion, size, cards, how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from spoken_digits.data.manifest import labels as labels_of
from spoken_digits.evaluation.html_report import figures, verdict
from spoken_digits.evaluation.html_report.captions import absent, captioned
from spoken_digits.evaluation.html_report.figures import Point
from spoken_digits.evaluation.html_report.markup import (
    Html,
    bullets,
    details,
    element,
    from_markdown,
    inline,
    paragraph,
    table,
)
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.report import corpora, distorted, tables
from spoken_digits.evaluation.report.collecting import Figures
from spoken_digits.evaluation.report.markdown import code, interval, percent, size
from spoken_digits.evaluation.report.tables import study_name

_SIZES: Mapping[float, str] = {
    4: "4 KiB",
    16: "16 KiB",
    64: "64 KiB",
    256: "256 KiB",
    1024: "1 MiB",
    16_384: "16 MiB",
    262_144: "256 MiB",
}
_INSTRUCTIONS: Mapping[float, str] = {
    1e5: "0.1 M",
    1e6: "1 M",
    3e6: "3 M",
    1e7: "10 M",
    3e7: "30 M",
    1e8: "100 M",
}
_MOST_SPEAKERS = 12
_LONGEST = 60  # characters of a fact


def curves_section(record: Record) -> Iterator[Html]:
    """How each model was trained."""
    kept = {
        row["model"]: row.get("best_epoch") for row in record.results.rows if "best_epoch" in row
    }
    drawn = [figures.curves(name, table, kept.get(name)) for name, table in record.curves.items()]
    yield captioned(
        record,
        element("div", drawn, class_="small"),
        "Accuracy in per cent by epoch: in colour on validation clips, in grey on training clips "
        "as varied in training. The dot is the epoch whose weights are kept.",
    )


def robustness_section(record: Record) -> Iterator[Html]:
    """Noise, rooms, telephones."""
    results = record.results
    tested = [row["model"] for row in results.robustness]
    best, small = verdict.best(results), verdict.smallest(results)
    # Where the best row was not distorted, its float model stands for it.
    best, second = (name if name in tested else name.partition(".")[0] for name in (best, small))
    drawn = list(figures.robustness(results.robustness, best, second))
    names = f"In colour {code(best)}" + (f", dashed {code(second)}" if second != best else "")
    yield captioned(
        record,
        element("div", drawn, class_="small"),
        f"Accuracy in per cent on distorted test clips by level of distortion. {names}; in grey "
        "the other models.",
    )
    for title, shown in (
        ("Noise and channels", distorted.NOISE_AND_CHANNEL),
        ("Level, silence and speed", distorted.LEVEL_SILENCE_AND_SPEED),
    ):
        caption = f"{title}: accuracy in per cent on distorted test clips"
        yield details(
            f"{title}, in figures",
            from_markdown(caption, distorted.robustness_table(results, shown)),
        )


def size_section(record: Record) -> Iterator[Html]:
    """Size and instructions against accuracy."""
    results = record.results
    up = verdict.score_name(results)
    order = list(dict.fromkeys(row["model"] for row in results.rows))
    points = [
        point
        for row in results.rows
        if (point := _point(record, row, float(row["size_kib"]), order)) is not None
    ]
    parts = [
        captioned(
            record,
            figures.scatter(points, _SIZES, "size of the stored parameters", up),
            "Colour and shape: the model; lines: 95 % intervals.",
        )
    ]
    costs = [
        point
        for row in results.costs
        if (point := _point(record, row, float(row["recogniser_instructions_m0"]), order))
    ]
    if costs:
        parts += [
            captioned(
                record,
                figures.scatter(costs, _INSTRUCTIONS, "instructions for a clip, Cortex-M0", up),
                "From samples to word, emulated by QEMU: executed instructions, not cycles.",
            )
        ]
    yield element("div", parts, class_="pair")
    if results.costs:
        yield from_markdown(
            "Flash, RAM and instructions of the integer networks, code included; mismatches counts "
            "the test clips on which NumPy, C here and the emulated boards differ",
            tables.cost_table(results),
        )
    else:
        yield absent("Costs on a Cortex-M are not measured.", "dvc repro")
    yield details(
        "What quantizing costs",
        from_markdown(
            "Accuracy lost to the float model, and how often both give the same word",
            tables.quantized_table(results),
        ),
    )


def _point(record: Record, row: Figures, x: float, order: list[str]) -> Point | None:
    name = study_name(row)
    study = record.results.crossval.get(name)
    if record.results.crossval and not study:
        return None
    found = study or row
    return Point(
        name=name,
        x=x,
        accuracy=float(study["mean"] if study else row["accuracy"]),
        low=float(found["accuracy_ci_low"]),
        high=float(found["accuracy_ci_high"]),
        series=order.index(row["model"]),
    )


def cards_section(record: Record) -> Iterator[Html]:
    """One card a model."""
    yield paragraph(
        "Made to tell a handful of words apart when one is spoken alone, on devices that fit in a "
        "pocket. Not made for identifying or judging people, nor where a wrong word does harm."
    )
    for row in record.results.rows:
        name = study_name(row)
        summary = [
            element("code", name),
            element(
                "span", f" {size(row['size_kib'])}, {_scored(record, name, row)}", class_="muted"
            ),
        ]
        yield details(summary, _card(record, name, row))


def _scored(record: Record, name: str, row: Figures) -> str:
    study = record.results.crossval.get(name)
    if study:
        return f"{percent(study['mean'])} on voices never heard"
    return f"{percent(row['accuracy'])} on the test clips"


def _card(record: Record, name: str, row: Figures) -> Html:
    card = record.cards.get(name, {})
    study = record.results.crossval.get(name)
    facts: list[tuple[str, object]] = [
        ("architecture", card.get("architecture", {}).get("name")),
        ("weights", row["scheme"]),
        ("parameters", f"{row['parameters']:,} in {size(row['size_kib'])}"),
        ("multiply-accumulates", _number(row.get("multiply_accumulates"))),
        ("hears", _hears(record, row["model"])),
        ("trained on", row["corpus"]),
        ("voices in training", _heard(card)),
        ("epoch kept", row.get("best_epoch")),
        ("test clips", f"{percent(row['accuracy'])} ({interval(row)}), {row['n_test']:,} clips"),
    ]
    if study:
        by_speaker = ", ".join(
            f"{who} {100 * of['mean']:.1f}" for who, of in study["per_speaker"].items()
        )
        facts += [
            ("voices never heard", f"{percent(study['mean'])} ({interval(study)})"),
            ("by speaker, left out", by_speaker),
        ]
    if costly := verdict.costly(record.results, name):
        facts += [("conditions that cost over 5 points", costly)]
    facts += [("limits", "answers every clip with a word it knows; isolated words only")]
    return element(
        "dl",
        [
            [element("dt", title), element("dd", str(value))]
            for title, value in facts
            if value is not None
        ],
        class_="card",
    )


def _hears(record: Record, model: str) -> str:
    return f"{record.features_of(model)} features"


def _heard(card: Figures) -> str | None:
    if not card.get("n_heard"):
        return None
    named = ", ".join(card["heard"]) if card.get("heard") else ""
    return f"{card['n_heard']}: {named}" if named else str(card["n_heard"])


def _number(value: Any) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None


def data_section(record: Record) -> Iterator[Html]:
    """Who speaks, how much, how long."""
    yield paragraph(corpora.describe(record.results.corpus))
    manifest = record.manifest
    if manifest is None:
        yield absent("Counts and lengths need the corpus.", "dvc checkout download")
        return
    seconds = manifest["n_samples"] / manifest["sample_rate"]
    low, middle, high = np.quantile(seconds, [0.01, 0.5, 0.99])
    rates = ", ".join(f"{rate:,} Hz" for rate in sorted(set(manifest["sample_rate"])))
    yield paragraph(
        f"{len(manifest):,} clips, {seconds.sum() / 60:.1f} minutes, {rates}. Half of them are "
        f"shorter than {middle:.2f} s; 1 % are shorter than {low:.2f} s, 1 % longer than "
        f"{high:.2f} s."
    )
    labels = labels_of(manifest)
    counts = pd.crosstab(manifest["speaker"], manifest["label"]).reindex(
        columns=labels, fill_value=0
    )
    lengths = seconds.groupby(manifest["speaker"]).median()
    if len(counts) <= _MOST_SPEAKERS and len(labels) <= _MOST_SPEAKERS:
        yield table(
            "Clips by speaker and word, and each speaker's median length",
            ["speaker", *(f">{label}" for label in labels), ">seconds"],
            [
                [str(who), *(f"{n:,}" for n in row), f"{length:.2f}"]
                for (who, row), length in zip(counts.iterrows(), lengths, strict=True)
            ],
        )
    else:
        each = counts.to_numpy()
        yield paragraph(
            f"{len(counts)} speakers and {len(labels)} words: {each.min():,} to {each.max():,} "
            "clips of a word by a speaker."
        )


def making_section(record: Record) -> Iterator[Html]:
    """Parameters, processor, revision, and what was not recorded."""
    facts = [("revision", record.revision or "not said: the page belongs to the run that made it")]
    facts += [
        (
            key.replace("_", " "),
            ", ".join(value) if isinstance(value, list) else str(value)[:_LONGEST],
        )
        for key, value in record.machine.items()
    ]
    yield element(
        "dl", [[element("dt", key), element("dd", value)] for key, value in facts], class_="card"
    )
    if record.missing:
        yield element("h3", "What this page does not show")
        yield bullets([f"{gap.what}: {code(gap.command)}" for gap in record.missing])
    yield details(
        inline("`params.yaml`"), element("pre", element("code", record.params), tabindex=0)
    )
