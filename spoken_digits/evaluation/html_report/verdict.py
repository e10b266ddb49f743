"""For whom a model works and for whom not, in words, from recorded figures alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spoken_digits.evaluation.columns import has_more_voices
from spoken_digits.evaluation.conditions import KINDS
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.report import voices
from spoken_digits.evaluation.report.collecting import Figures, Results
from spoken_digits.evaluation.report.markdown import code, interval, percent, size
from spoken_digits.evaluation.report.tables import study_name

WORKS = 0.95
"""Of a speaker's words at least this share must be right for a model to work for them."""
FAILS = 0.90
"""Below this share it fails for them: every tenth word is wrong."""
NEAR = 0.02
"""So much accuracy may a smaller model lose to the best and still be named beside it."""
COSTS = 0.05
"""A condition that costs more accuracy than this is named."""
_MOST_NAMED = 8


def best(results: Results) -> str:
    """The row that is best on voices never heard, or else on the test clips."""
    unseen = _unseen(results)
    if unseen:
        return max(unseen, key=lambda name: float(unseen[name]["mean"]))
    return study_name(max(results.rows, key=lambda row: float(row["accuracy"])))


def smallest(results: Results) -> str:
    """The smallest row within `NEAR` of the best one."""
    scores = scores_of(results)
    top = scores[best(results)]
    near = [row for row in results.rows if scores.get(study_name(row), -1.0) >= top - NEAR]
    return study_name(min(near, key=lambda row: float(row["size_kib"])))


def scores_of(results: Results) -> dict[str, float]:
    """Accuracy on voices never heard of the rows that have one, or else on the test clips."""
    unseen = _unseen(results)
    if unseen:
        return {name: float(study["mean"]) for name, study in unseen.items()}
    return {study_name(row): float(row["accuracy"]) for row in results.rows}


def score_name(results: Results) -> str:
    """What `scores_of` gives, for the axis of a figure."""
    return "accuracy on voices never heard" if _unseen(results) else "accuracy on the test clips"


def row_of(results: Results, name: str) -> Figures:
    """The figures of a row."""
    return next(row for row in results.rows if study_name(row) == name)


def lead(record: Record) -> Iterator[str]:
    """The first sentences of the page, in `inline` Markdown."""
    results = record.results
    if results.is_mixed():
        yield (
            "**No verdict: the recorded figures are of different corpora.** `dvc repro` and "
            "`make crossval` make all of them of one."
        )
        return
    name, small = best(results), smallest(results)
    yield from voices.headline(results) or [_without_studies(record, name)]
    if small != name:
        row = row_of(results, small)
        yield (
            f"**The smallest within {100 * NEAR:g} points of it is {code(small)}**: "
            f"{size(row['size_kib'])}, {percent(scores_of(results)[small])}."
        )
    for each in dict.fromkeys((name, small)):
        if study := _unseen(results).get(each):
            yield _said_of(each, means_of(study))


def _without_studies(record: Record, name: str) -> str:
    row = row_of(record.results, name)
    split = record.results.corpus["split"]
    known = split["test_speakers_in_train"]
    whose = "people whom no model has heard in training" if known == 0 else "the people it knows"
    text = (
        f"**{code(name)} recognises {percent(row['accuracy'])} of the test clips** "
        f"(95 % interval {interval(row)}, {row['n_test']:,} clips), new recordings of {whose}."
    )
    if known:
        text += " **Nothing on this page tells how it does on voices never heard.**"
    return text


def limits(record: Record) -> Iterator[str]:
    """What to expect beside the headline: familiar people, strangers, noise."""
    results = record.results
    name = best(results)
    seen = familiar(results, name) if results.crossval and not results.is_mixed() else None
    if seen is not None:
        yield (
            f"**People whose recordings it was trained on**: {percent(seen)} of other recordings "
            f"of theirs, with {code(name)}. Expect that only after training with your own voice."
        )
    if stranger := results.strangers.get(name):
        people = len(stranger["per_speaker"])
        yield (
            f"**Strangers at their own microphones**: {percent(stranger['accuracy'])} (95 % "
            f"interval {interval(stranger)}; {people} people of other corpora, {stranger['n']} "
            "clips)."
        )
    noisy = costly(results, name)
    if noisy:
        yield f"**Conditions that cost {code(name)} more than {100 * COSTS:g} points**: {noisy}."
    elif any(other["model"] == name for other in results.robustness):
        yield f"**No tested condition costs {code(name)} more than {100 * COSTS:g} points.**"


def familiar(results: Results, name: str) -> float | None:
    """Accuracy on other recordings of the people in training; None if it is not measured."""
    if name in results.seeds:
        return float(results.seeds[name]["mean"])
    split = results.corpus["split"]
    if split["test_speakers_in_train"] < split["test_speakers"]:
        return None
    return float(row_of(results, name)["accuracy"])


def costly(results: Results, name: str) -> str:
    """The mildest level of each condition that costs more than `COSTS`, with its accuracy."""
    row = next((row for row in results.robustness if row["model"] == name), None)
    if row is None:
        return ""
    accuracy: Mapping[tuple[str, str], float] = row["accuracy"]
    clean = accuracy.get(("clean", ""), 1.0)
    found: dict[str, tuple[str, float]] = {}
    for (condition, level), value in accuracy.items():
        # The mildest level is that of the smallest loss above the limit.
        if value < clean - COSTS and value > found.get(condition, ("", -1.0))[1]:
            found[condition] = (level, value)
    return ", ".join(
        f"{condition_name(condition, level)} ({100 * value:.1f} %)"
        for condition, (level, value) in found.items()
    )


def condition_name(condition: str, level: str) -> str:
    """Such as ``babble at 10 dB``."""
    kind = KINDS.get(condition)
    if kind is None or not level:
        return kind.title if kind else condition
    return f"{kind.title} at {level} {kind.unit.rpartition(' / ')[2]}"


def for_whom(results: Results) -> list[tuple[str, str, str, str, str]]:
    """By row, best first: name, size; voices for which it works, nearly works, fails."""
    found = []
    unseen = _unseen(results)
    for name in sorted(unseen, key=lambda name: -float(unseen[name]["mean"])):
        means = means_of(unseen[name])
        works, between, fails = (_named(group, means) for group in groups(means))
        kib = size(row_of(results, name)["size_kib"])
        found.append((code(name), kib, works, between, fails))
    return found


def means_of(study: Figures) -> dict[str, float]:
    """Accuracy of each speaker of a row of crossval.json."""
    return {who: float(of["mean"]) for who, of in study["per_speaker"].items()}


def groups(means: Mapping[str, float]) -> tuple[list[str], list[str], list[str]]:
    """Speakers for whom a model works, nearly works and fails, best understood first."""
    ordered = sorted(means, key=lambda who: -means[who])
    return (
        [who for who in ordered if means[who] >= WORKS],
        [who for who in ordered if FAILS <= means[who] < WORKS],
        [who for who in ordered if means[who] < FAILS],
    )


def _said_of(name: str, means: Mapping[str, float]) -> str:
    """For how many voices it works and for whom not, in a sentence."""
    works, between, fails = groups(means)
    text = f"{code(name)} works for {len(works)} of {len(means)} voices"
    text += f" ({', '.join(works)})" if 0 < len(works) <= _MOST_NAMED else ""
    for who, how in ((between, "nearly for"), (fails, "not for")):
        if who:
            text += f", {how} {', '.join(who) if len(who) <= _MOST_NAMED else len(who)}"
    return f"{text}."


def _named(who: list[str], means: Mapping[str, float]) -> str:
    if len(who) > _MOST_NAMED:
        return f"{len(who)} of {len(means)} speakers"
    return ", ".join(f"{name}\u00a0{100 * means[name]:.1f}" for name in who) or "nobody"


def _unseen(results: Results) -> dict[str, Figures]:
    """Studies of the recorded recipes: without extra voices, as the pipeline trains them."""
    names = {study_name(row) for row in results.rows}
    return {k: v for k, v in results.crossval.items() if not has_more_voices(k) and k in names}
