"""What the tour looks at: a recording and a model, the trained one where it is."""

from __future__ import annotations

import spoken_digits.arithmetic.portable

import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import spoken_digits
from spoken_digits.config import read_config
from spoken_digits.corpora import fsdd
from spoken_digits.features.registry import make_extractor
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.models.card import ModelCard
from spoken_digits.models.model_file import read_arrays, read_card, read_model
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization.integer_ds_cnn import float_graph
from spoken_digits.quantization.restoring import restore
from spoken_digits.training.planning import describe_network

TOP = Path(spoken_digits.__file__).parents[1]
FLOAT, INTEGERS = (TOP / "models" / f"tiny{scheme}.safetensors" for scheme in ("", ".int8"))
DIGITS = [str(digit) for digit in range(10)]


def recording(utterance: str) -> bytes:
    """The WAV file of a recording of the Free Spoken Digit Dataset.

    From ``data/raw/`` if stage `download` has run, otherwise from the archive, which is fetched if
    it is not in reach.
    """
    audio = TOP / "data/raw/audio.zip"
    if audio.exists():
        with zipfile.ZipFile(audio) as archive:
            if f"{utterance}.wav" in archive.namelist():
                return archive.read(f"{utterance}.wav")
    clips = fsdd.open_fsdd(TOP, None).clips
    return next(clip.wav for clip in clips if clip.utterance == utterance)


def are_trained() -> bool:
    """Whether `tiny` is there, in float32 and in integers, and was trained on digits."""
    there = FLOAT.exists() and INTEGERS.exists()
    return there and all(read_card(path).labels == DIGITS for path in (FLOAT, INTEGERS))


def models() -> tuple[ModelCard, dict[str, Tensor], IntegerGraph]:
    """Card and weights of `tiny`, and its integer network.

    Without trained files: the same layers with random weights, and a word that is a guess.
    """
    if are_trained():
        card, tensors = read_model(FLOAT)
        return card, tensors, restore(*read_arrays(INTEGERS))
    print(
        "no models/tiny.safetensors trained on digits, or no int8 version of it: `dvc repro "
        "quantize@tiny-int8` makes both; until then weights are random, and so is the word",
        file=sys.stderr,
    )
    config = read_config(TOP / "params.yaml")
    params = read_model_params(config, "tiny")
    extractor = make_extractor(params.features, config)
    card = ModelCard(
        name="untrained",
        architecture=describe_network(params, extractor.shape[1], len(DIGITS)),
        labels=DIGITS,
        features=extractor.describe(),
        input_shape=extractor.shape,
        mean=[-15.2] * extractor.shape[1],
        std=[8.0],
        best_epoch=0,
        corpus={},
    )
    torch.manual_seed(0)
    tensors = card.make_network().state_dict()
    noise = np.random.default_rng(0).integers(-50, 30, (8, *extractor.shape)).astype(np.int8)
    return card, tensors, quantise(float_graph(card, tensors), noise)
