"""A model file as a function: recordings in, probabilities out.

The file alone suffices: it carries its labels, features and normalisation. Integer models are run
by NumPy, without PyTorch, whose import takes longer than recognising a thousand words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits import audio, errors
from spoken_digits.audio import Waveform
from spoken_digits.evaluation.metrics import probabilities
from spoken_digits.features import lengths
from spoken_digits.features.registry import extractor_from
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import read_arrays, read_card, read_model

_Logits = Callable[[NDArray[np.generic], NDArray[np.int32]], NDArray[np.float64]]
"""Features (n, n_frames, n_coefficients) and valid frames (n,) to logits (n, n_labels)."""


class Recogniser:
    """A trained model with its front-end.

    Raises
    ------
    UserError
        The file is missing, damaged, or of an older version; one line that names it.
    """

    def __init__(self, path: Path) -> None:
        load = _load_integers if read_card(path).is_integer else _load_floats
        self.card, self._logits = load(path)
        self._path, self._extract = path, extractor_from(self.card.features)
        self.labels = self.card.labels
        """The words, in the order of their probabilities."""
        self.sample_rate = self._extract.sample_rate
        """Rate at which it listens, Hz."""
        self.heard_s = lengths.heard_s(self._extract)
        """Seconds of a recording that the model uses."""

    def heard_part(self, waveform: Waveform, sample_rate: int) -> tuple[float, float]:
        """Where the part of a recording that the model uses begins and ends, seconds."""
        return lengths.heard_part(self._extract, waveform, sample_rate)

    def features(self, waveform: Waveform, sample_rate: int) -> NDArray[np.generic]:
        """One clip as the model hears it, (n_frames, n_coefficients), before normalisation."""
        clip = audio.resample(waveform, sample_rate, self.sample_rate)
        return np.asarray(self._extract([clip])[0][0])

    def __call__(self, waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
        """Probability of each label, (n_labels,), for one clip.

        Parameters
        ----------
        waveform
            (n_samples,) float32, any level.
        sample_rate
            Hz, any.

        Raises
        ------
        UserError
            The model's weights overflow on this clip.
        """
        clip = audio.resample(waveform, sample_rate, self.sample_rate)
        return np.asarray(self.of_clips([clip])[0])

    def of_clips(self, clips: Sequence[Waveform]) -> NDArray[np.float64]:
        """Probabilities (n_clips, n_labels) of clips at `sample_rate`; raises as a call does."""
        logits = self._logits(*self._extract(clips))
        if not np.isfinite(logits).all():
            raise errors.UserError(
                f"{self._path} gives no probabilities (NaN or infinity): "
                "make it again with `dvc repro train`"
            )
        return probabilities(logits)


def _load_integers(path: Path) -> tuple[ModelCard, _Logits]:
    from spoken_digits.quantization.restoring import restore

    card, arrays = read_arrays(path)
    try:
        network = restore(card, arrays)
    except errors.UserError as error:
        raise errors.UserError(f"{path}: {error}") from None

    def logits(x: NDArray[np.generic], n_frames: NDArray[np.int32]) -> NDArray[np.float64]:
        return network.logits(np.asarray(x, np.int8), n_frames) * np.float64(network.logit_step)

    return card, logits


def _load_floats(path: Path) -> tuple[ModelCard, _Logits]:
    import torch

    from spoken_digits.quantization.loading import load_any

    card, tensors = read_model(path)
    try:
        network = load_any(card, tensors)
    except errors.UserError as error:
        raise errors.UserError(f"{path}: {error}") from None

    @torch.inference_mode()
    def logits(x: NDArray[np.generic], n_frames: NDArray[np.int32]) -> NDArray[np.float64]:
        normalised = card.normalise(torch.from_numpy(np.asarray(x)))
        found: torch.Tensor = network(normalised, torch.from_numpy(n_frames))
        return found.numpy().astype(np.float64)

    return card, logits
