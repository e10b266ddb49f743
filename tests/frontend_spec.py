"""The front-end's specification for tests: the committed one, and changes of it."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from recordings import REPOSITORY

from spoken_digits.config import Config, read_config
from spoken_digits.features.log_mel_int import LogMelInt
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec
from spoken_digits.integer.frontend.specification import FrontendSpec


@functools.cache
def committed_config() -> Config:
    """params.yaml, read once for all tests."""
    return read_config(REPOSITORY / "params.yaml")


def committed_spec(**changes: Any) -> FrontendSpec:
    """`features.mfcc_int` of params.yaml with `changes`."""
    committed = committed_config().section("features.mfcc_int", FrontendSpec)
    return replace(committed, **changes)


def committed_log_mel_spec(**changes: Any) -> LogMelSpec:
    """`features.log_mel` of params.yaml, for integers, with `changes`."""
    committed = LogMelInt.from_config(committed_config()).spec
    return replace(committed, **changes)
