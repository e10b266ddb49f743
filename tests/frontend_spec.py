"""The front-end's specification for tests: the committed one, and changes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.integer.frontend.specification import FrontendSpec


def committed_spec(**changes: Any) -> FrontendSpec:
    """`features.mfcc_int` of params.yaml with `changes`."""
    committed = read_config(REPOSITORY / "params.yaml").section("features.mfcc_int", FrontendSpec)
    return replace(committed, **changes)
