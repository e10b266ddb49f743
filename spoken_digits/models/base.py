"""Base classes of all architectures: section of params.yaml, interface of the network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor, nn

from spoken_digits.augmentation import AugmentationName
from spoken_digits.bounds import ByCorpus, Length


@dataclass(frozen=True, kw_only=True)
class ModelParams:
    """Keys in the section of every model."""

    architecture: Annotated[str, Length(1, 40, example="lstm")]
    """A module of `spoken_digits.models.architectures`."""
    features: Annotated[str, Length(1, 40, example="mfcc")]
    """Kind of features it reads."""
    augmentation: AugmentationName
    """What is varied while it trains: stored features, or the sound of the recordings."""
    train: dict[str, Any]
    """Keys of section `train` that this model overrides."""
    train_on: ByCorpus
    """Corpus name -> keys of `train` that this model overrides on that corpus."""

    @classmethod
    def argument_names(cls) -> list[str]:
        """The keys that are keyword arguments of the architecture's `Network`."""
        shared = {field.name for field in dataclasses.fields(ModelParams)} | {"budget"}
        return [field.name for field in dataclasses.fields(cls) if field.name not in shared]

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the architecture's `Network`."""
        values = dataclasses.asdict(self)
        return {name: values[name] for name in self.argument_names()}


class BaseNetwork(nn.Module):
    """Features in, logits out."""

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        """Logits of a batch of clips.

        Parameters
        ----------
        x
            (batch, n_frames, n_coefficients), normalised.
        n_frames
            (batch,) valid frames; keep it on the cpu, so that reading it does not stall a GPU.

        Returns
        -------
        Tensor
            (batch, n_classes).
        """
        raise NotImplementedError

    def multiply_accumulates(self) -> int:
        """Multiplications by weights for one clip of full length."""
        raise NotImplementedError
