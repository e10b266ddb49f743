"""The section `train` of params.yaml, with what a model or a corpus changes in it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from spoken_digits.config import Bounds, Config, DeviceName, Threads, build, convert_part
from spoken_digits.models.params import ModelParams, section_name


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    device: DeviceName
    """auto takes cuda, then mps, then cpu."""
    threads: Threads
    """Threads of each process on the cpu; part of the result: other counts round differently."""
    precision: Literal["float32", "bfloat16", "auto"]
    """Of matrix products while training; weights and results stay float32. auto takes bfloat16
    where the processor computes with it, and float32 elsewhere."""
    memory_format: Literal["contiguous", "channels_last"]
    """Order of the maps in memory; channels_last makes convolutions on the cpu faster."""
    checkpoint_seconds: Annotated[float, Bounds(0, 86_400, example=60)]
    """Least time between two saved states to resume from."""
    epochs: Annotated[int, Bounds(1, 10_000, example=40)]
    patience: Annotated[int, Bounds(1, 10_000, example=3)] | None
    """Stop after so many epochs without a better validation result; null: never."""
    batch_size: Annotated[int, Bounds(1, 65_536, example=64)]
    """Clips a step, of all processes together."""
    bucket_batches: Annotated[int, Bounds(1, 10_000, example=8)]
    """So many batches are drawn together and sorted by length among them, which saves an LSTM the
    frames that only the longest clip has; 1: none."""
    optimizer: Literal["adam", "adamw"]
    learning_rate: Annotated[float, Bounds(above=0, high=10, example=0.005)]
    """Highest of the schedule."""
    learning_rate_fan_in: Annotated[int, Bounds(1, 1_000_000, example=512)] | None
    """Weights that sum over more inputs than this learn slower in proportion, or one step of Adam
    would throw a sum of 40,960 terms about (Yang et al., "Tensor Programs V", 2021); null: all
    learn alike."""
    schedule: Literal["constant", "one_cycle"]
    """one_cycle: up for three tenths of the steps, then down to nothing (Smith and Topin, 2018)."""
    weight_decay: Annotated[float, Bounds(0, 1, example=0.0001)]
    gradient_clip: Annotated[float, Bounds(above=0, high=1_000_000, example=1.0)] | None
    """Largest norm of the gradient; null: any."""
    label_smoothing: Annotated[float, Bounds(0, below=1, example=0.1)]
    """Share of the target spread over all classes."""
    normalisation: Literal["none", "scalar", "per_coefficient"]
    """Mean and deviation taken out of the features: of all values or of each coefficient."""
    time_mask: Annotated[int, Bounds(0, 10_000, example=4)]
    """Augmentation: longest run of frames blanked (Park et al., "SpecAugment", 2019)."""
    coefficient_mask: Annotated[int, Bounds(0, 10_000, example=1)]
    """Augmentation: longest run of coefficients blanked."""
    time_shift: Annotated[int, Bounds(0, 10_000, example=2)]
    """Augmentation: most frames a clip is moved, either way."""
    time_stretch: Annotated[float, Bounds(0, 0.9, example=0.15)]
    """Augmentation: a clip is spoken so much faster or slower at most; 0.15 is 15 %."""
    time_trim: Annotated[int, Bounds(0, 10_000, example=2)]
    """Augmentation: most frames dropped at each end of a clip."""
    noise: Annotated[float, Bounds(0, 10, example=0.2)]
    """Augmentation: deviation of noise added to the normalised features."""


def read_recipe(config: Config, model: str, model_params: ModelParams, corpus: str) -> Recipe:
    """The section `train`, overridden by the model's `train` and its `train_on.<corpus>`.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    common = build(Recipe, config.subsection("train"), "train")
    where = section_name(model)
    changes = convert_part(Recipe, model_params.train, f"{where}.train")
    # Those of other corpora are checked too, rather than on the day the corpus is changed.
    by_corpus = {
        name: convert_part(Recipe, values, f"{where}.train_on.{name}")
        for name, values in model_params.train_on.items()
    }
    return dataclasses.replace(common, **{**changes, **by_corpus.get(corpus, {})})
