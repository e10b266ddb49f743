"""Integer networks from the arrays of their model files, without PyTorch.

The arrays describe the whole graph, so it is made from them alone and then asked for its arrays:
a file that holds others is damaged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spoken_digits.errors import UserError, printable
from spoken_digits.integer import graph
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.operators.lstm import Lstm
from spoken_digits.models.card import ModelCard

Arrays = Mapping[str, NDArray[np.generic]]

FEATURES = {"lstm": "mfcc_int", "ds_cnn": "log_mel_int"}
"""Architectures that become integer graphs -> kind of the features that these read."""

_AGAIN = "make the file again with `dvc repro quantize`"
_OF_OLD = "layer_0.weight"
"""In the files of LSTMs that were no graphs yet."""
_REAL = "graph.logit_step"
"""The only array that holds a real number: nothing computes with it."""


def restore(card: ModelCard, arrays: Arrays) -> IntegerGraph:
    """The integer network of a model file.

    Raises
    ------
    UserError
        The arrays are not those of the network that the card describes, or its arithmetic could
        overflow.
    """
    name, architecture = printable(card.name), str(card.architecture["name"])
    if card.scheme not in SCHEMES:
        raise UserError(
            f"model {name} is of scheme {printable(card.scheme)}, not of {' or '.join(SCHEMES)}; "
            f"{_AGAIN}"
        )
    if architecture not in FEATURES:
        raise UserError(
            f"model {name} is a {printable(architecture)}: only {' and '.join(FEATURES)} become "
            f"integer networks; {_AGAIN}"
        )
    features = FEATURES[architecture]
    if card.features["kind"] != features or card.mean != [0.0] or card.std != [1.0]:
        raise UserError(
            f"model {name} is an integer network, so its card must name {features} features "
            f"that are not normalised: {_AGAIN}"
        )
    if _OF_OLD in arrays:
        raise UserError(f"model {name} is an integer LSTM of before there were graphs: {_AGAIN}")
    try:
        _check_whole(arrays)
        found = graph.from_arrays(arrays)
        _check_same(found.arrays(), arrays)
        _check_card(found, card)
    except ValueError as error:
        raise UserError(f"model {name}: {printable(str(error))}: {_AGAIN}") from None
    return found


def _check_whole(arrays: Arrays) -> None:
    """Refuse real numbers where integers belong, before anything is converted."""
    for name, array in arrays.items():
        if name != _REAL and not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"tensor {name} is {array.dtype}, must be whole numbers")


def _check_same(expected: Arrays, found: Arrays) -> None:
    """Refuse arrays other than those that the network made of them would write."""
    for name in [*expected, *found]:
        if name not in found:
            raise ValueError(f"tensor {name} is missing")
        if name not in expected:
            raise ValueError(f"tensor {name} is unknown")
        ours, theirs = np.asarray(expected[name]), found[name]
        if ours.dtype != theirs.dtype:
            raise ValueError(f"tensor {name} is {theirs.dtype}, must be {ours.dtype}")
        if ours.shape != theirs.shape:
            raise ValueError(f"tensor {name} has shape {theirs.shape}, must have {ours.shape}")
        if not np.array_equal(ours, theirs):
            raise ValueError(f"tensor {name} holds a value out of range")


def _check_card(found: IntegerGraph, card: ModelCard) -> None:
    """Refuse a graph that is not the one of the card."""
    n_frames, n_inputs = card.input_shape
    if found.scheme != card.scheme:
        raise ValueError(f"its graph is of scheme {found.scheme}, not {card.scheme}")
    if found.n_inputs != n_inputs:
        raise ValueError(f"it reads {found.n_inputs} coefficients, its card says {n_inputs}")
    if not (found.any_length and found.n_frames >= n_frames) and found.n_frames != n_frames:
        raise ValueError(f"it reads {found.n_frames} frames, its card says {n_frames}")
    if found.n_classes != len(card.labels):
        raise ValueError(f"it has {found.n_classes} classes, its card {len(card.labels)} labels")
    if card.architecture["name"] == "lstm":
        layers = [node.operator for node in found.nodes if isinstance(node.operator, Lstm)]
        stated = card.architecture.get("num_layers"), card.architecture.get("hidden_dim")
        if stated != (len(layers), layers[-1].n_units if layers else 0):
            raise ValueError("the layers are not those that its card names")
