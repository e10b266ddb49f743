"""Accuracy over the predictions of several runs: over seeds, unseen speakers, strangers.

A run is a table with a row for each test clip: columns ``speaker``, ``actual`` and the prediction
of each scheme, ``float32`` first. A column ``<scheme>+adapted`` is not a scheme of its own but the
same scheme while it adapts to the talker.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.evaluation.columns import ADAPTED, FLOAT
from spoken_digits.evaluation.metrics import cluster_interval, wilson_interval

Figures = dict[str, Any]
Dot = tuple[str, str, int, float]
"""Name of the row, speaker, seed, accuracy."""
_DECIMALS = 6


def over_seeds(model: str, runs: Sequence[pd.DataFrame]) -> dict[str, Figures]:
    """Accuracy of a model and of each of its integer networks under several seeds.

    Returns
    -------
    dict
        Under the model's name, or ``<model>.<scheme>``: mean, std (over runs), values; integer
        networks with the means of accuracy_drop and agreement.
    """
    found = {}
    for scheme in _schemes(runs[0]):
        right = [_accuracy(run, scheme) for run in runs]
        found[_row_name(model, scheme)] = {
            "mean": _rounded(statistics.mean(right)),
            "std": _rounded(statistics.stdev(right)) if len(right) > 1 else 0.0,
            "values": [_rounded(value) for value in right],
            **_against_float(runs, scheme),
        }
    return found


def over_speakers(
    model: str, runs: Mapping[tuple[int, int], pd.DataFrame]
) -> tuple[dict[str, Figures], list[Dot]]:
    """Accuracy of a model and of each of its integer networks on speakers left out of training.

    Parameters
    ----------
    model
        Its name.
    runs
        (fold, seed) -> run.

    Returns
    -------
    figures
        Under the model's name, or ``<model>.<scheme>``. A speaker's accuracy is the mean over
        seeds; `mean`, `std_speakers` (with n - 1) and `worst` are of these, every speaker counting
        the same; `per_speaker` has mean, min, max (over seeds), n (clips) and `chosen_by`: whose
        clips chose the epoch, empty if nobody's did, null if the run does not say.
        `accuracy_ci_low`, `accuracy_ci_high`: see `cluster_interval`. `adapted_mean`: null
        without such predictions. Integer networks with the means of accuracy_drop and agreement.
    dots
        Name, speaker, seed and accuracy of every speaker under every seed.

    Raises
    ------
    UserError
        A speaker is tested in two folds.
    """
    _check_disjoint(runs)
    tables = list(runs.values())
    figures: dict[str, Figures] = {}
    dots: list[Dot] = []
    for scheme in _schemes(tables[0]):
        name = _row_name(model, scheme)
        by_speaker = _by_speaker(runs, scheme)  # (speakers, seeds)
        means = by_speaker.mean(axis=1)
        low, high = cluster_interval(means.to_numpy(), np.ones(len(means)))
        figures[name] = {
            "mean": _rounded(means.mean()),
            "std_speakers": _rounded(means.std()) if len(means) > 1 else 0.0,
            "worst": _rounded(means.min()),
            "worst_speaker": means.idxmin(),
            "accuracy_ci_low": _rounded(low),
            "accuracy_ci_high": _rounded(high),
            "adapted_mean": _adapted_mean(runs, scheme),
            "per_speaker": _per_speaker(by_speaker, tables),
            **_against_float(tables, scheme),
        }
        seeds = sorted({seed for _, seed in runs})
        for speaker, row in by_speaker.iterrows():
            dots += [(name, str(speaker), seed, _rounded(row[seed])) for seed in seeds]
    return figures, dots


def over_strangers(model: str, runs: Mapping[int, pd.DataFrame]) -> dict[str, Figures]:
    """Accuracy of a model and of each of its integer networks on the clips of strangers.

    Parameters
    ----------
    model
        Its name.
    runs
        Seed -> run; the same clips in every run.

    Returns
    -------
    dict
        Under the model's name, or ``<model>.<scheme>``: `accuracy`, the mean over seeds of the
        share of right clips, with the interval of `cluster_interval`; n (clips); per_speaker as
        in `over_speakers`; by_seed: accuracy with its Wilson interval.
    """
    tables = list(runs.values())
    figures = {}
    for scheme in _schemes(tables[0]):
        by_speaker = _by_speaker({(0, seed): run for seed, run in runs.items()}, scheme)
        n_clips = np.asarray(tables[0].groupby("speaker").size()[by_speaker.index], np.int64)
        low, high = cluster_interval(by_speaker.mean(axis=1).to_numpy() * n_clips, n_clips)
        figures[_row_name(model, scheme)] = {
            "accuracy": _rounded(statistics.mean(_accuracy(run, scheme) for run in tables)),
            "accuracy_ci_low": _rounded(low),
            "accuracy_ci_high": _rounded(high),
            "n": len(tables[0]),
            "by_seed": {str(seed): _plain(run, scheme) for seed, run in runs.items()},
            "per_speaker": _per_speaker(by_speaker, tables),
            **_against_float(tables, scheme),
        }
    return figures


def _check_disjoint(runs: Mapping[tuple[int, int], pd.DataFrame]) -> None:
    """Refuse folds that test the same speaker twice under one seed."""
    seen: dict[tuple[int, str], int] = {}
    for (fold, seed), run in runs.items():
        for speaker in sorted(set(run["speaker"])):
            other = seen.setdefault((seed, speaker), fold)
            if other != fold:
                raise UserError(
                    f"speaker {speaker} is tested in two folds, {other} and {fold} (seed {seed}): "
                    "run `make crossval`, and check `studies.folds`"
                )


def _schemes(run: pd.DataFrame) -> list[str]:
    columns = list(run.columns)
    return [name for name in columns[columns.index(FLOAT) :] if not name.endswith(ADAPTED)]


def _row_name(model: str, scheme: str) -> str:
    return model if scheme == FLOAT else f"{model}.{scheme}"


def _accuracy(run: pd.DataFrame, column: str) -> float:
    return float((run[column] == run["actual"]).mean())


def _plain(run: pd.DataFrame, column: str) -> dict[str, float]:
    """Accuracy of one run with its Wilson interval."""
    right = int((run[column] == run["actual"]).sum())
    low, high = wilson_interval(right, len(run))
    return {
        "accuracy": _rounded(right / len(run)),
        "accuracy_ci_low": _rounded(low),
        "accuracy_ci_high": _rounded(high),
    }


def _by_speaker(runs: Mapping[tuple[int, int], pd.DataFrame], column: str) -> pd.DataFrame:
    """Accuracy of each speaker (rows) under each seed (columns), both sorted."""
    parts = [
        pd.DataFrame(
            {"speaker": run["speaker"], "seed": seed, "right": run[column] == run["actual"]}
        )
        for (_, seed), run in runs.items()
    ]
    right = pd.concat(parts).groupby(["speaker", "seed"])["right"].mean()
    return right.unstack("seed")


def _per_speaker(by_speaker: pd.DataFrame, tables: Sequence[pd.DataFrame]) -> dict[str, Figures]:
    n_clips: dict[str, int] = {}
    chosen_by: dict[str, str | None] = {}
    for table in tables:
        for speaker, clips in table.groupby("speaker"):
            n_clips[str(speaker)] = len(clips)
            choosers = clips["chosen_by"].unique() if "chosen_by" in clips else [None]
            chosen_by[str(speaker)] = choosers[0]
    return {
        str(speaker): {
            "mean": _rounded(row.mean()),
            "min": _rounded(row.min()),
            "max": _rounded(row.max()),
            "n": n_clips[str(speaker)],
            "chosen_by": chosen_by[str(speaker)],
        }
        for speaker, row in by_speaker.iterrows()
    }


def _adapted_mean(runs: Mapping[tuple[int, int], pd.DataFrame], scheme: str) -> float | None:
    column = scheme + ADAPTED
    if not all(column in run for run in runs.values()):
        return None
    return _rounded(_by_speaker(runs, column).mean(axis=1).mean())


def _against_float(runs: Sequence[pd.DataFrame], scheme: str) -> dict[str, float]:
    """What an integer network loses to the float one, and how often both say the same."""
    if scheme == FLOAT:
        return {}
    drops = [_accuracy(run, FLOAT) - _accuracy(run, scheme) for run in runs]
    agreed = [float((run[FLOAT] == run[scheme]).mean()) for run in runs]
    return {
        "accuracy_drop": _rounded(statistics.mean(drops)),
        "agreement": _rounded(statistics.mean(agreed)),
    }


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
