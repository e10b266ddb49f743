"""What an operator of a graph has to offer, in floating point and in integers.

A tensor is a sequence of frames; a frame is (bands, channels), stored channel last. What an
operator gives once a clip, at its end, is a sequence of one frame.

Between two operators a real value x is held as the integer ``round(x * scale)``, one scale a
tensor. Scales need not be powers of two: they are folded into the weights that read and write the
tensor before these are rounded, and only the shift that remains is done at run time.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.fixed import IntArray
from spoken_digits.integer.limits import Scheme

Real = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]
"""Of either size."""
Arrays = Mapping[str, NDArray[np.generic]]
Counts = NDArray[np.integer]
"""Valid frames of each clip, (n_clips,)."""

ACTIVATION_MAX = 255
"""Between operators lie results of a ReLU as uint8."""


@dataclass(frozen=True)
class Shape:
    """Shape of the frames of a tensor."""

    n_bands: int
    n_channels: int

    @property
    def size(self) -> int:
        """Values of a frame."""
        return self.n_bands * self.n_channels


@dataclass(frozen=True)
class Scales:
    """How an operator is to be rounded; scales are integers per unit of the real values."""

    inputs: tuple[float, ...]
    """Scale of each tensor that it reads."""
    output: float
    """Scale of the tensor that it writes."""
    reach: NDArray[np.int64] | None = None
    """Largest absolute integers of the first input, (n_channels,)."""
    code: Scheme = "int8"
    """How weights are stored."""


class IntegerOperator(abc.ABC):
    """An operator on integers; checked on construction against what C can rely on."""

    kind: ClassVar[str]
    """Its name in model files."""
    n_inputs: ClassVar[int] = 1
    """Tensors that it reads."""
    any_length: ClassVar[bool] = False
    """Whether a clip may end after any frame: it reads each frame once, and none of later ones."""

    @property
    def code(self) -> Scheme | None:
        """How its weights are stored; None: it has none."""
        return None

    @abc.abstractmethod
    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of its frames; raises ValueError where the inputs do not fit."""

    @abc.abstractmethod
    def n_frames(self, n_inputs: int) -> int:
        """Frames that it gives for `n_inputs` frames."""

    def check(self, inputs: Sequence[Shape], n_frames: int) -> None:  # noqa: B027
        """Refuse, with a ValueError, clips so long that C could not hold a sum over them."""

    @abc.abstractmethod
    def run(self, inputs: Sequence[IntArray]) -> IntArray:
        """(n_clips, n_frames, n_bands, n_channels) of every input -> the same of its output."""

    def run_valid(self, inputs: Sequence[IntArray], n_frames: Counts) -> IntArray:
        """As `run`, where only the first frames of each clip are valid."""
        return self.run(inputs)

    @abc.abstractmethod
    def reach(self, inputs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Largest absolute value of its output, (n_channels,), from those of its inputs.

        Raises ValueError if an accumulator could leave int32.
        """

    def output_scale(self, scale: float) -> float:
        """Scale of its output where that follows from the scale of its input and its weights."""
        raise NotImplementedError(f"the scale of a {self.kind} is chosen by calibration")

    @abc.abstractmethod
    def multiply_accumulates(self, inputs: Sequence[Shape], n_frames: int) -> int:
        """Multiplications by weights for a clip of `n_frames` input frames."""

    @abc.abstractmethod
    def n_bytes(self) -> int:
        """Bytes of its constants in C: weights, biases, shifts."""

    def tables(self) -> dict[str, int]:
        """Bytes of the tables that it shares with other operators, by name."""
        return {}

    @abc.abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is made of, by name, as small integer types; for a model file."""

    @classmethod
    @abc.abstractmethod
    def from_arrays(cls, named: Arrays) -> IntegerOperator:
        """Back from `arrays`; raises KeyError or ValueError."""


class FloatOperator(abc.ABC):
    """The operator in floating point: what training gave, batch normalisation folded in."""

    n_inputs: ClassVar[int] = 1

    @abc.abstractmethod
    def run(self, inputs: Sequence[Real]) -> Real:
        """As `IntegerOperator.run`."""

    def run_valid(self, inputs: Sequence[Real], n_frames: Counts) -> Real:
        """As `IntegerOperator.run_valid`."""
        return self.run(inputs)

    def calibrated(self, inputs: Sequence[Real], n_frames: Counts) -> FloatOperator:
        """The operator with the ranges inside it, from what it reads of calibration clips."""
        return self

    @abc.abstractmethod
    def quantised(self, scales: Scales) -> IntegerOperator:
        """The operator on integers; raises ValueError where `scales` asks for the impossible."""

    def scale(self, output: Real) -> float | None:
        """Scale for its output, from its values over calibration clips; None: it follows from
        the weights.
        """
        return activation_scale(output)


def activation_scale(values: Real) -> float:
    """Scale of a uint8 tensor: its largest value over the calibration clips becomes 255.

    A range that clips the rarest peaks has a smaller squared error, and costs more of the logits:
    pooling takes the maximum, and peaks are what tells words apart.
    """
    largest = float(values.max(initial=0.0))
    # Never more than zero: a fine scale suits whatever reads it.
    return ACTIVATION_MAX / largest if largest > 0 else ACTIVATION_MAX * 16.0


def int_array(values: Real) -> NDArray[np.int64]:
    """Nearest integers, halves up."""
    return np.floor(values + 0.5).astype(np.int64)
