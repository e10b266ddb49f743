"""Train clips of words and of what is none of them, varied as `sound` varies them.

What a talker sounds like on average is measured on words alone, so that the normalisation in use
is that of the same model without the further classes. From a clip that no talker of the corpus
speaks, such as noise, the mean of a talker drawn anew every epoch is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.audio import Waveform
from spoken_digits.augmentation.base import Prepared
from spoken_digits.augmentation.sound.clips import SoundClips
from spoken_digits.augmentation.sound.recordings import read
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.features.registry import extractor_from
from spoken_digits.features.spectral import SpectralExtractor
from spoken_digits.rejection.labels import word_mask
from spoken_digits.training.recipe import Recipe

NOBODY = -1
"""Number of the talker of a clip that no talker of the words speaks."""


class OpenSoundClips(SoundClips):
    """`SoundClips` some of which are none of the words.

    Parameters
    ----------
    waveforms
        As of `SoundClips`.
    y, talkers
        (n,) class number of each clip, and number of who speaks it, or `NOBODY`.
    is_word
        (n,) whether a clip is one of the words.
    extractor, recipe, seed
        As of `SoundClips`; `recipe.sound` is not None.
    """

    def __init__(
        self,
        waveforms: Sequence[Waveform],
        y: NDArray[np.int64],
        talkers: NDArray[np.int64],
        is_word: NDArray[np.bool_],
        extractor: SpectralExtractor,
        recipe: Recipe,
        seed: int,
    ) -> None:
        if recipe.sound is None:
            raise ValueError("the recipe varies no sound")
        measured = np.where(is_word, talkers, NOBODY)  # a talker's mean is that of the words
        super().__init__(
            waveforms,
            y,
            measured,
            extractor,
            recipe.sound,
            recipe.epochs,
            recipe.normalisation,
            seed,
            offset=recipe.noise,
        )
        self._spoken_by = talkers
        self._n_talkers = int(measured.max()) + 1

    def begin_epoch(
        self, epoch: int, common: np.random.Generator, own: np.random.Generator
    ) -> NDArray[np.integer]:
        """As `SoundClips`, and draw the talker whose mean is subtracted where nobody speaks."""
        lengths = super().begin_epoch(epoch, common, own)
        drawn = common.integers(0, self._n_talkers, len(self))
        self._talkers = np.where(self._spoken_by == NOBODY, drawn, self._spoken_by)
        return lengths


def prepare(dataset: Dataset, recipe: Recipe, seed: int) -> Prepared:
    """The train clips of a dataset from `with_rejects`, to be varied as `recipe.sound` says."""
    extractor = extractor_from(dataset.description, "features of the dataset")
    if not isinstance(extractor, SpectralExtractor):
        raise UserError(
            f"params.yaml: `corpus.rejection.models` names a variant that reads "
            f"{dataset.description['kind']}: an open model needs features made of mel bands, such "
            "as log_mel"
        )
    rows = dataset.rows["train"]
    y = dataset.whole.y[rows]
    is_word = word_mask(dataset.labels)[y]
    speakers = np.array([dataset.speakers[row] for row in rows])
    number = {talker: i for i, talker in enumerate(sorted(set(speakers[is_word])))}
    clips = OpenSoundClips(
        [read(dataset.clips[row], extractor.sample_rate) for row in rows],
        y,
        np.array([number.get(speaker, NOBODY) for speaker in speakers]),
        is_word,
        extractor,
        recipe,
        seed,
    )
    return Prepared(clips, clips.normalisation)
