"""Figures of detectors on speakers whom their models never heard, over folds and seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

Figures = dict[str, Any]


def over_folds(runs: Mapping[tuple[int, int], Figures]) -> Figures:
    """What stage `detect_unseen` found, as one entry of metrics/detector_unseen.json.

    Parameters
    ----------
    runs
        (fold, seed) -> figures as in metrics/detector.json, and `speakers`, those of the fold.

    Returns
    -------
    Of every kind of stream with words, `hit_rate` and `wrong_rate` (every fold counts the same; of
    a fold the mean over seeds), `worst` hit rate and `worst_speakers`, and `per_speakers`: mean,
    min, max over seeds and n (words). Of other streams the means over all runs of
    `false_accepts` or `per_hour`. `threshold` and `latency_ms`: mean; `differences_c`: sum. Where
    the model has a sliding window, the same of it under `sliding`.
    """
    found = _of_way(runs)
    if all("sliding" in run for run in runs.values()):
        found["sliding"] = _of_way(
            {key: {**run["sliding"], "speakers": run["speakers"]} for key, run in runs.items()}
        )
    return found


def _of_way(runs: Mapping[tuple[int, int], Figures]) -> Figures:
    first = next(iter(runs.values()))
    found: Figures = {"threshold": _mean(runs, "threshold")}
    for kind, figures in first.items():
        if not isinstance(figures, dict) or not all(kind in run for run in runs.values()):
            continue
        if "hit_rate" in figures:
            found[kind] = _words({key: run[kind] for key, run in runs.items()}, _speakers(runs))
        elif "false_accepts" in figures:
            found[kind] = {
                "n": figures["n"],
                "false_accepts": _mean_of(runs, kind, "false_accepts"),
            }
        elif "per_hour" in figures:
            found[kind] = {"hours": figures["hours"], "per_hour": _mean_of(runs, kind, "per_hour")}
    if all("latency_ms" in run for run in runs.values()):
        found["latency_ms"] = _mean(runs, "latency_ms")
    different = [run["differences_c"] for run in runs.values()]
    found["differences_c"] = None if None in different else sum(different)
    return found


def _words(runs: Mapping[tuple[int, int], Figures], speakers: Mapping[int, str]) -> Figures:
    per_speakers = {}
    wrong = []
    for fold, names in speakers.items():
        of_fold = [run for (number, _), run in runs.items() if number == fold]
        hits = [run["hit_rate"] for run in of_fold]
        per_speakers[names] = {
            "mean": statistics.mean(hits),
            "min": min(hits),
            "max": max(hits),
            "n": sum(run["n"] for run in of_fold),
        }
        wrong.append(statistics.mean(run["wrong_rate"] for run in of_fold))
    worst = min(per_speakers, key=lambda names: per_speakers[names]["mean"])
    return {
        "hit_rate": statistics.mean(entry["mean"] for entry in per_speakers.values()),
        "wrong_rate": statistics.mean(wrong),
        "worst": per_speakers[worst]["mean"],
        "worst_speakers": worst,
        "per_speakers": per_speakers,
    }


def _speakers(runs: Mapping[tuple[int, int], Figures]) -> dict[int, str]:
    return {fold: run["speakers"] for (fold, _), run in runs.items()}


def _mean(runs: Mapping[tuple[int, int], Figures], key: str) -> float:
    return float(statistics.mean(run[key] for run in runs.values()))


def _mean_of(runs: Mapping[tuple[int, int], Figures], kind: str, key: str) -> float:
    return float(statistics.mean(run[kind][key] for run in runs.values()))
