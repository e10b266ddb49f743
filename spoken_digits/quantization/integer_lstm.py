"""LSTMs as integer graphs: see `integer`."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoken_digits.data.dataset import Subset
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.integer.float_graph import FloatGraph, calibrate
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import Scheme
from spoken_digits.integer.lstm import from_state
from spoken_digits.integer.qat import QatParams, by_validation, fine_tune
from spoken_digits.models.card import ModelCard
from spoken_digits.quantization import integer
from spoken_digits.quantization.schemes import Quantized

FEATURES = MfccInt.kind


def quantized(
    card: ModelCard, tensors: dict[str, Tensor], dataset: Dataset, params: QatParams, seed: int
) -> Quantized:
    """See `schemes.SchemeModule`."""
    network = quantize(
        card, tensors, dataset.subset("train"), dataset.subset("val"), card.scheme, params, seed
    )
    n_bytes = network.parameter_bytes()
    return Quantized(
        # The normalisation is folded into the weights.
        card=dataclasses.replace(card, mean=[0.0], std=[1.0]),
        tensors=integer.stored_tensors(network),
        n_bytes=n_bytes,
        logits=np.float64(network.logit_step) * logits_of(network, dataset.subset("test")),
        metrics={"parameter_bytes": n_bytes},
    )


def quantize(
    card: ModelCard,
    tensors: dict[str, Tensor],
    train: Subset,
    val: Subset,
    scheme: str,
    params: QatParams,
    seed: int,
) -> IntegerGraph:
    """The integer network of a trained float LSTM.

    Ranges are calibrated on the train clips; with ``params.epochs`` the network is trained on
    with the integer forward pass, and the best by validation is kept.

    Raises
    ------
    UserError
        The model is no LSTM with mean pooling over ``mfcc_int`` features.
    """
    parent = float_parent(card, tensors)
    torch.set_num_threads(1)  # with matrices this small a second thread only waits
    x, n_frames, y = _clips(train)
    return fine_tune(
        calibrate(parent, x, n_frames),
        x,
        n_frames,
        y,
        code=cast(Scheme, scheme),
        params=params,
        seed=seed,
        score=by_validation(*_clips(val)),
    )


def float_parent(card: ModelCard, tensors: dict[str, Tensor]) -> FloatGraph:
    """The float network with its normalisation folded in.

    Raises
    ------
    UserError
        The model cannot become integer.
    """
    pooling = card.architecture.get("pooling")
    if card.architecture["name"] != "lstm" or pooling != "mean":
        raise UserError(
            f"model {card.name} is no LSTM with mean pooling: only those become integer networks"
        )
    if card.features["kind"] != FEATURES:
        raise UserError(
            f"model {card.name} reads {card.features['kind']}: an integer network needs "
            "`features: mfcc_int` in its section of params.yaml"
        )
    n_coefficients = card.input_shape[1]
    return from_state(
        {name: tensor.numpy() for name, tensor in tensors.items()},
        mean=np.broadcast_to(card.mean, n_coefficients),
        std=np.broadcast_to(card.std, n_coefficients),
        output="linear",
    )


def logits_of(network: IntegerGraph, clips: Subset) -> NDArray[np.int32]:
    """Integer logits (n, n_classes) of the clips of a subset."""
    x, n_frames, _ = _clips(clips)
    return network.logits(x, n_frames)


def _clips(
    subset: Subset,
) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int64]]:
    """Features, valid frames and class numbers of a subset's clips."""
    rows = subset.rows
    return np.asarray(subset.x[rows], np.int8), subset.n_frames[rows], subset.y[rows]
