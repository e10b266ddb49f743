"""What the model of a file makes of any recordings, whichever scheme it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.data.dataset import Subset
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import check_finite, predict
from spoken_digits.features.registry import extractor_from
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization.loading import load_any

_BLOCK_CLIPS = 256


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """Recordings, all at one rate, and who speaks each."""

    waveforms: Sequence[Waveform]
    speakers: Sequence[str]
    sample_rate: int
    """Hz."""


class Listener:
    """A model with its front-end."""

    def __init__(self, path: Path) -> None:
        card, tensors = read_model(path)
        self._path, self.card = path, card
        self._network = load_any(card, tensors)
        self._extractor = extractor_from(card.features)

    def classes(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Class numbers (n,) of words.

        Raises
        ------
        UserError
            The model does not know one of them.
        """
        labels = self.card.labels
        strange = sorted(set(words) - set(labels))
        if strange:
            raise UserError(f"{self._path} does not know the word {strange[0]}: train it again")
        return np.array([labels.index(word) for word in words], np.int64)

    def logits(self, sounds: Sounds) -> NDArray[np.float64]:
        """Logits (n, n_labels).

        Raises
        ------
        UserError
            The model gives NaN or infinity.
        """
        parts = []
        for start in range(0, len(sounds.waveforms), _BLOCK_CLIPS):
            waveforms = [
                audio.resample(waveform, sounds.sample_rate, self._extractor.sample_rate)
                for waveform in sounds.waveforms[start : start + _BLOCK_CLIPS]
            ]
            x, n_frames = self._extractor(waveforms)
            n = len(waveforms)
            clips = Subset(x=x, n_frames=n_frames, y=np.zeros(n, np.int64), rows=np.arange(n))
            cpu = torch.device("cpu")
            parts.append(predict(self._network, self.card.normalise, clips, cpu).numpy())
        logits = np.concatenate(parts).astype(np.float64)
        check_finite(logits)
        return logits
