"""The waveforms of the train clips, for augmentation of sound."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.augmentation.base import Prepared
from spoken_digits.augmentation.sound.clips import SoundClips
from spoken_digits.data.clips import ClipArchive, ClipSource
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.features.registry import extractor_from
from spoken_digits.features.spectral import SpectralExtractor
from spoken_digits.training.recipe import Recipe


def prepare(dataset: Dataset, recipe: Recipe, seed: int) -> Prepared:
    """The train clips of a dataset, to be varied as `recipe.sound` says."""
    extractor = extractor_from(dataset.description, "features of the dataset")
    if not isinstance(extractor, SpectralExtractor):
        raise UserError(
            f"params.yaml: `augmentation: sound` cannot vary {dataset.description['kind']}: use "
            "features made of mel bands, such as log_mel, or `augmentation: features`"
        )
    if recipe.sound is None:
        raise ValueError("the recipe varies no sound")
    rows = dataset.rows["train"]
    talkers = sorted({dataset.speakers[row] for row in rows})
    number = {talker: i for i, talker in enumerate(talkers)}
    clips = SoundClips(
        [read(dataset.clips[row], extractor.sample_rate) for row in rows],
        dataset.whole.y[rows],
        np.array([number[dataset.speakers[row]] for row in rows]),
        extractor,
        recipe.sound,
        recipe.epochs,
        recipe.normalisation,
        seed,
        offset=recipe.noise,
    )
    return Prepared(clips, clips.normalisation)


def read(source: ClipSource, sample_rate: int) -> Waveform:
    """The recording at another sample rate."""
    waveform, found = audio.decode(
        _archive(source.archive).read(source.path, source.sha256), source.path
    )
    return audio.resample(waveform, found.sample_rate, sample_rate)


@functools.lru_cache(maxsize=4)
def _archive(path: Path) -> ClipArchive:
    return ClipArchive(path)
