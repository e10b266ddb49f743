"""Integer networks from the arrays of their model files, without PyTorch.

The arrays describe the whole network, so it is made from them alone and then asked for its arrays:
a file that holds others is damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from spoken_digits.errors import UserError, printable
from spoken_digits.integer import graph, network
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES, Scheme
from spoken_digits.integer.network import IntegerLSTM
from spoken_digits.models.card import ModelCard

Arrays = Mapping[str, NDArray[np.generic]]

_AGAIN = "make the file again with `dvc repro quantize`"
_REAL = "graph.logit_step"
"""The only array that holds a real number: nothing computes with it."""


class IntegerModel(Protocol):
    """An integer network, in NumPy."""

    @property
    def n_inputs(self) -> int:
        """Coefficients a frame."""
        ...

    @property
    def n_classes(self) -> int:
        """Classes."""
        ...

    @property
    def logit_step(self) -> float:
        """Real value of one logit step."""
        ...

    def logits(
        self, features: NDArray[np.int8], n_frames: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """(n_clips, n_classes) of features (n_clips, max_frames, n_inputs)."""
        ...

    def parameter_bytes(self) -> int:
        """Bytes that hold the network."""
        ...

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything that the network is."""
        ...


def restore(card: ModelCard, arrays: Arrays) -> IntegerModel:
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
    if architecture not in _KINDS:
        raise UserError(
            f"model {name} is a {printable(architecture)}: only {' and '.join(_KINDS)} become "
            f"integer networks; {_AGAIN}"
        )
    features, read = _KINDS[architecture]
    if card.features["kind"] != features or card.mean != [0.0] or card.std != [1.0]:
        raise UserError(
            f"model {name} is an integer network, so its card must name {features} features "
            f"that are not normalised: {_AGAIN}"
        )
    try:
        _check_whole(arrays)
        found = read(card, arrays)
        _check_same(found.arrays(), arrays)
        _check_sizes(found, card)
    except ValueError as error:
        raise UserError(f"model {name}: {printable(str(error))}: {_AGAIN}") from None
    return found


def _lstm(card: ModelCard, arrays: Arrays) -> IntegerLSTM:
    try:
        found = network.from_arrays(arrays, cast(Scheme, card.scheme))
    except KeyError as error:
        raise ValueError(f"tensor {error.args[0]} is missing") from None
    stated = card.architecture.get("num_layers"), card.architecture.get("hidden_dim")
    if stated != (len(found.layers), found.layers[-1].n_units):
        raise ValueError("the layers are not those that its card names")
    return found


def _graph(card: ModelCard, arrays: Arrays) -> IntegerGraph:
    if card.scheme != "int8":
        raise ValueError(f"a graph is of scheme int8, not {card.scheme}")
    found = graph.from_arrays(arrays)
    if (found.n_frames, found.n_inputs) != tuple(card.input_shape):
        raise ValueError("its graph does not read what its card says")
    return found


_KINDS: Mapping[str, tuple[str, Callable[[ModelCard, Arrays], IntegerModel]]] = {
    "lstm": ("mfcc_int", _lstm),
    "ds_cnn": ("log_mel_int", _graph),
}
"""Architecture -> kind of features, and how its network is read."""


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


def _check_sizes(found: IntegerModel, card: ModelCard) -> None:
    if found.n_inputs != card.input_shape[1]:
        raise ValueError(
            f"it reads {found.n_inputs} coefficients, its card says {card.input_shape[1]}"
        )
    if found.n_classes != len(card.labels):
        raise ValueError(f"it has {found.n_classes} classes, its card {len(card.labels)} labels")
