"""Section `train` of params.yaml, as overridden for a model and a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.bounds import Bounds, DeviceName, Threads


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    arithmetic: Literal["portable", "fast"]
    """portable: the same bits on every x86-64 processor with AVX2, on the cpu in float32; fast:
    whatever is fastest on this machine, with results of its own."""
    device: DeviceName
    """auto: the first of cuda, mps and cpu that this machine has."""
    threads: Threads
    """CPU threads of each process. Another number rounds differently, so it changes the results."""
    precision: Literal["float32", "bfloat16", "auto"]
    """Precision of matrix products in training; weights and results stay float32. auto: bfloat16
    on processors that support it, float32 on others."""
    memory_format: Literal["contiguous", "channels_last"]
    """Memory layout of feature maps; channels_last makes convolutions faster on CPUs."""
    epochs: Annotated[int, Bounds(1, 10_000, example=40)]
    patience: Annotated[int, Bounds(1, 10_000, example=3)] | None
    """Number of epochs without a better validation result before training stops; null: never."""
    keep: Literal["best", "last"]
    """Which weights are kept: best, those of the best validation epoch; last, those of the last
    one, for a schedule that ends where it should."""
    batch_size: Annotated[int, Bounds(1, 65_536, example=64)]
    """Clips per step, over all processes together."""
    bucket_batches: Annotated[int, Bounds(1, 10_000, example=8)]
    """Number of batches drawn together and sorted by length, which spares an LSTM the padding of
    short clips to the length of the longest; 1 turns it off."""
    optimizer: Literal["adam", "adamw"]
    learning_rate: Annotated[float, Bounds(above=0, high=10, example=0.005)]
    """Peak learning rate of the schedule."""
    learning_rate_fan_in: Annotated[int, Bounds(1, 1_000_000, example=512)] | None
    """Layers with more inputs than this get a proportionally lower learning rate; otherwise one
    step of Adam would upset a sum of 40,960 terms (Yang et al., "Tensor Programs V", 2021). null:
    the same rate for all layers."""
    schedule: Literal["constant", "one_cycle"]
    """one_cycle: rises for the first 30 % of the steps, then falls to zero (Smith and Topin,
    2018)."""
    weight_decay: Annotated[float, Bounds(0, 1, example=0.0001)]
    gradient_clip: Annotated[float, Bounds(above=0, high=1_000_000, example=1.0)] | None
    """Largest norm of the gradient; null: no limit."""
    label_smoothing: Annotated[float, Bounds(0, below=1, example=0.1)]
    """Share of the target probability spread evenly over all classes."""
    normalisation: Literal["none", "scalar", "per_coefficient", "per_talker"]
    """How features are brought to zero mean and unit deviation: by one mean and deviation of all
    values (scalar), or by those of each coefficient. With `sound` the mean is that over talkers of
    each one's mean; per_talker: and one deviation of all values."""
    sound: SoundParams | None
    """How the recordings themselves are varied, instead of their features; null: not."""
    time_mask: Annotated[int, Bounds(0, 10_000, example=4)]
    """Augmentation: longest run of frames set to zero (Park et al., "SpecAugment", 2019)."""
    coefficient_mask: Annotated[int, Bounds(0, 10_000, example=1)]
    """Augmentation: longest run of coefficients set to zero."""
    time_shift: Annotated[int, Bounds(0, 10_000, example=2)]
    """Augmentation: most frames a clip is shifted, in either direction."""
    time_stretch: Annotated[float, Bounds(0, 0.9, example=0.15)]
    """Augmentation: largest relative change of tempo; 0.15 is 15 %."""
    time_trim: Annotated[int, Bounds(0, 10_000, example=2)]
    """Augmentation: most frames cut from each end of a clip."""
    noise: Annotated[float, Bounds(0, 10, example=0.2)]
    """Augmentation: standard deviation of the noise added to normalised features. With `sound`:
    of one constant for each coefficient of a clip, a voice or a microphone unlike those heard."""

    def __post_init__(self) -> None:
        suits = (
            ("per_talker", "per_coefficient")
            if self.sound
            else ("none", "scalar", "per_coefficient")
        )
        if self.normalisation not in suits:
            raise ValueError(
                f"`normalisation` is {self.normalisation}, must be one of {', '.join(suits)} "
                f"{'with' if self.sound else 'without'} `sound`"
            )
        if self.keep == "last" and self.patience is not None:
            raise ValueError(
                f"`keep` is last, but `patience` is {self.patience}: with a schedule that may stop "
                "early the last epoch is none to keep; set `patience: null` or `keep: best`"
            )
        if self.arithmetic != "portable":
            return
        for name, value, portable in (
            ("device", self.device, ("auto", "cpu")),
            ("precision", self.precision, ("auto", "float32")),
        ):
            if value not in portable:
                raise ValueError(
                    f"`{name}` is {value}, with `arithmetic: portable` it must be one of "
                    f"{', '.join(portable)}: or set `arithmetic: fast`"
                )
