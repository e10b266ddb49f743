"""The kinds of features, by name: `mfcc`, `mfcc_int`, `spectrogram`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from spoken_digits.bounds import Bounds
from spoken_digits.errors import UserError
from spoken_digits.features.base import Extractor
from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.mfcc_int import MfccInt, spec_from
from spoken_digits.features.parallel import ParallelParams
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams
from spoken_digits.integer.frontend.specification import FrontendSpec

KINDS = ("mfcc", "mfcc_int", "spectrogram")


@dataclass(frozen=True, kw_only=True)
class FeatureParams:
    """Section `features`."""

    sample_rate: Annotated[int, Bounds(1000, 192_000, example=8000)]
    """Sample rate of the MFCC front-end, Hz; clips are resampled to it."""
    mfcc: MfccParams
    mfcc_int: FrontendSpec
    spectrogram: SpectrogramParams
    parallel: ParallelParams


def extractor_from(description: Mapping[str, Any]) -> Extractor:
    """The extractor that described itself so, as a model file keeps it."""
    values = {key: value for key, value in description.items() if key != "kind"}
    if description["kind"] == "mfcc":
        sample_rate = values.pop("sample_rate")
        return Mfcc(MfccParams(**values), sample_rate)
    if description["kind"] == "mfcc_int":
        return MfccInt(spec_from(description))
    if description["kind"] == "spectrogram":
        return Spectrogram(SpectrogramParams(**values))
    raise UserError(f"features of kind {description['kind']!r} cannot be made here: update")


def make_extractor(kind: str, params: FeatureParams) -> Extractor:
    """The extractor of one kind.

    Raises
    ------
    ValueError
        No such kind.
    """
    if kind == "mfcc":
        return Mfcc(params.mfcc, params.sample_rate)
    if kind == "mfcc_int":
        return MfccInt(params.mfcc_int)
    if kind == "spectrogram":
        return Spectrogram(params.spectrogram)
    raise ValueError(f"no features of kind {kind!r}; there are {', '.join(KINDS)}")
