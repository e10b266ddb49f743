"""Depthwise separable networks as integer graphs: see `integer`.

They are trained on the float features `log_mel` and run on those of the fixed-point front-end,
`log_mel_int`, so calibration and test hear the recordings through the latter.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.loading import Dataset
from spoken_digits.data.waveforms import read_waveforms
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel_int import LogMelInt
from spoken_digits.integer import ds_cnn
from spoken_digits.integer.float_graph import FloatGraph, calibrate
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.qat import QatParams, by_validation, fine_tune
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization import integer
from spoken_digits.quantization.schemes import Quantized

CALIBRATION_CLIPS = 256
"""Train clips that set the scales."""

FEATURES = LogMelInt.kind

_BLOCK_CLIPS = 64


def quantized(
    card: ModelCard, tensors: dict[str, Tensor], dataset: Dataset, params: QatParams, seed: int
) -> Quantized:
    """See `schemes.SchemeModule`."""
    extractor = extractor_of(card)
    network = quantize(card, tensors, dataset, extractor, params, seed)
    test = heard(dataset, dataset.rows["test"], extractor)
    n_bytes = network.parameter_bytes()
    return Quantized(
        # The normalisation is folded into the graph.
        card=dataclasses.replace(card, features=extractor.describe(), mean=[0.0], std=[1.0]),
        tensors=integer.stored_tensors(network),
        n_bytes=n_bytes,
        logits=network.logit_step * network.logits(test).astype(np.float64),
        metrics={"parameter_bytes": n_bytes},
    )


def quantize(
    card: ModelCard,
    tensors: dict[str, Tensor],
    dataset: Dataset,
    extractor: LogMelInt,
    params: QatParams,
    seed: int,
) -> IntegerGraph:
    """The integer network of a trained float network, weights stored as `card.scheme` says.

    Some train clips set the scales; with ``params.epochs`` the network is trained on, on all of
    them, with the integer forward pass, and the best by validation is kept.

    Raises
    ------
    UserError
        The model cannot become integer.
    """
    parent = float_graph(card, tensors)
    code = cast(Scheme, card.scheme)
    train, val = dataset.rows["train"], dataset.rows["val"]
    drawn = np.random.default_rng(seed).permutation(len(train))[:CALIBRATION_CLIPS]
    calibrated = calibrate(parent, heard(dataset, train[np.sort(drawn)], extractor))
    if params.epochs == 0:
        return calibrated.quantised(code)
    return fine_tune(
        calibrated,
        heard(dataset, train, extractor),
        np.full(len(train), parent.n_frames),
        dataset.actual("train"),
        code=code,
        params=params,
        seed=seed,
        score=by_validation(
            heard(dataset, val, extractor),
            np.full(len(val), parent.n_frames),
            dataset.actual("val"),
        ),
    )


def extractor_of(card: ModelCard) -> LogMelInt:
    """The fixed-point front-end for a model that was trained on `log_mel`.

    Raises
    ------
    UserError
        The model reads other features, or such as no fixed-point front-end can compute.
    """
    if card.features["kind"] != "log_mel":
        raise UserError(
            f"model {card.name} reads {card.features['kind']}: an integer "
            f"{card.architecture['name']} needs `features: log_mel` in its section of params.yaml"
        )
    return LogMelInt.from_description(
        {**card.features, "kind": LogMelInt.kind}, f"the features of {card.name}"
    )


def heard(dataset: Dataset, rows: NDArray[np.int64], extractor: LogMelInt) -> NDArray[np.int8]:
    """What the fixed-point front-end makes of some clips: (n, n_frames, n_mels)."""
    archives: dict[Any, ClipArchive] = {}
    parts = []
    for start in range(0, len(rows), _BLOCK_CLIPS):
        waveforms = []
        for row in rows[start : start + _BLOCK_CLIPS]:
            clip = dataset.clips[row]
            if clip.archive not in archives:
                archives[clip.archive] = ClipArchive(clip.archive)
            waveforms += read_waveforms(archives[clip.archive], [clip], extractor.sample_rate)
        parts.append(np.asarray(extractor(waveforms)[0], np.int8))
    return np.concatenate(parts) if parts else np.zeros((0, *extractor.shape), np.int8)


def float_graph(card: ModelCard, tensors: dict[str, Tensor]) -> FloatGraph:
    """The trained network as operators.

    Raises
    ------
    UserError
        The model cannot become integer.
    """
    if not card.architecture["depthwise_relu"]:
        raise UserError(
            f"model {card.name} has `depthwise_relu: false`: integers between operators are the "
            "results of a ReLU; set it to true"
        )
    if len(card.std) != 1:
        raise UserError(
            f"model {card.name} has a deviation for each band: an integer network needs one for "
            "all, `train.normalisation: per_talker`"
        )
    n_frames, n_bands = card.input_shape
    step = card.features["step_db"]
    return ds_cnn.from_state(
        {name: tensor.numpy() for name, tensor in tensors.items()},
        strides=_strides(card),
        mean=np.broadcast_to(card.mean, n_bands) / step,
        std=card.std[0] / step,
        n_frames=n_frames,
    )


def _strides(card: ModelCard) -> list[tuple[int, int]]:
    return [(block["stride"][0], block["stride"][1]) for block in card.architecture["blocks"]]
