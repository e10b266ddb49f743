"""Feature parameters as a model file or features.json keeps them, checked when read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.features.mfcc import MfccParams
from spoken_digits.features.registry import extractor_from
from spoken_digits.features.spectrogram import SpectrogramParams
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.validation import parse


@dataclass(frozen=True, kw_only=True)
class _DescribedMfcc(MfccParams):
    sample_rate: int


_SCHEMAS: dict[str, type[Any]] = {
    "mfcc": _DescribedMfcc,
    "mfcc_int": FrontendSpec,
    "spectrogram": SpectrogramParams,
}
_LARGEST = {"n_fft": 2**16, "n_mels": 512, "n_frames": 2**14}
_LARGEST_OTHER = 2**22
_SMALLEST = {"n_fft": 2, "hop_length": 1, "n_mels": 1, "n_mfcc": 1, "n_frames": 1, "n_samples": 1}
_SAMPLE_RATES_HZ = (1_000, 768_000)


def described_shape(description: Mapping[str, Any]) -> tuple[int, int]:
    """(n_frames, n_coefficients) of one clip of the features described.

    Parameters
    ----------
    description
        Kind and parameters, as `Extractor.describe` gives them, read from JSON.

    Raises
    ------
    UserError
        The kind or a parameter is missing, unknown, of the wrong type or out of bounds.
    """
    kind = description.get("kind")
    if not isinstance(kind, str) or kind not in _SCHEMAS:
        raise UserError(f"features.kind must be one of {', '.join(_SCHEMAS)}")
    schema = _SCHEMAS[kind]
    values = {key: value for key, value in description.items() if key != "kind"}
    for field in dataclasses.fields(schema):
        if field.name not in values:
            raise UserError(f"features.{field.name} is missing")
    for key, value in values.items():
        largest = _LARGEST.get(key, _LARGEST_OTHER)
        if any(abs(v) > largest for v in _numbers(value)):
            raise UserError(f"features.{key} must not exceed {largest}")
        if any(v < _SMALLEST.get(key, v) for v in _numbers(value)):
            raise UserError(f"features.{key} is {value}, must be {_SMALLEST[key]} or more")
        if key == "floor_lsb" and isinstance(value, int | float) and value <= 0:
            raise UserError(f"features.{key} is {value}, must be more than 0")
        if key.startswith("sample_rate") and isinstance(value, int):
            low, high = _SAMPLE_RATES_HZ
            if not low <= value <= high:
                raise UserError(f"features.{key} is {value}, must be {low} to {high} Hz")
    parse(schema, values, "features")
    return extractor_from(description).shape


def _numbers(value: Any) -> list[int | float]:
    """The numbers in a JSON value that is a number or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, int | float)]
