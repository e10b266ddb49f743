"""What every kind of features offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits import validation

if TYPE_CHECKING:
    from spoken_digits.audio import Waveform
    from spoken_digits.config import Config
    from spoken_digits.data.store import Features

T = TypeVar("T")


class Extractor(Protocol):
    """Waveforms to features of one kind.

    A clip's features depend on that clip alone: not on its neighbours in a block, on the number
    of processes or on the processor.
    """

    kind: str
    sample_rate: int
    """Rate of the waveforms it takes, Hz."""
    shape: tuple[int, int]
    """(n_frames, n_coefficients) of one clip."""
    dtype: np.dtype[Any]
    """Number type of the features."""
    heard_samples: int
    """Samples that the features cover; the rest of a longer clip is cut."""
    length_key: str
    """Key of params.yaml that sets `heard_samples`."""

    @classmethod
    def from_config(cls, config: Config) -> Extractor:
        """The extractor that params.yaml describes."""
        ...

    @classmethod
    def from_description(cls, description: Mapping[str, Any], source: str) -> Extractor:
        """The extractor that `describe` described; raises UserError as `described` does."""
        ...

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Features, NDArray[np.int32]]:
        """Features (n_clips, n_frames, n_coefficients) and valid frames (n_clips,)."""
        ...

    def describe(self) -> dict[str, Any]:
        """Everything needed to make the same extractor again."""
        ...

    def first_heard(self, waveform: Waveform) -> int:
        """The first of the `heard_samples` samples of a clip at `sample_rate`."""
        ...

    def length_for(self, n_samples: int) -> int:
        """Smallest value of `length_key` that covers a clip of `n_samples` at `sample_rate`."""
        ...


def described(schema: type[T], description: Mapping[str, Any], source: str) -> T:
    """The parameters in a description that `Extractor.describe` gave.

    Parameters
    ----------
    schema
        Dataclass of all the kind's parameters.
    description
        The kind and its parameters.
    source
        Where the description stands under `features`, for errors.

    Raises
    ------
    UserError
        A parameter is missing, unknown, of the wrong type or out of bounds.
    """
    values = {key: value for key, value in description.items() if key != "kind"}
    return validation.build(schema, values, "features", source, exact=True)


def check_overlap(n_fft: int, hop_length: int) -> None:
    """Refuse frames that overlap so much that a few clips fill the memory.

    Raises
    ------
    ValueError
        A hop of less than a 64th of the window.
    """
    least = -(-n_fft // 64)
    if hop_length < least:
        raise ValueError(
            f"`hop_length` is {hop_length}, must be at least a 64th of n_fft, {least:,} or more"
        )
