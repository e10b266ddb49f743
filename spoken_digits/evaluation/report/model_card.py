"""The model card: what a model is for, who was heard, and how well it does, speaker by speaker.

After Mitchell et al., "Model cards for model reporting", 2019. Every figure is a recorded one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.evaluation.columns import without_voices
from spoken_digits.evaluation.report import corpora
from spoken_digits.evaluation.report.collecting import Figures, Results
from spoken_digits.evaluation.report.distorted import LEVEL_SILENCE_AND_SPEED, NOISE_AND_CHANNEL
from spoken_digits.evaluation.report.front_matter import front_matter, licence
from spoken_digits.evaluation.report.markdown import (
    code,
    interval,
    mean_and_deviation,
    percent,
    size,
    table,
)
from spoken_digits.evaluation.report.tables import study_name
from spoken_digits.evaluation.tables import corpus_name

_USE = "    spoken-digits predict models/{model}.safetensors recording.wav"


def model_card(model: str, described: Mapping[str, str], results: Results, use: str = "") -> str:
    """The card of a float model and of what was quantized from it, in Markdown.

    Parameters
    ----------
    model
        Its name in params.yaml.
    described
        Names of its ``architecture`` and ``features``.
    results
        What is recorded. Figures of another corpus than that of metrics/corpus.json are left out;
        a section without figures says which command makes them.
    use
        How to run what lies beside the card; how to run the model file if empty.

    Raises
    ------
    UserError
        No metrics of the model on that corpus are recorded.
    """
    corpus = corpus_name(results.corpus)
    rows = [row for row in results.rows if (row["model"], row["corpus"]) == (model, corpus)]
    if not rows or rows[0]["scheme"] != "float32":
        raise UserError(
            f"metrics/{model}.json has no figures on {corpus}: make it with "
            f"`dvc repro evaluate@{model}`"
        )
    parts = [
        front_matter(_head(model, rows, results)),
        f"# {model}",
        "Made from the recorded metrics; not edited by hand.",
        *_synthetic(results),
        _what(rows[0], described),
        "## Use",
        use or _USE.format(model=model),
        "## Intended use",
        f"To tell {results.corpus['n_words']} single words apart, one word a clip, on a computer "
        "or, quantized, on a microcontroller; to compare recipes and features; to teach. It "
        "answers with one of its words whatever it hears: it does not find words in a stream and "
        "does not reject other words or noise. Nobody should be identified, judged or locked out "
        "by its answers.",
        "## Who was heard",
        corpora.describe(results.corpus),
        "## Results",
        _results_table(rows, results),
        *_voices(model, results),
        *_strangers(model, results),
        *_distorted(model, results),
        *_costs(model, results),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(model, results)),
        "## CPU time and carbon",
        _cpu_time(model, rows[0], results),
        "## Licence",
        f"The weights are made from recordings under this licence: {results.corpus['licence']} "
        f"({corpora.title(results.corpus)}). The code that made them: MIT.",
    ]
    return "\n\n".join(parts) + "\n"


def _head(model: str, rows: list[Figures], results: Results) -> dict[str, Any]:
    corpus = results.corpus
    measured = [
        {
            "task": {"type": "audio-classification"},
            "dataset": {"name": corpora.title(corpus), "type": corpus["corpus"], "split": "test"},
            "metrics": [
                {"type": "accuracy", "value": row["accuracy"], "name": f"accuracy, {row['scheme']}"}
                for row in rows
            ],
        }
    ]
    unseen = _of_model(model, results.crossval, results).get(model)
    if unseen:
        name = f"{unseen['corpus']}, each speaker left out in turn"
        measured.append(
            {
                "task": {"type": "audio-classification"},
                "dataset": {"name": name, "type": corpus["corpus"], "split": "test"},
                "metrics": [
                    {"type": "accuracy", "value": unseen["mean"], "name": "mean over speakers"},
                    {"type": "accuracy", "value": unseen["worst"], "name": "worst speaker"},
                ],
            }
        )
    return {
        **licence(corpus),
        "pipeline_tag": "audio-classification",
        "tags": ["keyword-spotting", "spoken-digits", *(["synthetic"] * corpus["synthetic"])],
        "metrics": ["accuracy"],
        "model-index": [{"name": model, "results": measured}],
    }


def _synthetic(results: Results) -> list[str]:
    if not results.corpus["synthetic"]:
        return []
    return ["**Trained on synthetic speech**: its figures say nothing about people."]


def _what(row: Figures, described: Mapping[str, str]) -> str:
    facts = [
        ("architecture", code(described["architecture"])),
        ("features", code(described["features"])),
        ("parameters", f"{row['parameters']:,}"),
        ("size, float32", size(row["size_kib"])),
        ("multiply-accumulates a clip", f"{row['multiply_accumulates']:,}"),
        ("epoch kept", row["best_epoch"]),
    ]
    return table(["what", ""], facts)


def _results_table(rows: list[Figures], results: Results) -> str:
    columns = ["weights", ">size", ">test accuracy", ">95 % interval", ">agreement with float"]
    of_seeds = _of_model(rows[0]["model"], results.seeds, results)
    columns += [">seeds"] if of_seeds else []
    cells = []
    for row in rows:
        agreement = percent(row["agreement"]) if "agreement" in row else ""
        study = of_seeds.get(study_name(row))
        seeds = [mean_and_deviation(study) if study else ""] if of_seeds else []
        figures = [size(row["size_kib"]), percent(row["accuracy"]), interval(row), agreement]
        cells.append([row["scheme"], *figures, *seeds])
    split = corpora.split_name(results.corpus)
    return f"{split[0].upper()}{split[1:]}, {rows[0]['n_test']:,} clips, Wilson intervals:\n\n" + (
        table(columns, cells)
    )


def _of_model(model: str, studies: Figures, results: Results) -> Figures:
    """The studies of a model and of its schemes on the recorded corpus."""
    return {
        name: study
        for name, study in studies.items()
        if without_voices(name.split(".")[0]) == model
        and study["corpus"] == corpus_name(results.corpus)
    }


def _voices(model: str, results: Results) -> list[str]:
    """Accuracy on people who are not in training, by speaker."""
    parts = ["### Voices never heard"]
    studies = _of_model(model, results.crossval, results)
    if not studies:
        return [*parts, "Not recorded for this model here: `make crossval` measures it."]
    parts.append(
        "Each speaker left out of training in turn, then tested. The interval of the mean draws "
        "speakers with replacement; with so few of them a true 95 % interval is wider."
    )
    rows = [
        [
            code(name),
            percent(study["mean"]),
            interval(study),
            f"{percent(study['worst'])} ({study['worst_speaker']})",
            len(study["seeds"]),
        ]
        for name, study in studies.items()
    ]
    parts.append(table(["weights", ">mean", ">95 % interval", ">worst", ">seeds"], rows))
    if model in studies:
        parts += ["By speaker, float32, over seeds:", _speakers(studies[model])]
    return parts


def _speakers(study: Figures) -> str:
    rows = [
        [speaker, percent(of["mean"]), percent(of["min"]), percent(of["max"]), of["n"]]
        for speaker, of in study["per_speaker"].items()
    ]
    return table(["speaker", ">accuracy", ">worst seed", ">best seed", ">clips"], rows)


def _strangers(model: str, results: Results) -> list[str]:
    studies = _of_model(model, results.strangers, results)
    if not studies:
        return []
    rows = [
        [code(n), percent(s["accuracy"]), interval(s), s["n"], len(s["per_speaker"])]
        for n, s in studies.items()
    ]
    return [
        "### Strangers",
        "People of another corpus at their own microphones; tested once a recorded model:",
        table(["weights", ">accuracy", ">95 % interval", ">clips", ">people"], rows),
    ]


def _distorted(model: str, results: Results) -> list[str]:
    corpus = corpus_name(results.corpus)
    tested = [
        row
        for row in results.robustness
        if (row["model"].split(".")[0], row["corpus"]) == (model, corpus)
    ]
    if not tested:
        return []
    rows = []
    for condition, name in {**NOISE_AND_CHANNEL, **LEVEL_SILENCE_AND_SPEED}.items():
        figures = [row["accuracy"].get(condition) for row in tested]
        if any(figure is not None for figure in figures):
            rows.append([name, *("" if f is None else percent(f) for f in figures)])
    columns = ["test clips", *(f">{code(row['model'])}, {row['n']} clips" for row in tested)]
    return ["### Noise, rooms, levels", table(columns, rows)]


def _costs(model: str, results: Results) -> list[str]:
    corpus = corpus_name(results.corpus)
    costs = [row for row in results.costs if (row["model"], row["corpus"]) == (model, corpus)]
    if not costs:
        return []
    rows = [
        [
            row["scheme"],
            f"{row['recogniser_flash_bytes']:,}",
            f"{row['recogniser_ram_bytes']:,}",
            f"{row['recogniser_instructions_m0']:,}",
        ]
        for row in costs
    ]
    columns = ["weights", ">flash / B", ">RAM / B", ">instructions, longest clip, Cortex-M0"]
    return ["### On a Cortex-M", table(columns, rows)]


def _limits(model: str, results: Results) -> list[str]:
    corpus = results.corpus
    limits = [
        f"The corpus has {corpus['n_speakers']} voices: expect it to do worse on others, on "
        "accents, ages and microphones that are not among them.",
        "It has no answer for silence, noise or other words.",
    ]
    unseen = _of_model(model, results.crossval, results).get(model)
    if unseen:
        limits.append(
            f"People differ: left out of training, the worst speaker got {percent(unseen['worst'])}"
            f", {100 * (unseen['mean'] - unseen['worst']):.1f} points under the mean."
        )
    if heard := corpus["split"]["test_speakers_in_train"]:
        n = corpus["split"]["test_speakers"]
        whom = "the people" if heard == n else f"people, {heard} of {n} of whom"
        limits.append(
            f"Accuracy on the test clips ({corpora.split_name(corpus)}) is on other recordings of "
            f"{whom} it was trained on."
        )
    return limits


def _cpu_time(model: str, row: Figures, results: Results) -> str:
    epochs = [r for r in results.speed.get("rows", []) if r["name"] == f"epoch_{model}"]
    if not epochs:
        return "The time and energy of its training are not recorded."
    seconds = epochs[0]["ours_s"]
    # A row of an earlier run names its own machine.
    machine = epochs[0].get("machine", results.speed["machine"])
    return (
        f"An epoch takes {seconds:.3g} s on {machine}; the kept epoch is "
        f"number {row['best_epoch']}, {seconds * row['best_epoch']:,.0f} s of training. Energy and "
        "carbon are not recorded."
    )
