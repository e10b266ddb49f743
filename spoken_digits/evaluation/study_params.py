"""Section `studies` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from spoken_digits.bounds import Bounds, Length
from spoken_digits.errors import did_you_mean
from spoken_digits.evaluation.columns import VOICES

Seeds = Annotated[
    tuple[Annotated[int, Bounds(0, 2**31 - 1, example=42)], ...],
    Length(1, 100, example=[42, 43]),
]


@dataclass(frozen=True, kw_only=True)
class StrangersParams:
    """Section `studies.strangers`: what is tested on people whom no model has heard."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(1, 100, example=["lstm"])]
    """Models that are trained on every speaker of the corpus, and tested."""
    seeds: Seeds
    """Seeds of each of these trainings."""


@dataclass(frozen=True, kw_only=True)
class SomeParams:
    """Sections `studies.official`, `again` and `with_voices`: further trainings of some models."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(0, 100, example=["tiny"])]
    """Models among `studies.models`."""
    seeds: Seeds
    """Seeds of each of these trainings."""


@dataclass(frozen=True, kw_only=True)
class StudyParams:
    """Section `studies`: what `make crossval` trains more than once."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(1, 100, example=["lstm"])]
    """Models that are studied."""
    validation: dict[str, Literal["held_out", "none"]]
    """Model -> `split.validation` on the folds of speakers. held_out: the speakers of the fold
    before choose the epoch, and do not train; none: every speaker but those tested trains, for all
    epochs."""
    seeds: Seeds
    """Seeds of the random split; each draws split, initial weights, order and augmentation."""
    official: SomeParams
    """What is trained on the split of the corpus's authors; no model where they made none."""
    folds: Annotated[
        tuple[Annotated[int, Bounds(0, 999, example=0)], ...], Length(1, 1000, example=[0, 1])
    ]
    """Folds of speakers; of FSDD there are six, of AudioMNIST five, of own recordings
    `split.n_folds`."""
    speaker_seeds: Seeds
    """Seeds with which each fold of speakers is trained; each draws initial weights, order and
    augmentation."""
    again: SomeParams
    """What is trained on the folds of speakers under further seeds."""
    with_voices: SomeParams
    """What is trained on the folds of speakers with extra voices too: rows of their own."""
    strangers: StrangersParams
    """What is tested on strangers."""

    def seeds_on_speakers(self, row: str) -> tuple[int, ...]:
        """The seeds with which a model, or a row such as ``tiny+voices``, is trained on folds."""
        if row.endswith(VOICES):
            return self.with_voices.seeds
        return (*self.speaker_seeds, *(self.again.seeds if row in self.again.models else ()))

    def __post_init__(self) -> None:
        for seed in self.again.seeds:
            if seed in self.speaker_seeds:
                raise ValueError(f"`again.seeds` has {seed}, which `speaker_seeds` has already")
        for name in ("official", "again", "with_voices"):
            some: SomeParams = getattr(self, name)
            for model in some.models:
                if model not in self.models:
                    advice = did_you_mean(model, self.models)
                    raise ValueError(
                        f"`{name}.models` has {model}, not in `studies.models`{advice}"
                    )
        for model in self.validation:
            if model not in self.models:
                advice = did_you_mean(model, self.models)
                raise ValueError(f"`validation.{model}`: no such model in `studies.models`{advice}")
        for model in self.models:
            if model not in self.validation:
                raise ValueError(f"`validation` lacks {model}: say held_out or none for it")
