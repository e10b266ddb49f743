"""Summarise the predictions of several folds or seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd

from spoken_digits.bounds import Bounds, Length

FLOAT = "float32"
_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class StrangersParams:
    """Section `studies.strangers`: what is tested on people whom no model has heard."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(1, 100, example=["lstm"])]
    """Models that are trained on every speaker of the corpus, once without the extra voices and
    once with them, and tested."""
    seeds: Annotated[
        tuple[Annotated[int, Bounds(0, 2**31 - 1, example=42)], ...],
        Length(1, 100, example=[42, 43]),
    ]
    """Seeds of each of these trainings."""


@dataclass(frozen=True, kw_only=True)
class StudyParams:
    """Section `studies`: what `make studies` trains more than once."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(1, 100, example=["lstm"])]
    """Models that are studied."""
    seeds: Annotated[
        tuple[Annotated[int, Bounds(0, 2**31 - 1, example=42)], ...],
        Length(1, 100, example=[42, 43]),
    ]
    """Seeds of the random split; each draws split, initial weights, order and augmentation. The
    first is that of the speaker folds."""
    folds: Annotated[
        tuple[Annotated[int, Bounds(0, 100, example=0)], ...], Length(1, 100, example=[0, 1])
    ]
    """Folds of speakers; of FSDD there are six, of AudioMNIST five."""
    strangers: StrangersParams
    """What is tested on strangers."""


def summary(model: str, runs: Sequence[pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Accuracy of a model and of each of its integer networks over several runs.

    Parameters
    ----------
    model
        Its name.
    runs
        One table per run: columns ``actual`` and the name of each scheme, including ``float32``.

    Returns
    -------
    dict
        Under the model's name, or ``<model>.<scheme>``: mean, std (over runs), values; integer
        networks with the means of accuracy_drop and agreement.
    """
    columns = list(runs[0].columns)
    schemes = columns[columns.index(FLOAT) :]
    found = {}
    for scheme in schemes:
        right = [float((run[scheme] == run["actual"]).mean()) for run in runs]
        figures: dict[str, Any] = {
            "mean": _rounded(statistics.mean(right)),
            "std": _rounded(statistics.stdev(right)) if len(right) > 1 else 0.0,
            "values": [_rounded(value) for value in right],
        }
        if scheme != FLOAT:
            floats = [float((run[FLOAT] == run["actual"]).mean()) for run in runs]
            agreed = [float((run[FLOAT] == run[scheme]).mean()) for run in runs]
            drops = [a - b for a, b in zip(floats, right, strict=True)]
            figures["accuracy_drop"] = _rounded(statistics.mean(drops))
            figures["agreement"] = _rounded(statistics.mean(agreed))
        found[model if scheme == FLOAT else f"{model}.{scheme}"] = figures
    return found


def _rounded(value: float) -> float:
    return round(value, _DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
