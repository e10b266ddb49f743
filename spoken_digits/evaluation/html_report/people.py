"""The sections about people: verdict, all models, voices, confusion, mistakes, the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from spoken_digits.data.manifest import labels as labels_of
from spoken_digits.evaluation.html_report import datamap, figures, otherwise, sound, verdict
from spoken_digits.evaluation.html_report.captions import absent, captioned, corpus_of
from spoken_digits.evaluation.html_report.markup import (
    Html,
    bullets,
    details,
    element,
    from_markdown,
    inline,
    joined,
    paragraph,
    table,
)
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.report import corpora, tables, voices
from spoken_digits.evaluation.report.markdown import code, interval, percent, size

N_MISTAKES = 12
_MOST_WORDS = 16
"""A larger confusion matrix is not drawn; its most frequent confusions are listed."""
_MOST_CONFUSIONS = 5


def verdict_section(record: Record) -> Iterator[Html]:
    """For whom it works and for whom not."""
    results = record.results
    first, *rest = verdict.lead(record)
    yield paragraph(first, "lead")
    yield from (paragraph(text, "lead") for text in rest)
    if results.is_mixed():
        return
    for name in dict.fromkeys((verdict.best(results), verdict.smallest(results))):
        yield _key_figures(record, name)
    yield bullets([*verdict.limits(record), otherwise.anything_else(record)])
    rows = verdict.for_whom(results)
    if rows:
        works, fails = 100 * verdict.WORKS, 100 * verdict.FAILS
        yield table(
            inline(
                "For whom each model works: accuracy in per cent on each voice when it was left "
                f"out of training. *Works*: at least {works:g} % of the words right; *fails*: less "
                f"than {fails:g} %."
            ),
            ["model", ">size", "works for", "nearly works for", "fails for"],
            rows,
            "prose",
        )


def _key_figures(record: Record, name: str) -> Html:
    """A few numbers for those who read no further."""
    results = record.results
    row = verdict.row_of(results, name)
    study, stranger = results.crossval.get(name), results.strangers.get(name)
    cost = next((c for c in results.costs if f"{c['model']}.{c['scheme']}" == name), None)
    shown = []
    if study:
        shown += [
            (percent(study["mean"]), f"voices never heard ({interval(study)})"),
            (percent(study["worst"]), f"worst voice, {study['worst_speaker']}"),
        ]
    if stranger:
        shown += [(percent(stranger["accuracy"]), f"strangers ({interval(stranger)})")]
    if name in results.seeds:
        n = len(results.seeds[name]["values"])
        shown += [(percent(results.seeds[name]["mean"]), f"random split, mean of {n} seeds")]
    else:
        split = corpora.split_name(results.corpus)
        shown += [(percent(row["accuracy"]), f"test clips, {split} ({interval(row)})")]
    shown += [(size(row["size_kib"]), "stored parameters")]
    if cost:
        shown += [(f"{cost['recogniser_instructions_m0'] / 1e6:.1f} M", "instructions on an M0")]
    pairs = [element("div", element("dt", title), element("dd", value)) for value, title in shown]
    return joined(
        [
            element("p", inline(f"{code(name)} in figures"), class_="kicker"),
            element("dl", pairs, class_="figures"),
        ]
    )


def models_section(record: Record) -> Iterator[Html]:
    """The first table of docs/results.md."""
    results = record.results
    if not results.crossval:
        caption = "All models on the test clips. Intervals are 95 %."
        yield from_markdown(caption, tables.results_table(results))
        return
    yield from_markdown(
        inline(
            "All models, best on voices never heard first. A name alone means float32 weights, "
            "`<model>.<scheme>` its quantized version. Intervals are 95 %; those of voices never "
            "heard draw speakers with replacement."
        ),
        voices.overview_table(results),
    )
    yield from (paragraph(note) for note in voices.overview_notes(results))


def voices_section(record: Record) -> Iterator[Html]:
    """Every speaker left out in turn, and strangers."""
    results = record.results
    caption = (
        "One mark a speaker, mean over seeds. Thick line: mean over {}; thin line: its 95 % "
        "interval. Accuracy in per cent."
    )
    parts = []
    if results.crossval:
        text = (
            "Each speaker is left out of training once, then tested. This is how the recipe does "
            "on somebody it has never heard."
        )
        dots = figures.dots(results.crossval, "mean")
        drawn = captioned(record, dots, caption.format("speakers"))
        parts += [element("div", element("h3", "Left out in turn"), paragraph(text), drawn)]
    if results.strangers:
        text = (
            "People of other corpora with their own microphones, tested once and never used for "
            "anything else. Some of them said a single word: a mark far left can be one clip."
        )
        dots = figures.dots(results.strangers, "accuracy")
        drawn = captioned(record, dots, caption.format("clips"))
        parts += [element("div", element("h3", "Strangers"), paragraph(text), drawn)]
    yield element("div", parts, class_="pair")
    if results.crossval:
        yield _folded("Voices never heard", voices.unseen_table(results))
        speakers = voices.speakers_of(results)
        if len(speakers) <= voices.MOST_COLUMNS:
            yield _folded("By speaker", voices.speakers_table(results, speakers))
    if results.strangers:
        yield _folded("Strangers, by seed", voices.strangers_table(results))


def _folded(title: str, text: str) -> Html:
    return details(f"{title}, in figures", from_markdown(title, text))


def confusion_section(record: Record) -> Iterator[Html]:
    """Which words are taken for which."""
    answers, where = record.answers, "voices never heard, all folds and seeds"
    best = verdict.best(record.results)
    if not answers:
        answers, where = record.tested, "the test clips"
        best = best if best in answers else best.partition(".")[0]
    order = sorted(answers, key=lambda name: name != best)
    yield from _confusion(order[0], answers[order[0]], where)
    others = [list(_confusion(name, answers[name], where)) for name in order[1:]]
    if others:
        yield details("The other models", others)


def _confusion(name: str, answers: pd.DataFrame, where: str) -> Iterator[Html]:
    labels = labels_of(answers.rename(columns={"actual": "label"}))
    pairs = Counter(zip(answers["actual"], answers["predicted"], strict=True))
    said = Counter(answers["actual"])
    wrong = [(n, a, p) for (a, p), n in pairs.items() if a != p]
    top = sorted(wrong, key=lambda found: (-found[0], found[1:]))[:_MOST_CONFUSIONS]
    listed = "; ".join(f"“{a}” as “{p}” {100 * n / said[a]:.1f} %" for n, a, p in top)
    yield paragraph(
        f"{code(name)} on {where}: {len(answers):,} answers. Most often confused: "
        f"{listed or 'nothing'}."
    )
    if len(labels) > _MOST_WORDS:
        return
    rows: list[list[object]] = [
        [actual, *(_share(pairs[actual, p], said[actual], actual == p) for p in labels)]
        for actual in labels
    ]
    yield _matrix(name, labels, rows)


def _matrix(name: str, labels: list[str], rows: list[list[object]]) -> Html:
    head = element(
        "tr",
        element("th", "said", scope="col"),
        [element("th", label, scope="col") for label in labels],
    )
    body = [element("tr", element("th", row[0], scope="row"), row[1:]) for row in rows]
    caption = element(
        "caption", inline(f"{code(name)}: heard as, in per cent of the clips of each word")
    )
    made = element(
        "table", caption, element("thead", head), element("tbody", body), class_="matrix"
    )
    return element("div", made, class_="scroll", tabindex=0)


def _share(count: int, total: int, is_right: bool) -> Html:
    share = count / total if total else 0.0
    shade = "ok" if is_right else "m2" if share >= 0.05 else "m1" if share >= 0.01 else None
    content = f"{100 * share:.0f}" if share >= 0.005 else ""
    return element("td", content, class_=shade)


def mistakes_section(record: Record) -> Iterator[Html]:
    """The clips that are hardest, to hear."""
    name = verdict.best(record.results)
    mistakes = sound.worst(record, name)
    if not mistakes:
        if any("utterance" in t for t in (*record.answers.values(), *record.tested.values())):
            yield paragraph(f"{code(name)} gets no clip wrong in every run.")
        else:
            yield absent("Which clips these are is known only beside the corpus.", "dvc checkout")
        return
    suspects = sum(mistake.is_suspect for mistake in mistakes)
    text = (
        f"{code(name)} gets {len(mistakes):,} clips wrong in every run. Those that the other "
        "models miss too stand first, one of each kind: speaker, word and answer."
    )
    if suspects:
        text += (
            f" {suspects:,} are wrong in every run of every model: listen whether the word is what "
            "the label says."
        )
    yield paragraph(text)
    shown = sound.one_of_each(mistakes)[:N_MISTAKES]
    kind = record.features_of(name)
    cards = []
    silent = False
    for mistake, player in zip(shown, sound.players(record, shown, kind), strict=True):
        silent |= player is None
        cards.append(
            element(
                "li",
                element("p", inline(_said(mistake)), class_="said"),
                element(
                    "p",
                    f"{mistake.utterance}, by {mistake.speaker}; wrong in {mistake.n_wrong} of "
                    f"{mistake.n_runs} runs of all models",
                    class_="muted",
                ),
                player,
            )
        )
    if silent:
        yield absent(
            "The recordings are not in reach, so none can be heard.", "dvc checkout download"
        )
    yield element("ul", cards, class_="clips")
    if not silent:
        yield element(
            "p",
            f"{corpus_of(record)}. Shaded: what the model does not hear. Players are louder than "
            "the recordings, all to the same peak.",
            class_="muted",
        )


def _said(mistake: sound.Mistake) -> str:
    return f"**“{mistake.actual}”** heard as **“{mistake.predicted}”**"


def map_section(record: Record) -> Iterator[Html]:
    """Where the clips lie."""
    if record.manifest is None:
        yield absent("The map needs the corpus and its features.", "dvc checkout")
        return
    best = verdict.best(record.results).partition(".")[0]
    kind = record.features_of(best)
    found = None
    if "subset" in record.manifest:
        found = datamap.locate(record.root / "data" / "features", record.manifest, kind)
    if found is None:
        command = "dvc checkout split feature_extract"
        yield absent("The map needs a split, features, and three words to train on.", command)
        return
    mistakes = sound.worst(record, verdict.best(record.results))
    wrong = {mistake.utterance for mistake in mistakes}
    drawn = datamap.draw(found, labels_of(record.manifest), wrong)
    yield captioned(
        record,
        drawn,
        f"{len(found.clips):,} clips by their recorded {code(found.kind)} features, in the two "
        f"directions that separate the words of {found.n_fitted:,} train clips best (linear "
        f"discriminants; {100 * found.share:.0f} % of the separation that all directions give). "
        "Neighbours here may be far apart in the rest. Colour: word; large: the middle of each "
        f"word; crosses: clips that {code(verdict.best(record.results))} gets wrong in every run.",
    )
