"""The section on streams, made from metrics/detector.json and metrics/detector_unseen.json."""

from __future__ import annotations

from collections.abc import Iterator

from spoken_digits.evaluation.report.collecting import Figures, Results
from spoken_digits.evaluation.report.markdown import code
from spoken_digits.evaluation.report.tables import by_corpus

_WORDS = {
    "words": "little noise",
    "words_noisy": "noise",
    "words_in_room": "room",
    "words_in_babble": "babble",
}
_HOURS = {"noise": "noise", "babble": "babble", "synthetic": "synthetic speech"}
_OTHERS = {"other_words": "other words", "phrases": "phrases"}


def sections(results: Results) -> list[str]:
    """What each detector hears and mishears; empty without stage `detect`."""
    if not results.detectors:
        return []
    rows = list(results.detectors.items())
    first = rows[0][1]
    counts = [f"{first[kind]['n']} {title}" for kind, title in _OTHERS.items() if kind in first]
    others = (
        f"*{' and '.join(_OTHERS.values()).capitalize()}*: false accepts among "
        f"{' and '.join(counts)} of real speech that is none of the words. "
    )
    return [
        "## Listening",
        "Results of the detector of each integer model on streams of sound "
        f"([listening.md](listening.md)). *Words*: per cent of {first['words']['n']} test words "
        "that are found and right, `detect.snr_db` above noise, `detect.noisy_snr_db` above noise, "
        "in a reverberant room, and over other talkers. *An hour*: false accepts an hour of noise, "
        f"of people talking at once, and of synthetic speech. {others if counts else ''}*ms*: "
        "median time from the end of a word to the decision. The threshold is chosen on validation "
        "clips.",
        by_corpus(
            results,
            [
                "model",
                ">threshold",
                *(f">words, {title}" for title in _WORDS.values()),
                *(f">an hour, {title}" for title in _HOURS.values()),
                *(f">{title}" for title in _OTHERS.values()),
                ">ms",
            ],
            [row for name, figures in rows for row in _rows(name, figures)],
        ),
        *_heard(results),
        *_unseen(results),
    ]


def _rows(name: str, figures: Figures) -> Iterator[tuple[Figures, list[str]]]:
    """That of the endpointer, and of a sliding window below it."""
    yield figures, _cells(code(name), figures)
    if "sliding" in figures:
        yield figures, _cells(f"{code(name)}, sliding window", figures["sliding"])


def _cells(title: str, figures: Figures) -> list[str]:
    """A row; blank where there was no sound of a kind, or no word was found."""
    return [
        title,
        f"{figures['threshold']:.3f}",
        *(f"{100 * figures[kind]['hit_rate']:.1f}" if kind in figures else "" for kind in _WORDS),
        *(f"{figures[kind]['per_hour']:.1f}" if kind in figures else "" for kind in _HOURS),
        *(f"{figures[kind]['false_accepts']:.3g}" if kind in figures else "" for kind in _OTHERS),
        f"{figures['latency_ms']:.0f}" if "latency_ms" in figures else "",
    ]


def _unseen(results: Results) -> list[str]:
    """The same on voices that the models have not heard; empty without the studies."""
    if not results.detectors_unseen:
        return []
    rows = list(results.detectors_unseen.items())
    first = rows[0][1]
    n_seeds, n_folds = len(first["seeds"]), len(first["words"]["per_speakers"])
    return [
        "### Detectors on voices never heard",
        f"The same with models that are trained without the speakers who test, {n_folds} folds and "
        f"{'one seed' if n_seeds == 1 else f'{n_seeds} seeds'}: mean over folds, and the worst. "
        "Temperature and threshold are chosen on extra voices, which the models have not heard "
        "either; false accepts are means over all of these models.",
        by_corpus(
            results,
            [
                "model",
                ">threshold",
                *(f">words, {title}" for title in _WORDS.values()),
                "worst, little noise",
                *(f">an hour, {title}" for title in _HOURS.values()),
                *(f">{title}" for title in _OTHERS.values()),
                ">ms",
            ],
            [row for name, figures in rows for row in _unseen_rows(name, figures)],
        ),
    ]


def _unseen_rows(name: str, figures: Figures) -> Iterator[tuple[Figures, list[str]]]:
    ways = {code(name): figures}
    if "sliding" in figures:
        ways[f"{code(name)}, sliding window"] = figures["sliding"]
    for title, way in ways.items():
        head, *cells = _cells(title, way)
        words, rest = cells[: 1 + len(_WORDS)], cells[1 + len(_WORDS) :]
        worst = f"{100 * way['words']['worst']:.1f} {way['words']['worst_speakers']}"
        yield figures, [head, *words, worst, *rest]


def _heard(results: Results) -> list[str]:
    if any(figures["speakers_unheard"] != 0 for figures in results.detectors.values()):
        return []
    return ["The models were trained on all speakers of these words; expect less for other voices."]
