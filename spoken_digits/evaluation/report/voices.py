"""Accuracy on people who are not in training: the README's table, that of all models, sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spoken_digits.evaluation.columns import (
    MORE_VOICES,
    WHOLE,
    has_more_voices,
    without_voices,
)
from spoken_digits.evaluation.report.collecting import Figures, Results
from spoken_digits.evaluation.report.markdown import code, interval, percent, size, values
from spoken_digits.evaluation.report.tables import (
    by_corpus,
    elsewhere,
    published_cell,
    seeds_cell,
    study_name,
)

MOST_COLUMNS = 8
"""Most speakers of a table with a column for each."""
MOST_ROWS = 8
"""Most rows of the README's table."""
_SAME_SIZE = 1.25
"""A recorded quantized network of up to so many times the computed size makes that one idle."""


def headline(results: Results) -> list[str]:
    """The best figure on voices never heard, in a sentence; nothing if corpora are mixed."""
    studies = {k: v for k, v in results.crossval.items() if not has_more_voices(k)}
    if not studies or results.is_mixed():
        return []
    name, best = max(studies.items(), key=lambda item: item[1]["mean"])
    n = len(best["seeds"])
    seeds = "one seed" if n == 1 else f"mean of {n} seeds"
    return [
        f"**Voices never heard in training: {code(name)} recognises {percent(best['mean'])} of the "
        f"words** (95 % interval {interval(best)}), {percent(best['worst'])} with the worst voice. "
        f"Each of {len(best['per_speaker'])} speakers was left out in turn; {seeds}."
    ]


def headline_table(results: Results) -> str:
    """The README's table: the best on voices never heard, beside the random split."""
    columns = ["model", ">size", ">voices never heard", ">95 % interval", ">worst voice"]
    columns += [">random split"]
    rows = ((row, _best_cells(results, row)) for row in _best(results))
    return by_corpus(results, columns, rows)


def headline_notes(results: Results) -> list[str]:
    """What a computed size in the README's table means; nothing if there is none."""
    return _notes(results, _best(results))


def overview(results: Results) -> list[str]:
    """The section of all models, with which docs/results.md begins."""
    return [
        "## All models",
        "*Voices never heard*, *strangers* and *random split* have sections of their own below; "
        "*reference*: the published figure.",
        overview_table(results),
        *overview_notes(results),
    ]


def overview_table(results: Results) -> str:
    """Every model that was tested on unheard voices or has a published figure, best first.

    A model trained with extra voices has a row of its own.
    """
    columns = ["model", ">size", ">voices never heard", ">95 % interval", ">worst voice"]
    columns += [">strangers"] if results.strangers else []
    columns += [">random split", ">reference"]
    rows = ((row, _overview_cells(results, row)) for row in _overview_rows(results))
    return by_corpus(results, columns, rows)


def overview_notes(results: Results) -> list[str]:
    """As `headline_notes`, of the table of all models."""
    return _notes(results, _overview_rows(results))


def _notes(results: Results, rows: Sequence[Figures]) -> list[str]:
    if not any(_is_computed(results, row) for row in rows):
        return []
    return [
        "*As int8*: a computed size, with weights in 8 bits and biases in 32. The accuracies of "
        "these rows are of float32 weights; no integer version has been measured yet."
    ]


def _best(results: Results) -> list[Figures]:
    """The rows of the README's table: what the corpus alone gives, not what extra voices add."""
    rows = [row for row in _overview_rows(results) if not has_more_voices(row["model"])]
    return rows[:MOST_ROWS]


def _overview_rows(results: Results) -> list[Figures]:
    """Rows of `overview_table`, best first: on voices never heard, then on the recorded split."""

    def rank(row: Figures) -> tuple[float, float]:
        study = results.crossval.get(study_name(row))
        return (-study["mean"] if study else 1.0, -row.get("accuracy", -1.0))

    return sorted(_candidates(results), key=rank)


def _candidates(results: Results) -> Iterable[Figures]:
    """What was tested on unheard voices or has a published figure; everything without studies.

    After each row the same trained with extra or synthesised voices, if it was studied.
    """
    for row in results.rows:
        studied = study_name(row) in results.crossval or study_name(row) in results.strangers
        is_published = published_cell(results.published, row, row["corpus"]) != ""
        if studied or is_published or not results.crossval:
            yield row
        kept = ("scheme", "size_kib", "int8_kib", "corpus")
        for ending in MORE_VOICES:
            other: Figures = {key: row[key] for key in kept if key in row}
            other["model"] = row["model"] + ending
            name = study_name(other)
            if name in results.crossval or name in results.strangers:
                yield other


def _best_cells(results: Results, row: Figures) -> list[str]:
    unseen = results.crossval.get(study_name(row))
    is_computed = _is_computed(results, row)
    size_of = f"{size(row['int8_kib'])} as int8" if is_computed else size(row["size_kib"])
    cells = [code(study_name(row)), size_of, "", "", ""]
    if unseen:
        worst = f"{percent(unseen['worst'])} ({unseen['worst_speaker']})"
        cells[2:] = [elsewhere(percent(unseen["mean"]), unseen, row), interval(unseen), worst]
    one_run = percent(row["accuracy"]) if "accuracy" in row else ""
    return [*cells, seeds_cell(results.seeds, row) or one_run]


def _overview_cells(results: Results, row: Figures) -> list[str]:
    *cells, random_split = _best_cells(results, row)
    if results.strangers:
        stranger = results.strangers.get(study_name(row))
        cells.append(elsewhere(percent(stranger["accuracy"]), stranger, row) if stranger else "")
    published = published_cell(results.published, row, results.corpus["corpus"])
    return [*cells, random_split, published]


def _is_computed(results: Results, row: Figures) -> bool:
    """Whether only the computed size tells how small a float network is as int8."""
    if row["scheme"] != "float32" or "int8_kib" not in row:
        return False
    model, enough = without_voices(row["model"]), _SAME_SIZE * row["int8_kib"]
    recorded = [other for other in results.rows if other["model"] == model]
    return not any(other["size_kib"] <= enough for other in recorded)


def voices_sections(results: Results) -> list[str]:
    """The sections on voices never heard and on strangers; those without figures are left out."""
    parts = []
    if results.crossval:
        parts += [
            "## Voices never heard",
            "Made by `make crossval`, on the folds of `split.scheme: speaker`. Every speaker is "
            f"left out of training once, then tested{_seeds(results.crossval)}. *Mean*: over "
            "speakers, each counting the same. *Interval*: of the mean, from speakers drawn with "
            "replacement. It says how much the mean depends on who the speakers are; with few "
            "speakers it is narrower than a true 95 % interval. *Spread*: the largest difference "
            "between seeds for one speaker. *Epoch*: *last* if the model is trained on all the "
            "other speakers and nothing is chosen on anybody; *chosen* if the speakers of the fold "
            "before choose the epoch and are not trained on. [unseen-voices.md](unseen-voices.md) "
            "says how the recipes were chosen, and how often these folds were looked at.",
            "![voices never heard](../plots/crossval/speakers.png)",
            unseen_table(results),
        ]
        speakers = speakers_of(results)
        if len(speakers) <= MOST_COLUMNS:
            parts += ["By speaker, mean over seeds:", speakers_table(results, speakers)]
    if results.strangers:
        parts += [
            "## Strangers",
            "Clips of people in other corpora, recorded with other devices: test only, once per "
            "recorded model. *Accuracy*: mean over seeds; its interval draws people with "
            "replacement. *By seed*: with Wilson intervals, as if all clips were independent.",
            strangers_table(results),
        ]
    if results.ablation:
        some = next(iter(results.ablation.values()))
        parts += [
            "## What each step of the augmentation is worth",
            f"{code(some['model'])} without one step of `train.sound` at a time "
            "(`studies.ablation` in params.yaml), on inner folds: two speakers are left out, and "
            f"one of them is tested; mean over speakers and {len(some['seeds'])} seeds. *Loss*: "
            "percentage points below the whole recipe, with the standard error over "
            f"{some['trainings']} pairs of trainings with the same speaker and seed. A loss below "
            "twice its error may be chance.",
            "![accuracy lost without each step](../plots/ablation.png)",
            ablation_table(results),
        ]
    return parts


def unseen_table(results: Results) -> str:
    """A row for each row of crossval.json."""
    adapts = any(study["adapted_mean"] is not None for study in results.crossval.values())
    columns = ["model", ">mean", ">95 % interval", ">deviation", ">worst", "worst speaker"]
    counts = {len(study["seeds"]) for study in results.crossval.values()}
    columns += [">seeds"] if len(counts) > 1 else []
    columns += [">spread", "epoch", *([">mean when adapting"] if adapts else [])]
    rows = []
    for name, study in results.crossval.items():
        cells = [
            code(name),
            percent(study["mean"]),
            interval(study),
            f"{100 * study['std_speakers']:.2f}",
            percent(study["worst"]),
            study["worst_speaker"],
            *([len(study["seeds"])] if len(counts) > 1 else []),
            _spread(study),
            _epoch(study),
        ]
        if adapts:
            adapted = study["adapted_mean"]
            cells.append("" if adapted is None else percent(adapted))
        rows.append((study, cells))
    return by_corpus(results, columns, rows)


def speakers_table(results: Results, speakers: list[str]) -> str:
    """A column for each speaker."""
    rows = []
    for name, study in results.crossval.items():
        of = study["per_speaker"]
        cells = ["".join(values([of[s]["mean"]])) if s in of else "" for s in speakers]
        rows.append((study, [code(name), *cells]))
    return by_corpus(results, ["model", *(f">{speaker}" for speaker in speakers)], rows)


def strangers_table(results: Results) -> str:
    """A row for each row of strangers.json."""
    columns = ["model", ">accuracy", ">95 % interval", ">clips", ">people", "by seed"]
    rows = [
        (
            study,
            [
                code(name),
                percent(study["accuracy"]),
                interval(study),
                study["n"],
                len(study["per_speaker"]),
                "; ".join(
                    f"{seed}: {percent(run['accuracy'])} ({interval(run)})"
                    for seed, run in study["by_seed"].items()
                ),
            ],
        )
        for name, study in results.strangers.items()
    ]
    return by_corpus(results, columns, rows)


def ablation_table(results: Results) -> str:
    """A row for each step left out, the whole recipe first, then the largest loss."""
    whole, *steps = sorted(results.ablation.items(), key=lambda item: _rank(*item))
    speakers = list(whole[1]["per_speaker"])
    columns = ["without", ">accuracy", ">loss", *(f">{speaker}" for speaker in speakers)]
    rows = []
    for name, step in (whole, *steps):
        of = step["per_speaker"]
        loss = f"{100 * step['loss']:.2f} ± {100 * step['loss_error']:.2f}"
        cells = [name.replace("_", " "), percent(step["mean"]), "" if name == WHOLE else loss]
        rows.append((step, [*cells, *("".join(values([of[s]])) for s in speakers)]))
    return by_corpus(results, columns, rows)


def _rank(name: str, step: Figures) -> tuple[bool, float]:
    return name != WHOLE, -step["loss"]


def speakers_of(results: Results) -> list[str]:
    """Every speaker in the studies, in order."""
    names = (name for study in results.crossval.values() for name in study["per_speaker"])
    return list(dict.fromkeys(names))


def _seeds(studies: Figures) -> str:
    """Such as ``, with 3 seeds``; nothing if rows differ."""
    counts = {len(study["seeds"]) for study in studies.values()}
    if len(counts) != 1:
        return ""
    n = counts.pop()
    return f", with {n} seeds" if n > 1 else ", with one seed"


def _spread(study: Figures) -> str:
    if len(study["seeds"]) < 2:
        return ""
    return f"{100 * max(s['max'] - s['min'] for s in study['per_speaker'].values()):.2f}"


def _epoch(study: Figures) -> str:
    """How the epoch was found; nothing if a run did not say."""
    choosers = [speaker["chosen_by"] for speaker in study["per_speaker"].values()]
    if None in choosers:
        return ""
    return "chosen" if any(choosers) else "last"
