"""What each step of the augmentation is worth, from predictions of trainings without it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.evaluation.columns import FLOAT

_DECIMALS = 6


def over_steps(runs: Mapping[str, pd.DataFrame], whole: str) -> dict[str, dict[str, Any]]:
    """Accuracy without each step, beside that of the whole recipe.

    Parameters
    ----------
    runs
        Step -> a row for each test clip and seed: columns speaker, actual, seed, float32.
    whole
        The step that leaves nothing out.

    Returns
    -------
    dict
        Step -> mean, over speakers and seeds; per_speaker: means over seeds; loss: what the mean
        is below that of the whole recipe; loss_error: standard error of the loss, from its spread
        over trainings (one for each speaker and seed), of which `trainings` are the number.

    Raises
    ------
    UserError
        A step has other speakers or seeds than the whole recipe.
    """
    right = {step: _right(run) for step, run in runs.items()}
    return {step: _figures(step, of, right[whole]) for step, of in right.items()}


def _right(run: pd.DataFrame) -> pd.Series[float]:
    """Accuracy of each speaker under each seed."""
    right = (run["actual"] == run[FLOAT]).astype(float)
    return right.groupby([run["speaker"], run["seed"]]).mean()


def _figures(step: str, right: pd.Series[float], whole: pd.Series[float]) -> dict[str, Any]:
    if not right.index.equals(whole.index):
        raise UserError(
            f"the predictions without {step} are of other speakers or seeds than those of the "
            "whole recipe: run `make ablation`"
        )
    losses = (whole - right).tolist()
    n = len(losses)
    spread = statistics.stdev(losses) if n > 1 else 0.0
    by_speaker = right.groupby("speaker").mean()
    return {
        "mean": _rounded(right.mean()),
        "loss": _rounded(statistics.mean(losses)),
        "loss_error": _rounded(spread / n**0.5),
        "trainings": n,
        "per_speaker": {str(name): _rounded(value) for name, value in by_speaker.items()},
    }


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
