"""Pairs of parameters for tests whose every pair would take long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def pairs(first: Sequence[Any], second: Sequence[Any], *, one_in: int) -> list[Any]:
    """All pairs as parameters, of which `make test` runs one in so many, `make test-all` all.

    Every value of either is in one that runs, if they are at least so many.
    """
    return [
        pytest.param(a, b, marks=[] if (i + j) % one_in == 0 else [pytest.mark.exhaustive])
        for i, a in enumerate(first)
        for j, b in enumerate(second)
    ]
