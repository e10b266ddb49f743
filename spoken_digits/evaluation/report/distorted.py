"""The section on distorted test clips, made from plots/robustness/."""

from __future__ import annotations

from collections.abc import Mapping

from spoken_digits.evaluation.report.collecting import Results
from spoken_digits.evaluation.report.markdown import code
from spoken_digits.evaluation.report.tables import by_corpus

_Shown = Mapping[tuple[str, str], str]

NOISE_AND_CHANNEL: _Shown = {
    ("clean", ""): "as recorded",
    ("white_noise", "20"): "white noise, 20 dB",
    ("white_noise", "10"): "white noise, 10 dB",
    ("babble", "20"): "babble, 20 dB",
    ("babble", "10"): "babble, 10 dB",
    ("reverberation", "0.4"): "reverberation, 0.4 s",
    ("telephone", ""): "telephone",
    ("mu_law", ""): "mu-law",
}
"""Heads of columns by condition and level, as the tables of stage `robustness` write them."""
LEVEL_SILENCE_AND_SPEED: _Shown = {
    ("level", "-40"): "-40 dBFS",
    ("dc", "0.05"): "DC 0.05",
    ("leading_zeros", "300"): "300 ms zeros before",
    ("trailing_zeros", "300"): "300 ms zeros after",
    ("leading_noise", "300"): "300 ms noise before",
    ("trailing_noise", "300"): "300 ms noise after",
    ("speed", "0.9"): "speed 0.9",
    ("speed", "1.1"): "speed 1.1",
}


def sections(results: Results) -> list[str]:
    """Accuracy under the main conditions; empty without stage `robustness`."""
    if not results.robustness:
        return []
    return [
        "## Robustness",
        "Accuracy in per cent on distorted versions of the test clips; *clips*: how many were "
        "used. [robustness.md](robustness.md) says what each condition is, and which of them a "
        "model has met in training. `plots/robustness/` has every level.",
        robustness_table(results, NOISE_AND_CHANNEL),
        robustness_table(results, LEVEL_SILENCE_AND_SPEED),
        "![accuracy under each condition](../plots/models/robustness.png)",
    ]


def robustness_table(results: Results, shown: _Shown) -> str:
    """A row for each network; a cell is empty where its level was not tested."""
    rows = [
        (
            row,
            [
                code(row["model"]),
                *(_percent(row["accuracy"].get(condition)) for condition in shown),
                row["n"],
            ],
        )
        for row in results.robustness
    ]
    return by_corpus(results, ["model", *(f">{head}" for head in shown.values()), ">clips"], rows)


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{100 * accuracy:.1f}"
