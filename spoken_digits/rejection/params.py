"""Section `corpus.rejection` of params.yaml: what is none of the words, and who learns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from spoken_digits.bounds import Bounds, Length

MODELS = "corpus.rejection.models"
"""Section of params.yaml that names the open models."""

Name = Annotated[str, Length(1, 40)]
Count = Annotated[int, Bounds(0, 100_000, example=120)]


@dataclass(frozen=True, kw_only=True)
class OpenParams:
    """One open model: a model under `variants`, with two more classes."""

    variant: Annotated[str, Length(1, 40, example="tiny")]
    """The model whose network and recipe it has; it must have `augmentation: sound`."""


@dataclass(frozen=True, kw_only=True)
class RepeatParams:
    """Section `corpus.rejection.repeat`: open models trained on random splits, under each seed."""

    models: Annotated[tuple[Name, ...], Length(0, 100, example=["tiny_open"])]
    """Names under `corpus.rejection.models`."""
    seeds: Annotated[
        tuple[Annotated[int, Bounds(0, 2**31 - 1, example=42)], ...],
        Length(1, 100, example=[42, 43]),
    ]
    """Each draws the split, what is none of the words, and the training."""


@dataclass(frozen=True, kw_only=True)
class RejectionParams:
    """Section `corpus.rejection`: clips made for each of the subsets train, val and test, out of
    the clips of that subset alone, and the models that learn from those for train.
    """

    silence: Count
    """Clips of `_silence_`: as many of each kind of noise, and of the recordings in `_noise_`."""
    reversed: Count
    """Clips of `_unknown_`: words backwards."""
    scrambled: Count
    """Words cut into pieces and put together in another order."""
    overlapped: Count
    """Two words at once."""
    babble: Count
    """Three to six talkers at once."""
    spoken: Count
    """Other words, spoken by eSpeak NG; other words and voices in each subset."""
    repeat_real: Annotated[int, Bounds(1, 100, example=4)]
    """How often an epoch each real other word of `other-speech-1` is heard, of which there are
    few."""
    models: dict[str, OpenParams]
    """Name of an open model -> `variant`, the model under `variants` whose network and recipe it
    has."""
    repeat: RepeatParams
    """What is trained under several seeds in studies/dvc.yaml."""

    def made(self) -> Mapping[str, int]:
        """Kind of clip -> how many are made."""
        kinds = ("reversed", "scrambled", "overlapped", "babble", "spoken")
        return {kind: getattr(self, kind) for kind in kinds}
