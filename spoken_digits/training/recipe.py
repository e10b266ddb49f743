"""The section `train` of params.yaml, with what a model or a corpus changes in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    """auto takes cuda, then mps, then cpu."""
    threads: int
    """Threads of each process on the cpu; part of the result: other counts round differently."""
    precision: Literal["float32", "bfloat16", "auto"]
    """Of matrix products while training; weights and results stay float32. auto takes bfloat16
    where the processor computes with it, and float32 elsewhere."""
    memory_format: Literal["contiguous", "channels_last"]
    """Order of the maps in memory; channels_last makes convolutions on the cpu faster."""
    epochs: int
    patience: int | None
    """Stop after so many epochs without a better validation result; null: never."""
    batch_size: int
    """Clips a step, of all processes together."""
    bucket_batches: int
    """So many batches are drawn together and sorted by length among them, which saves an LSTM the
    frames that only the longest clip has; 1: none."""
    optimizer: Literal["adam", "adamw"]
    learning_rate: float
    """Highest of the schedule."""
    learning_rate_fan_in: int | None
    """Weights that sum over more inputs than this learn slower in proportion, or one step of Adam
    would throw a sum of 40,960 terms about (Yang et al., "Tensor Programs V", 2021); null: all
    learn alike."""
    schedule: Literal["constant", "one_cycle"]
    """one_cycle: up for three tenths of the steps, then down to nothing (Smith and Topin, 2018)."""
    weight_decay: float
    gradient_clip: float | None
    """Largest norm of the gradient; null: any."""
    label_smoothing: float
    """Share of the target spread over all classes."""
    normalisation: Literal["none", "scalar", "per_coefficient"]
    """Mean and deviation taken out of the features: of all values or of each coefficient."""
    time_mask: int
    """Augmentation: longest run of frames blanked (Park et al., "SpecAugment", 2019)."""
    coefficient_mask: int
    """Augmentation: longest run of coefficients blanked."""
    time_shift: int
    """Augmentation: most frames a clip is moved, either way."""
    time_stretch: float
    """Augmentation: a clip is spoken so much faster or slower at most; 0.15 is 15 %."""
    time_trim: int
    """Augmentation: most frames dropped at each end of a clip."""
    noise: float
    """Augmentation: deviation of noise added to the normalised features."""

    def __post_init__(self) -> None:
        for name in ("threads", "epochs", "batch_size", "bucket_batches"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}` is {getattr(self, name)}, must be 1 or more")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate` is {self.learning_rate}, must be more than 0")
        if not 0 <= self.time_stretch < 1:
            raise ValueError(f"time_stretch` is {self.time_stretch}, must be in [0, 1)")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing` is {self.label_smoothing}, must be in [0, 1)")
        for name in (
            "weight_decay",
            "time_mask",
            "coefficient_mask",
            "time_shift",
            "time_trim",
            "noise",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}` is {getattr(self, name)}, must be 0 or more")
