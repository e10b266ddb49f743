"""Section `studies` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.bounds import Bounds, Length
from spoken_digits.config import convert_part
from spoken_digits.errors import UserError, did_you_mean
from spoken_digits.evaluation.columns import SPOKEN, VOICES, WHOLE

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
    """Sections `studies.official`, `again` and `with_voices`: further trainings."""

    models: Annotated[tuple[Annotated[str, Length(1, 40)], ...], Length(0, 100, example=["tiny"])]
    """Models among `studies.models`."""
    seeds: Seeds
    """Seeds of each of these trainings."""


@dataclass(frozen=True, kw_only=True)
class SpokenParams(SomeParams):
    """Section `studies.with_spoken`: trainings with synthesised voices too."""

    epochs: Annotated[int, Bounds(1, 100_000, example=40)]
    """Epochs of each of these trainings, whatever `train.epochs` of the model."""
    recordings_alone: Annotated[int, Bounds(0, 100_000, example=13)]
    """The last of them, in which no synthesised voice trains."""

    def __post_init__(self) -> None:
        if self.recordings_alone >= self.epochs:
            raise ValueError(
                f"`recordings_alone` is {self.recordings_alone}, must be less than `epochs`, "
                f"which is {self.epochs}"
            )


@dataclass(frozen=True, kw_only=True)
class DetectionParams:
    """Section `studies.detection`: whose detector is tested on speakers that it never heard."""

    models: Annotated[
        tuple[Annotated[str, Length(1, 40)], ...], Length(0, 100, example=["tiny_open"])
    ]
    """Models whose int8 network listens; each is trained for each fold and seed."""
    seeds: Seeds
    """Seeds of each of these trainings, and of the streams."""


FoldNumber = Annotated[int, Bounds(0, 999, example=1)]


@dataclass(frozen=True, kw_only=True)
class InnerFold:
    """An item of `studies.ablation.folds`: two folds are left out, and one of them is tested."""

    tested: FoldNumber
    """Fold whose speakers are tested."""
    without: FoldNumber
    """Fold whose speakers are left out altogether."""

    def __post_init__(self) -> None:
        if self.tested == self.without:
            raise ValueError(f"`without` is {self.without}, which is tested: name another fold")


@dataclass(frozen=True, kw_only=True)
class AblationParams:
    """Section `studies.ablation`: what each step of the augmentation of sound is worth."""

    model: Annotated[str, Length(1, 40, example="micro")]
    """Model with `augmentation: sound`."""
    folds: Annotated[tuple[InnerFold, ...], Length(1, 1000, example=[{"tested": 0, "without": 3}])]
    """Inner folds, since steps are chosen by what they give there."""
    seeds: Seeds
    """Seeds of each of these trainings."""
    steps: dict[str, dict[str, Any]]
    """Name of a step -> keys of `train.sound` and the values without it; none for the whole
    recipe."""

    def changes_of(self, step: str) -> dict[str, Any]:
        """The changes that leave a step out.

        Raises
        ------
        UserError
            There is no such step.
        """
        if step not in self.steps:
            raise UserError(
                f"params.yaml: no step {step!r} in `studies.ablation.steps`"
                f"{did_you_mean(step, tuple(self.steps))}; there are {', '.join(self.steps)}"
            )
        return self.steps[step]

    def __post_init__(self) -> None:
        for step, changes in self.steps.items():
            convert_part(SoundParams, changes, f"studies.ablation.steps.{step}")
        if self.steps.get(WHOLE) != {}:
            raise ValueError(f"`steps` must have a step {WHOLE}, without changes")
        for step, changes in self.steps.items():
            if step != WHOLE and not changes:
                raise ValueError(f"`steps.{step}` must change something: name a key of train.sound")


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
    folds: Annotated[tuple[FoldNumber, ...], Length(1, 1000, example=[0, 1])]
    """Folds of speakers; of FSDD there are six, of AudioMNIST five, of own recordings
    `split.n_folds`."""
    speaker_seeds: Seeds
    """Seeds with which each fold of speakers is trained; each draws initial weights, order and
    augmentation."""
    again: SomeParams
    """What is trained on the folds of speakers under further seeds."""
    with_voices: SomeParams
    """What is trained on the folds of speakers with extra voices too: rows of their own."""
    with_spoken: SpokenParams
    """The same with synthesised voices, and tested on strangers too."""
    strangers: StrangersParams
    """What is tested on strangers."""
    detection: DetectionParams
    """What listens to streams of speakers that it never heard."""
    ablation: AblationParams
    """What is trained without one step of its augmentation."""

    def seeds_on_speakers(self, row: str) -> tuple[int, ...]:
        """The seeds with which a model, or a row such as ``tiny+voices``, is trained on folds."""
        if row.endswith(VOICES):
            return self.with_voices.seeds
        if row.endswith(SPOKEN):
            return self.with_spoken.seeds
        return (*self.speaker_seeds, *(self.again.seeds if row in self.again.models else ()))

    def __post_init__(self) -> None:
        for seed in self.again.seeds:
            if seed in self.speaker_seeds:
                raise ValueError(f"`again.seeds` has {seed}, which `speaker_seeds` has already")
        for name in ("official", "again", "with_voices", "with_spoken"):
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
